use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use srv6_types::maps::MAX_SEGMENTS;

use super::{Faults, Seen, is_no_host};
use crate::intent::{StaticRoute, Via, Vrf};

pub(super) fn check(vrf: &Vrf, path: &str, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (j, route) in vrf.static_routes.iter().enumerate() {
        let path = format!("{path}.staticRoutes[{j}]");
        if let Some(first) = seen.before(route.prefix.trunc(), &path) {
            let problem = format!("{} stands at {first} already", route.prefix);
            faults.add(format!("{path}.prefix"), problem, "remove one of the two");
        }
        destination(route, vrf, &path, faults);
        match &route.via {
            Via::Address(via) => next_hop(*via, vrf, &format!("{path}.via"), faults),
            Via::Segments(list) => segments(list, &format!("{path}.segments"), faults),
            Via::Blackhole => {}
        }
    }
}

/// Where neighbours are: hosts that a circuit names, and subnets.
fn neighbors(vrf: &Vrf) -> impl Iterator<Item = IpNet> {
    let hosts = vrf.circuits.iter().flat_map(|circuit| &circuit.hosts);
    subnets(vrf).copied().chain(hosts.copied().map(IpNet::from))
}

fn subnets(vrf: &Vrf) -> impl Iterator<Item = &IpNet> {
    vrf.circuits.iter().flat_map(|circuit| &circuit.addresses)
}

fn destination(route: &StaticRoute, vrf: &Vrf, path: &str, faults: &mut Faults) {
    let place = format!("{path}.prefix");
    let prefix = route.prefix.trunc();
    faults.add_if(
        prefix.addr().is_multicast(),
        &place,
        &format!("{prefix} is multicast, which VRFs do not route"),
        "remove the route",
    );
    faults.add_if(
        neighbors(vrf).any(|subnet| subnet.trunc() == prefix || IpNet::from(subnet.addr()) == prefix),
        &place,
        &format!("{prefix} is a circuit's own subnet, address or host, which is always preferred"),
        "remove the route, or make its prefix longer",
    );
}

fn next_hop(via: IpAddr, vrf: &Vrf, place: &str, faults: &mut Faults) {
    if is_no_host(via) {
        return faults.add(place, format!("{via} is no host's address"), "write the neighbor's address");
    }
    if subnets(vrf).any(|subnet| subnet.addr() == via) {
        return faults.add(place, format!("{via} is our own address"), "write the neighbor's address");
    }
    if !neighbors(vrf).any(|subnet| subnet.contains(&via)) {
        let known: Vec<String> = subnets(vrf).map(|subnet| subnet.trunc().to_string()).collect();
        let remedy = match known[..] {
            [] => "give a circuit of the VRF an address of the neighbor's subnet".to_owned(),
            _ => format!("write an address in one of {}", known.join(", ")),
        };
        faults.add(place, format!("{via} is in no subnet of a circuit of VRF {}", vrf.name), remedy);
    }
}

fn segments(segments: &[Ipv6Addr], place: &str, faults: &mut Faults) {
    if !(1..=MAX_SEGMENTS).contains(&segments.len()) {
        let problem = format!("{} segments are not 1 to {MAX_SEGMENTS}", segments.len());
        faults.add(place, problem, "write the service SID last and before it only the SIDs to pass through");
    }
    for (k, segment) in segments.iter().enumerate() {
        faults.add_if(
            is_no_host((*segment).into()) || segment.is_loopback(),
            format!("{place}[{k}]"),
            &format!("{segment} cannot be a SID"),
            "write the SID of a node on the way",
        );
    }
}
