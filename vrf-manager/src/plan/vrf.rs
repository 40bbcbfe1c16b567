//! One VRF: its policy, SIDs, circuits, routes, services and egress addresses, and what it advertises.

use std::net::IpAddr;

use bgp_core::rib::LocalSid;
use srv6_dp::model::{LocalSid as SidEntry, NextHop, Vrf as VrfEntry};
use srv6_types::{Sid, VrfId, maps::MAX_SEGMENTS};

use super::{
    Desired, Interfaces, Links, PlannedRoute, PlannedSid, PlannedVrf, Problem, RouteSource, advertise,
    circuit, egress, service, speaker,
};
use crate::{
    allocate::{AllocateError, Allocations, SidPurpose, locator_of},
    intent::{Intent, StaticRoute, Via, Vrf},
};

/// What a VRF is planned from, besides itself.
pub(super) struct Inputs<'a> {
    pub(super) intent: &'a Intent,
    pub(super) links: &'a Links,
    pub(super) interfaces: &'a Interfaces<'a>,
    pub(super) allocations: &'a Allocations,
}

/// `at` is the VRF's index in the intent.
pub(super) fn plan(at: usize, inputs: &Inputs<'_>, desired: &mut Desired) {
    let vrf = &inputs.intent.vrfs[at];
    let Some(id) = inputs.allocations.vrf(&vrf.name) else {
        return desired.problems.push(AllocateError::Vrfs { vrf: vrf.name.clone() }.into());
    };
    let mut planned = start(vrf, inputs);
    desired.dataplane.vrfs.insert(id, entry(vrf));
    add_sids(vrf, id, inputs, &mut planned, desired);
    for (nth, circuit) in vrf.circuits.iter().enumerate() {
        let of = circuit::Of { vrf, id, interfaces: inputs.interfaces.of_circuit(at, nth) };
        circuit::plan(circuit, &of, inputs.links, &mut planned, desired);
    }
    service::add_routes(vrf, &mut planned);
    egress::add_addresses(vrf, id, &mut planned, desired);
    for route in &vrf.static_routes {
        add_static(route, inputs.links, &mut planned, &mut desired.problems);
    }
    service::plan(vrf, id, &mut planned, desired);
    egress::add_policies(vrf, id, &mut planned, desired);
    match planned.rd {
        Some(rd) => {
            desired.speaker.vrfs.insert(id, speaker::policy(inputs.intent, vrf, rd));
            desired.advertise.extend(advertise::vrf(vrf, id, &planned));
        }
        None => desired.problems.push(AllocateError::Distinguishers { vrf: vrf.name.clone() }.into()),
    }
    let routes = planned.routes.iter().map(|(net, route)| ((id, *net), route.next_hop.clone()));
    desired.dataplane.routes.extend(routes);
    desired.vrfs.insert(id, planned);
}

fn start(vrf: &Vrf, inputs: &Inputs<'_>) -> PlannedVrf {
    PlannedVrf {
        name: vrf.name.clone(),
        rd: inputs.allocations.distinguisher(inputs.intent.router.router_id, vrf),
        import: vrf.import_route_targets.clone(),
        export: vrf.export_route_targets.clone(),
        locator: locator_of(inputs.intent, vrf).map(|locator| locator.name.clone()),
        encapsulation: vrf.encapsulation,
        ..Default::default()
    }
}

/// ICMP errors come from the first gateway of each family, whether its interface is up or not: the tenant knows the PE by it.
fn entry(vrf: &Vrf) -> VrfEntry {
    let (services, egress) = (!vrf.services.is_empty(), !vrf.egress.is_empty());
    let filters = !vrf.filter.is_empty() || vrf.circuits.iter().any(|circuit| !circuit.filter.is_empty());
    let flows = (services || egress || filters).then_some(vrf.max_flows);
    let mut entry = VrfEntry { flows, services, egress, ..VrfEntry::default() };
    for address in vrf.circuits.iter().flat_map(|circuit| &circuit.addresses) {
        match address.addr() {
            IpAddr::V4(addr) => drop(entry.icmp_source4.get_or_insert(addr)),
            IpAddr::V6(addr) if addr.is_unicast_link_local() => {}
            IpAddr::V6(addr) => drop(entry.icmp_source6.get_or_insert(addr)),
        }
    }
    entry
}

fn add_sids(vrf: &Vrf, id: VrfId, inputs: &Inputs<'_>, planned: &mut PlannedVrf, desired: &mut Desired) {
    let Some(named) = locator_of(inputs.intent, vrf) else {
        return desired.problems.push(Problem::NoLocator { vrf: vrf.name.clone() });
    };
    for purpose in SidPurpose::of(vrf) {
        let function = inputs.allocations.function(&named.name, &vrf.name, purpose);
        let Some(sid) = function.and_then(|function| named.locator.sid(function)) else {
            let functions = named.locator.max_function();
            let (vrf, locator) = (vrf.name.clone(), named.name.clone());
            desired.problems.push(AllocateError::Functions { vrf, locator, functions }.into());
            continue;
        };
        let (behavior, role) = (purpose.behavior(), purpose.role());
        let structure = named.locator.structure().with_function_transposed();
        planned.sids.push(PlannedSid { role, sid: LocalSid { sid, structure, behavior } });
        desired.dataplane.sids.insert(sid, SidEntry { behavior, vrf: id, role });
    }
}

/// A circuit's own routes are better than a static one for the same prefix.
fn add_static(route: &StaticRoute, links: &Links, planned: &mut PlannedVrf, problems: &mut Vec<Problem>) {
    match next_hop(route, links, planned) {
        Ok(next_hop) => {
            let route_entry = PlannedRoute { source: RouteSource::Static, next_hop };
            planned.routes.entry(route.prefix.trunc()).or_insert(route_entry);
        }
        Err(problem) => problems.push(problem),
    }
}

fn next_hop(route: &StaticRoute, links: &Links, planned: &PlannedVrf) -> Result<NextHop, Problem> {
    let (vrf, prefix) = (planned.name.clone(), route.prefix);
    match &route.via {
        Via::Blackhole => Ok(NextHop::Blackhole),
        Via::Segments(segments) if (1..=MAX_SEGMENTS).contains(&segments.len()) => Ok(NextHop::Encapsulate {
            segments: segments.iter().copied().map(Sid::from).collect(),
            reduced: planned.encapsulation.is_reduced(),
        }),
        Via::Segments(segments) => Err(Problem::Segments { vrf, prefix, count: segments.len() }),
        Via::Address(via) => planned
            .circuit_towards(*via)
            .and_then(|circuit| links.get(&circuit.interface))
            .map(|link| NextHop::Gateway { interface: link.index, address: *via })
            .ok_or(Problem::NextHopUnreachable { vrf, prefix, via: *via }),
    }
}
