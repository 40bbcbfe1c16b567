//! ADD: when it is answered, the dataplane holds the circuit.

mod chained;
mod standalone;

use cni::protocol::AttachmentId;
use serde_json::Value;

pub(super) use standalone::hops;

use crate::{
    agent::Agent,
    spec::{Call, Config, Failure, Mode},
};

pub(super) fn add(call: &Call<'_>, config: &Config) -> Result<Value, Failure> {
    let id = call.id()?;
    let undo = Undo { id: id.clone(), agent: Agent::new(&config.socket) };
    let added = match config.mode()? {
        Mode::Chained => chained::add(call, config, id, &undo.agent),
        Mode::Standalone => standalone::add(call, config, id, &undo.agent),
    };
    added.inspect_err(|_| undo.undo())
}

/// What goes when ADD fails: the runtime may never call DEL.
struct Undo<'a> {
    id: AttachmentId,
    agent: Agent<'a>,
}

impl Undo<'_> {
    fn undo(&self) {
        // What cannot be undone now, DEL does, or the agent when the interface has gone. The runtime is told of the first failure.
        let _second = super::del::release(&self.id, &self.agent);
    }
}
