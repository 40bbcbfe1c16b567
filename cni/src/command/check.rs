//! CHECK: true at the agent, and in the container.

use std::net::IpAddr;

use cni::protocol::{Attachment, AttachmentId, Request, Response, host_interface};

use super::{add::hops, circuit::Circuit};
use crate::{
    agent::{Agent, AgentError},
    spec::{Call, Config, Failure, Mode, Outcome},
};

pub(super) fn check(call: &Call<'_>, config: &Config) -> Result<(), Failure> {
    let id = call.id()?;
    let made = config.previous()?.read;
    let mode = config.written_mode().unwrap_or_else(|| mode_of(&made, &id));
    let circuit = Circuit::find(call, &id).map_err(as_made)?;
    let mut found = circuit.attachment(call, config, id, &made)?;
    found.reserved = mode == Mode::Standalone;
    match Agent::new(&config.socket).ask(&Request::Check(found.clone()))? {
        Response::NotOurs if mode == Mode::Chained => return Ok(()),
        Response::Done => {}
        other => return Err(AgentError::unexpected("check", &other).into()),
    }
    addresses(&circuit, &found.addresses)?;
    if mode == Mode::Standalone { own_interface(&circuit, &found, &made) } else { Ok(()) }
}

/// The runtime does not say which mode it was: the result names the node's end, whose name in mode standalone is ours.
fn mode_of(made: &Outcome, id: &AttachmentId) -> Mode {
    let own = host_interface(id);
    if made.interfaces.iter().any(|it| it.name == own) { Mode::Standalone } else { Mode::Chained }
}

/// What ADD would call a mistake of the plugin in front has happened since.
fn as_made(failure: Failure) -> Failure {
    match failure {
        Failure::Link(
            error @ (crate::link::LinkError::NoInterface(_) | crate::link::LinkError::NoVeth(_)),
        ) => Failure::NotAsMade(error.to_string()),
        other => other,
    }
}

fn addresses(circuit: &Circuit, made: &[IpAddr]) -> Result<(), Failure> {
    let interface = &circuit.veth.container;
    let there = circuit.container.addresses(interface)?;
    match made.iter().find(|address| !there.contains(address)) {
        Some(address) => Err(Failure::NotAsMade(format!("{} has lost {address}", interface.name))),
        None => Ok(()),
    }
}

/// What nobody else has made.
fn own_interface(circuit: &Circuit, found: &Attachment, made: &Outcome) -> Result<(), Failure> {
    let (inside, outside) = (&circuit.veth.container, &circuit.veth.node);
    if let Some(down) = [inside, outside].into_iter().find(|end| !end.up) {
        return Err(Failure::NotAsMade(format!("{} is down", down.name)));
    }
    let routes = circuit.container.routes(inside)?;
    let gateways = made.ips_of(&found.id.interface).filter_map(|ip| ip.gateway);
    let missing = gateways.flat_map(hops).find(|hop| !routes.contains(hop));
    match missing {
        Some(hop) => Err(Failure::NotAsMade(format!("the route to {} is gone", hop.to))),
        None => Ok(()),
    }
}
