//! Attachment circuits: the interface's entry, its subnets and the addresses of this PE on it.

use std::net::IpAddr;

use ipnet::IpNet;
use srv6_dp::model::{Circuit as Attached, FilterId, IfIndex, NextHop};
use srv6_types::VrfId;

use super::{
    CircuitState, Desired, Link, Links, PlannedCircuit, PlannedRoute, PlannedVrf, Problem, RouteSource,
    filter, interfaces::Served,
};
use crate::intent::{Circuit, Vrf, is_pattern};

/// The VRF that a circuit is of, and the interfaces that it means.
pub(super) struct Of<'a> {
    pub(super) vrf: &'a Vrf,
    pub(super) id: VrfId,
    pub(super) interfaces: &'a [Served<'a>],
}

pub(super) fn plan(
    circuit: &Circuit,
    of: &Of<'_>,
    links: &Links,
    planned: &mut PlannedVrf,
    desired: &mut Desired,
) {
    for served in of.interfaces {
        attach(circuit, served, of, links, planned, desired);
    }
    let own = || of.interfaces.iter().filter(|served| !served.taken);
    match (of.interfaces, own().next()) {
        ([], _) => {
            planned.circuits.push(planned_circuit(circuit, &circuit.interface, None, CircuitState::Waiting))
        }
        (_, Some(first)) if own().nth(1).is_some() => {
            let subnets = circuit.addresses.iter().filter(|address| !is_host(address));
            desired.problems.extend(subnets.map(|subnet| Problem::SharedSubnet {
                vrf: planned.name.clone(),
                pattern: circuit.interface.clone(),
                subnet: subnet.trunc(),
                interface: first.name.to_owned(),
            }));
        }
        _ => {}
    }
}

fn attach(
    circuit: &Circuit,
    served: &Served<'_>,
    of: &Of<'_>,
    links: &Links,
    planned: &mut PlannedVrf,
    desired: &mut Desired,
) {
    let link = links.get(served.name);
    let state = state(link, served.taken);
    desired.problems.extend(problem(state, &planned.name, served.name));
    if let (Some(link), CircuitState::Up | CircuitState::Down) = (link, state) {
        let filter = filter::of_circuit(circuit, link.index, of.vrf, of.id);
        if link.bridge_port && !(circuit.proxy && circuit.host_mac.is_some()) {
            let (vrf, interface) = (planned.name.clone(), served.name.to_owned());
            desired.problems.push(Problem::BridgePort { vrf, interface });
        }
        let entry = attached(circuit, of.id, link, filter.as_ref().map(|(id, _)| *id));
        desired.dataplane.circuits.insert(link.index, entry);
        desired.dataplane.filters.extend(filter);
        if state == CircuitState::Up {
            circuit.addresses.iter().for_each(|address| add_routes(*address, link.index, planned));
            circuit.hosts.iter().for_each(|host| add_host(*host, link.index, planned));
        }
    }
    planned.circuits.push(planned_circuit(circuit, served.name, link, state));
}

fn planned_circuit(
    circuit: &Circuit,
    interface: &str,
    link: Option<&Link>,
    state: CircuitState,
) -> PlannedCircuit {
    PlannedCircuit {
        interface: interface.to_owned(),
        pattern: is_pattern(&circuit.interface).then(|| circuit.interface.clone()),
        index: link.map(|link| link.index),
        addresses: circuit.addresses.clone(),
        hosts: circuit.hosts.clone(),
        state,
    }
}

fn state(link: Option<&Link>, taken: bool) -> CircuitState {
    match link {
        None => CircuitState::Missing,
        Some(_) if taken => CircuitState::Taken,
        Some(link) if link.up => CircuitState::Up,
        Some(_) => CircuitState::Down,
    }
}

fn problem(state: CircuitState, vrf: &str, interface: &str) -> Option<Problem> {
    let (vrf, interface) = (vrf.to_owned(), interface.to_owned());
    match state {
        CircuitState::Up | CircuitState::Waiting => None,
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
        proxy: circuit.proxy,
        probes: circuit.probes,
        // Whose subnet is the circuit's may take any address of it.
        strict: !circuit.hosts.is_empty() && circuit.addresses.iter().all(is_host),
        host_mac: circuit.host_mac,
    }
}

fn is_host(address: &IpNet) -> bool {
    address.prefix_len() == address.max_prefix_len()
}

/// The subnet, and our address in it. Where the subnet is that address alone, it is both, and no circuit's more than another's:
/// so the route stays as it is while circuits that have the same one come and go.
fn add_routes(address: IpNet, interface: IfIndex, planned: &mut PlannedVrf) {
    let mut add = |net, source, next_hop| {
        planned.routes.entry(net).or_insert(PlannedRoute { source, next_hop });
    };
    if is_host(&address) {
        return add(address, RouteSource::Connected, NextHop::Local { interface: None });
    }
    let local = NextHop::Local { interface: Some(interface) };
    add(address.addr().into(), RouteSource::Local, local);
    add(address.trunc(), RouteSource::Connected, NextHop::Connected { interface });
}

fn add_host(host: IpAddr, interface: IfIndex, planned: &mut PlannedVrf) {
    let route = PlannedRoute { source: RouteSource::Host, next_hop: NextHop::Connected { interface } };
    planned.routes.entry(host.into()).or_insert(route);
}
