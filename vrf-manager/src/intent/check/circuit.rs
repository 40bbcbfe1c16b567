use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};

use super::{Faults, Seen, is_no_host};
use crate::{
    intent::{Intent, Vrf},
    plan::domain,
};

pub(super) fn interfaces_of_core(intent: &Intent) -> Seen<&str> {
    let mut seen = Seen::new();
    for (i, interface) in intent.srv6.core_interfaces.iter().enumerate() {
        seen.before(interface.as_str(), &format!("srv6.coreInterfaces[{i}]"));
    }
    seen
}

pub(super) fn check<'a>(
    vrf: &'a Vrf,
    intent: &'a Intent,
    interfaces: &mut Seen<&'a str>,
    path: &str,
    faults: &mut Faults,
) {
    let mut subnets: Vec<(usize, IpNet, String)> = Vec::new();
    for (j, circuit) in vrf.circuits.iter().enumerate() {
        let path = format!("{path}.attachmentCircuits[{j}]");
        if let Some(first) = interfaces.before(&circuit.interface, &path) {
            let problem = format!("{} is {first} already", circuit.interface);
            let remedy = "an interface serves one VRF or the core: remove it from one of them";
            faults.add(format!("{path}.interface"), problem, remedy);
        }
        for (k, subnet) in circuit.addresses.iter().enumerate() {
            let place = format!("{path}.addresses[{k}]");
            gateway(*subnet, intent, &place, faults);
            if let Some((_, other, first)) =
                subnets.iter().find(|(of, other, _)| clash(*of == j, *other, *subnet))
            {
                let problem = format!("{subnet} overlaps with {other} at {first}");
                faults.add(&place, problem, "give each circuit of a VRF a subnet of its own");
            }
            subnets.push((j, *subnet, place));
        }
    }
}

/// One circuit may have several addresses of the same subnet, but each only once.
fn clash(same_circuit: bool, a: IpNet, b: IpNet) -> bool {
    let overlap = a.contains(&b.trunc()) || b.contains(&a.trunc());
    overlap && !(same_circuit && a.trunc() == b.trunc() && a.addr() != b.addr())
}

fn gateway(subnet: IpNet, intent: &Intent, place: &str, faults: &mut Faults) {
    let address = subnet.addr();
    let host = subnet.prefix_len() == subnet.max_prefix_len();
    let point_to_point = subnet.prefix_len() + 1 == subnet.max_prefix_len();
    if is_no_host(address) || address.is_loopback() {
        let remedy = "write an address of this PE in the tenant's subnet, such as 10.0.0.1/24";
        return faults.add(place, format!("{address} cannot be a gateway's address"), remedy);
    }
    // RFC 3021 and RFC 6164: the two addresses of a point-to-point subnet are both hosts.
    if !host && !point_to_point && (address == subnet.network() || is_broadcast(subnet)) {
        let problem = format!("{address} is the address of the subnet itself, or its broadcast address");
        return faults.add(place, problem, format!("write a host's address, such as {}", first_host(subnet)));
    }
    if let Some(domain) = domain_met(subnet, intent) {
        let problem =
            format!("{subnet} meets the SRv6 domain {domain}, which tenants must not reach (RFC 8754)");
        faults.add(place, problem, "take the tenant's subnet from outside of the locator block");
    }
}

/// The part of the SRv6 domain that a tenant's prefix meets.
pub(super) fn domain_met(net: IpNet, intent: &Intent) -> Option<Ipv6Net> {
    let IpNet::V6(net) = net else { return None };
    let mut domains = intent.srv6.locators.iter().filter_map(|named| domain(&named.locator));
    domains.find(|domain| domain.contains(&net.trunc()) || net.contains(domain))
}

/// IPv6 has none.
fn is_broadcast(subnet: IpNet) -> bool {
    matches!(subnet, IpNet::V4(net) if net.addr() == net.broadcast())
}

fn first_host(subnet: IpNet) -> IpNet {
    let first = match subnet.network() {
        IpAddr::V4(network) => IpAddr::from((u32::from(network) | 1).to_be_bytes()),
        IpAddr::V6(network) => IpAddr::from((u128::from(network) | 1).to_be_bytes()),
    };
    IpNet::new(first, subnet.prefix_len()).unwrap_or(subnet)
}
