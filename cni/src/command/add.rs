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
    match config.mode()? {
        Mode::Chained => chained::add(call, config, id),
        Mode::Standalone => standalone::add(call, config, id),
    }
}

/// Does what must be undone as a whole where it fails: the runtime may never call DEL.
fn or_undo<T>(
    id: &AttachmentId,
    agent: &Agent<'_>,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    // What cannot be undone now, DEL does, or the agent when the interface has gone. The runtime is told of the first failure.
    work().inspect_err(|_| drop(super::del::release(id, agent)))
}
