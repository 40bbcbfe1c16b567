//! Behind a plugin that has made the interface.

use cni::protocol::{Attachment, AttachmentId, Request, Response};
use serde_json::{Map, Value};

use super::or_undo;
use crate::{
    agent::{Agent, AgentError},
    command::circuit::Circuit,
    link::Veth,
    spec::{Call, Config, Failure, Previous, Version},
};

pub(super) fn add(call: &Call<'_>, config: &Config, id: AttachmentId) -> Result<Value, Failure> {
    let Previous { read, mut written } = config.previous()?;
    let circuit = Circuit::find(call, &id)?;
    let attachment = circuit.attachment(call, config, id.clone(), &read)?;
    let agent = Agent::new(&config.socket);
    // Runtimes may leave it away, in what comes to a plugin only.
    written.insert("cniVersion".to_owned(), config.version.word().into());
    let attached = or_undo(&id, &agent, || attach(&circuit, attachment, config.mtu, &agent))?;
    if let Some(mtu) = attached.filter(|_| config.version >= Version::V1_1_0) {
        tell_mtu(&mut written, &[&id.interface, &circuit.veth.node.name], mtu);
    }
    Ok(Value::Object(written))
}

/// The MTU that the interface has now; `None` where the pod is in no VRF.
fn attach(
    circuit: &Circuit,
    attachment: Attachment,
    most: Option<u32>,
    agent: &Agent<'_>,
) -> Result<Option<u32>, Failure> {
    let mtu = match agent.ask_patiently(&Request::Attach(attachment))? {
        Response::NotOurs => return Ok(None),
        Response::Attached { mtu, .. } => most.map_or(mtu, |most| most.min(mtu)),
        other => return Err(AgentError::unexpected("attach", &other).into()),
    };
    let Veth { node, container } = &circuit.veth;
    circuit.container.lower_mtu(container, mtu)?;
    circuit.node.lower_mtu(node, mtu)?;
    Ok(Some(mtu.min(container.mtu)))
}

/// Version 1.1.0 has the MTU in the result. Everything else goes through as the plugin in front has said it.
fn tell_mtu(result: &mut Map<String, Value>, names: &[&str], mtu: u32) {
    let interfaces = result.get_mut("interfaces").and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten() {
        let is_end = interface.get("name").and_then(Value::as_str).is_some_and(|name| names.contains(&name));
        if let Some(members) = interface.as_object_mut().filter(|_| is_end) {
            members.insert("mtu".to_owned(), mtu.into());
        }
    }
}
