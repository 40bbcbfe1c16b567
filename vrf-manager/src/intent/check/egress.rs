use std::net::IpAddr;

use srv6_types::maps::{EGRESS_CHOICES, NAME};

use super::{
    Faults, Seen,
    own::{Own, unicast},
};
use crate::intent::{EgressGateway, EgressPolicy, Intent, OwnedAddress, Vrf};

pub(super) fn check(vrf: &Vrf, intent: &Intent, path: &str, faults: &mut Faults) {
    let own = Own::of(vrf, path);
    let mut names = Seen::new();
    let mut owned = Vec::new();
    for (j, policy) in vrf.egress.iter().enumerate() {
        let path = format!("{path}.egress[{j}]");
        if let Some(first) = names.before(&policy.name, &path) {
            let problem = format!("the name {} is that of {first} already", policy.name);
            faults.add(format!("{path}.name"), problem, "give each egress policy of a VRF its own name");
        }
        short_name(&policy.name, &path, faults);
        hosts(policy, vrf, &path, faults);
        destinations(policy, &path, faults);
        addresses(policy, &own, intent, &path, faults);
        if let Some(gateway) = &policy.gateway {
            let path = format!("{path}.gateway");
            owned_addresses(gateway, policy, &mut owned, &path, faults);
            ports(gateway, &path, faults);
        }
    }
}

/// What the maps have room for.
pub(super) fn short_name(name: &str, path: &str, faults: &mut Faults) {
    faults.add_if(
        !(1..NAME).contains(&name.len()),
        format!("{path}.name"),
        &format!("the name has {} octets", name.len()),
        "write 1 to 31 octets",
    );
}

fn hosts(policy: &EgressPolicy, vrf: &Vrf, path: &str, faults: &mut Faults) {
    faults.add_if(
        policy.sources.is_empty() && policy.circuits.is_empty(),
        path,
        "the policy is for no host",
        "write sources, circuits or both",
    );
    for (k, interface) in policy.circuits.iter().enumerate() {
        faults.add_if(
            !vrf.circuits.iter().any(|circuit| circuit.interface == *interface),
            format!("{path}.circuits[{k}]"),
            &format!("{interface} is no attachment circuit of VRF {}", vrf.name),
            "write the interface of one, or add it to attachmentCircuits",
        );
    }
}

fn destinations(policy: &EgressPolicy, path: &str, faults: &mut Faults) {
    faults.add_if(
        policy.destinations.is_empty(),
        format!("{path}.destinations"),
        "the policy leads nowhere",
        "write 0.0.0.0/0 and \"::/0\" for everywhere",
    );
    for (k, destination) in policy.destinations.iter().enumerate() {
        let ipv4 = destination.addr().is_ipv4();
        faults.add_if(
            !policy.addresses.iter().any(|address| address.is_ipv4() == ipv4),
            format!("{path}.destinations[{k}]"),
            &format!("the policy has no egress address of the family of {destination}"),
            "add one to addresses, or remove the destination",
        );
    }
}

fn addresses(policy: &EgressPolicy, own: &Own, intent: &Intent, path: &str, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (k, address) in policy.addresses.iter().enumerate() {
        let place = format!("{path}.addresses[{k}]");
        unicast(*address, "an egress address", intent, &place, faults);
        if let Some(first) = seen.before(address, &place) {
            faults.add(&place, format!("{address} stands at {first} already"), "remove one of the two");
        }
        if let Some(first) = own.gateways.get(address) {
            let problem = format!("{address} is the gateway address {first} already");
            faults.add(&place, problem, "write an address that is no interface's");
        }
        let same = |other: &&IpAddr| other.is_ipv4() == address.is_ipv4();
        let before = policy.addresses[..k].iter().filter(same).count();
        faults.add_if(
            before == EGRESS_CHOICES,
            place,
            &format!("{address} is more than {EGRESS_CHOICES} addresses of a family"),
            "remove what is least preferred",
        );
    }
}

/// An address has one range of ports and one route, however many policies share it.
fn owned_addresses(
    gateway: &EgressGateway,
    policy: &EgressPolicy,
    owned: &mut Vec<(IpAddr, OwnedAddress, String)>,
    path: &str,
    faults: &mut Faults,
) {
    faults.add_if(
        gateway.addresses.is_empty(),
        format!("{path}.addresses"),
        "the gateway has no address",
        "write those of the policy's addresses that this node has, or leave gateway away",
    );
    for (k, address) in gateway.addresses.iter().enumerate() {
        let place = format!("{path}.addresses[{k}]");
        faults.add_if(
            !policy.addresses.contains(address),
            &place,
            &format!("{address} is no address of the policy"),
            "add it to the policy's addresses, or remove it here",
        );
        match owned.iter().find(|(other, ..)| other == address) {
            Some((_, settings, first)) if *settings != gateway.owned() => {
                let problem = format!("{address} is {first} already, with other settings");
                let remedy = "write the same ports, portBlock, localPreference, communities, color and gracefulShutdown in both";
                faults.add(place, problem, remedy);
            }
            Some(_) => {}
            None => owned.push((*address, gateway.owned(), place)),
        }
    }
}

fn ports(gateway: &EgressGateway, path: &str, faults: &mut Faults) {
    let (first, last) = gateway.ports;
    if first == 0 || first > last {
        let problem = format!("{first}-{last} is no range of ports");
        return faults.add(format!("{path}.ports"), problem, "write one such as 1024-65535");
    }
    let count = last - first + 1;
    faults.add_if(
        !(1..=1024).contains(&gateway.port_block) || gateway.port_block > count,
        format!("{path}.portBlock"),
        &format!("{} ports are no block of {first}-{last}", gateway.port_block),
        &format!("write 1 to {}", count.min(1024)),
    );
}
