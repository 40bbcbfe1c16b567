//! Attachment circuits: the interface's entry, its subnets and the addresses of this PE on it.

use std::net::IpAddr;

use ipnet::IpNet;
use srv6_dp::model::{Circuit as Attached, FilterId, IfIndex, NextHop};
use srv6_types::VrfId;

use super::{
    CircuitState, Desired, Link, Links, PlannedCircuit, PlannedRoute, PlannedVrf, Problem, RouteSource,
    filter,
};
use crate::intent::{Circuit, Vrf};

/// The VRF that a circuit is of.
pub(super) struct Of<'a> {
    pub(super) vrf: &'a Vrf,
    pub(super) id: VrfId,
}

pub(super) fn plan(
    circuit: &Circuit,
    of: &Of<'_>,
    links: &Links,
    planned: &mut PlannedVrf,
    desired: &mut Desired,
) {
    let state = state(circuit, links, desired);
    if let Some(problem) = problem(state, &planned.name, &circuit.interface) {
        desired.problems.push(problem);
    }
    if let (Some(link), CircuitState::Up | CircuitState::Down) = (links.get(&circuit.interface), state) {
        let filter = filter::of_circuit(circuit, link.index, of.vrf, of.id);
        let entry = attached(circuit, of.id, link, filter.as_ref().map(|(id, _)| *id));
        desired.dataplane.circuits.insert(link.index, entry);
        desired.dataplane.filters.extend(filter);
        if state == CircuitState::Up {
            circuit.addresses.iter().for_each(|address| add_routes(*address, link.index, planned));
        }
    }
    planned.circuits.push(PlannedCircuit {
        interface: circuit.interface.clone(),
        index: links.get(&circuit.interface).map(|link| link.index),
        addresses: circuit.addresses.clone(),
        state,
    });
}

fn state(circuit: &Circuit, links: &Links, desired: &Desired) -> CircuitState {
    let Some(link) = links.get(&circuit.interface) else { return CircuitState::Missing };
    let dataplane = &desired.dataplane;
    if dataplane.core.contains(&link.index) || dataplane.circuits.contains_key(&link.index) {
        return CircuitState::Taken;
    }
    if link.up { CircuitState::Up } else { CircuitState::Down }
}

fn problem(state: CircuitState, vrf: &str, interface: &str) -> Option<Problem> {
    let (vrf, interface) = (vrf.to_owned(), interface.to_owned());
    match state {
        CircuitState::Up => None,
        CircuitState::Down => Some(Problem::InterfaceDown { vrf, interface }),
        CircuitState::Missing => Some(Problem::NoInterface { vrf, interface }),
        CircuitState::Taken => Some(Problem::InterfaceTaken { vrf, interface }),
    }
}

fn attached(circuit: &Circuit, vrf: VrfId, link: &Link, filter: Option<FilterId>) -> Attached {
    let addresses = || circuit.addresses.iter().map(IpNet::addr);
    Attached {
        vrf,
        mtu: link.mtu,
        mac: link.mac,
        gateway4: addresses().find_map(|a| if let IpAddr::V4(a) = a { Some(a) } else { None }),
        gateway6: addresses().find_map(|a| if let IpAddr::V6(a) = a { Some(a) } else { None }),
        filter,
    }
}

/// The subnet, and our address in it; where the subnet is that address alone, it is both.
fn add_routes(address: IpNet, interface: IfIndex, planned: &mut PlannedVrf) {
    let subnet = address.trunc();
    let host = IpNet::from(address.addr());
    let source = if subnet == host { RouteSource::Connected } else { RouteSource::Local };
    planned.routes.insert(host, PlannedRoute { source, next_hop: NextHop::Local { interface } });
    let connected =
        PlannedRoute { source: RouteSource::Connected, next_hop: NextHop::Connected { interface } };
    planned.routes.entry(subnet).or_insert(connected);
}
