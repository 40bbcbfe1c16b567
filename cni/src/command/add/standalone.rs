//! With an interface of our own, and addresses of the agent's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cni::protocol::{Attachment, AttachmentId, PodRef, Request, Reservation, Response};
use ipnet::IpNet;
use serde_json::Value;

use super::or_undo;
use crate::{
    agent::{Agent, AgentError},
    link::{self, Hop, LinkError, Links, Netns, Veth},
    spec::{Call, Config, Failure, Interface, Ip, Outcome, Route},
};

pub(super) fn add(call: &Call<'_>, config: &Config, id: AttachmentId) -> Result<Value, Failure> {
    let (path, pod) = (call.netns()?, call.pod()?);
    let netns = Netns::open(&path)?;
    let agent = Agent::new(&config.socket);
    or_undo(&id, &agent, || {
        let kept = reserve(&agent, config, &id, &pod)?;
        let veth = make(&netns, &id.interface, &kept)?;
        let outcome = outcome(&veth, &kept, &path.to_string_lossy());
        let attach = Request::Attach(Attachment {
            id: id.clone(),
            network: config.network.clone(),
            pod,
            host_interface: kept.host_interface,
            addresses: kept.addresses.iter().map(IpNet::addr).collect(),
            mac: Some(veth.container.mac),
            gateways: kept.gateways,
            netns: path,
            reserved: true,
            proxy: false,
        });
        match agent.ask_patiently(&attach)? {
            Response::Attached { .. } => Ok(outcome.write(config.version)),
            other => Err(AgentError::unexpected("attach", &other).into()),
        }
    })
}

/// Addresses, with the MTU that the interface is to have.
fn reserve(
    agent: &Agent<'_>,
    config: &Config,
    id: &AttachmentId,
    pod: &PodRef,
) -> Result<Reservation, Failure> {
    let ask = Request::Reserve { id: id.clone(), network: config.network.clone(), pod: pod.clone() };
    match agent.ask_patiently(&ask)? {
        Response::Reserved(kept) => {
            let mtu = config.mtu.map_or(kept.mtu, |most| most.min(kept.mtu));
            Ok(Reservation { mtu, ..kept })
        }
        Response::NotOurs => Err(Failure::Config(
            "the pod is in no VRF, and mode standalone has no other network for it; let a Vrf's namespaceSelector take its namespace",
        )),
        other => Err(AgentError::unexpected("reserve", &other).into()),
    }
}

/// The pair of interfaces, with addresses and routes.
fn make(netns: &Netns, name: &str, kept: &Reservation) -> Result<Veth, LinkError> {
    let (node, container) = (Links::of_node()?, Links::of_container(netns)?);
    // Of an ADD of the same container that failed: the name is of its id.
    node.delete(&kept.host_interface)?;
    Veth::make(&node, &kept.host_interface, netns, name, kept.mtu)?;
    let veth = Veth::find(&node, &container, name)?;
    if kept.addresses.iter().any(|address| address.addr().is_ipv6()) {
        netns.enable_ipv6(name)?;
    }
    for address in &kept.addresses {
        container.add_address(&veth.container, *address)?;
    }
    node.set_up(&veth.node)?;
    container.set_up(&veth.container)?;
    for gateway in &kept.gateways {
        hops(*gateway).into_iter().try_for_each(|hop| container.add_route(&veth.container, hop))?;
    }
    Ok(veth)
}

/// The gateway is in no subnet of the pod's, which has none: it is on the link, and everything else behind it.
pub(in crate::command) fn hops(gateway: IpAddr) -> [Hop; 2] {
    [Hop { to: gateway.into(), via: None }, Hop { to: everything(gateway), via: Some(gateway) }]
}

/// Of the gateway's family.
fn everything(gateway: IpAddr) -> IpNet {
    let any = if gateway.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    IpNet::new_assert(any, 0)
}

fn outcome(veth: &Veth, kept: &Reservation, sandbox: &str) -> Outcome {
    let end = |end: &link::Interface, sandbox: &str| Interface {
        name: end.name.clone(),
        mac: end.mac.map(|octet| format!("{octet:02x}")).join(":"),
        mtu: Some(kept.mtu),
        sandbox: sandbox.to_owned(),
    };
    let gateway_for = |address: &IpNet| {
        kept.gateways.iter().copied().find(|gateway| gateway.is_ipv4() == address.addr().is_ipv4())
    };
    Outcome {
        interfaces: vec![end(&veth.node, ""), end(&veth.container, sandbox)],
        ips: kept
            .addresses
            .iter()
            .map(|address| Ip { address: *address, gateway: gateway_for(address), interface: Some(1) })
            .collect(),
        routes: kept
            .gateways
            .iter()
            .map(|gateway| Route { dst: everything(*gateway), gw: Some(*gateway), mtu: Some(kept.mtu) })
            .collect(),
    }
}
