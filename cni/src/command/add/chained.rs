//! Behind a plugin that has made the interface.

use cni::protocol::{AttachmentId, Request, Response};
use serde_json::Value;

use crate::{
    agent::{Agent, AgentError},
    command::circuit::Circuit,
    spec::{Call, Config, Failure, Previous, Version},
};

pub(super) fn add(
    call: &Call<'_>,
    config: &Config,
    id: AttachmentId,
    agent: &Agent<'_>,
) -> Result<Value, Failure> {
    let Previous { read, mut written } = config.previous()?;
    let circuit = Circuit::find(call, &id)?;
    let interface = id.interface.clone();
    let attachment = circuit.attachment(call, config, id, &read)?;
    let mtu = match agent.ask_patiently(&Request::Attach(attachment))? {
        Response::NotOurs => return Ok(written),
        Response::Attached { mtu, .. } => config.mtu.map_or(mtu, |most| most.min(mtu)),
        other => return Err(AgentError::unexpected("attach", &other).into()),
    };
    circuit.container.lower_mtu(&circuit.veth.container, mtu)?;
    circuit.node.lower_mtu(&circuit.veth.node, mtu)?;
    if config.version >= Version::V1_1_0 {
        tell_mtu(&mut written, &[&interface, &circuit.veth.node.name], mtu.min(circuit.veth.container.mtu));
    }
    Ok(written)
}

/// Version 1.1.0 has the MTU in the result. Everything else goes through as the plugin in front has said it.
fn tell_mtu(result: &mut Value, names: &[&str], mtu: u32) {
    let interfaces = result.get_mut("interfaces").and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten() {
        let is_end = interface.get("name").and_then(Value::as_str).is_some_and(|name| names.contains(&name));
        if let Some(members) = interface.as_object_mut().filter(|_| is_end) {
            members.insert("mtu".to_owned(), mtu.into());
        }
    }
}
