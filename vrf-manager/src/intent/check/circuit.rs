use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv6Net};

use super::{
    Faults, Seen, is_no_host,
    own::{Own, unicast},
};
use crate::{
    intent::{Circuit, Intent, Vrf, is_pattern},
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
    let mut subnets = Subnets::default();
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
            if let Some((other, first)) = subnets.clash(j, *subnet) {
                let problem = format!("{subnet} overlaps with {other} at {first}");
                let remedy =
                    "give each circuit of a VRF a subnet of its own; /32 and /128 may be that of several";
                faults.add(&place, problem, remedy);
            }
            subnets.note(j, *subnet, place);
        }
    }
    hosts(vrf, intent, path, faults);
}

/// A host's address is nobody else's in the VRF.
fn hosts(vrf: &Vrf, intent: &Intent, path: &str, faults: &mut Faults) {
    let own = Own::of(vrf, path);
    let mut seen = Seen::new();
    for (j, circuit) in vrf.circuits.iter().enumerate() {
        let path = format!("{path}.attachmentCircuits[{j}]");
        of_one_interface(circuit, &path, faults);
        for (k, host) in circuit.hosts.iter().enumerate() {
            let place = format!("{path}.hosts[{k}]");
            unicast(*host, "a host's address", intent, &place, faults);
            if let Some(first) = seen.before(*host, &place) {
                let problem = format!("{host} stands at {first} already");
                faults.add(&place, problem, "remove one: a host is on one circuit of its VRF");
            }
            if let Some(first) = own.place(*host) {
                let problem = format!("{host} is this node's own address, {first}");
                faults.add(&place, problem, "write the address of the host itself");
            }
        }
    }
}

fn of_one_interface(circuit: &Circuit, path: &str, faults: &mut Faults) {
    if !is_pattern(&circuit.interface) {
        return;
    }
    let problem = format!("{} may match several interfaces", circuit.interface);
    let remedy = "write the name of the interface that this is on, as a circuit of its own";
    faults.add_if(!circuit.hosts.is_empty(), format!("{path}.hosts"), &problem, remedy);
    faults.add_if(circuit.host_mac.is_some(), format!("{path}.hostMac"), &problem, remedy);
}

/// The subnets of a VRF's circuits. Finds what overlaps without looking at each: a VRF may have a circuit for every pod.
#[derive(Default)]
struct Subnets {
    /// By network, length and our address in it: the circuit and the place.
    seen: BTreeMap<(IpAddr, u8, IpAddr), (usize, String)>,
    lengths: BTreeSet<u8>,
}

impl Subnets {
    /// What overlaps with an address of `circuit`, and its place.
    fn clash(&self, circuit: usize, subnet: IpNet) -> Option<(IpNet, &str)> {
        let shorter = self.lengths.iter().filter(|len| **len < subnet.prefix_len());
        let around = shorter.filter_map(|len| Some(IpNet::new(subnet.addr(), *len).ok()?.trunc()));
        let around = around
            .flat_map(|net| self.between((net.addr(), net.prefix_len()), (net.addr(), net.prefix_len())));
        let inside = self.between((subnet.network(), 0), (subnet.broadcast(), u8::MAX));
        let mut clashes = around.chain(inside).filter(|(of, other, _)| clash(*of == circuit, *other, subnet));
        clashes.next().map(|(_, other, place)| (other, place))
    }

    /// Those from one network and length to another.
    fn between(&self, first: (IpAddr, u8), last: (IpAddr, u8)) -> impl Iterator<Item = (usize, IpNet, &str)> {
        const LOWEST: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        const HIGHEST: IpAddr = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));
        let seen = self.seen.range((first.0, first.1, LOWEST)..=(last.0, last.1, HIGHEST));
        seen.filter_map(|((_, len, ours), (circuit, place))| {
            Some((*circuit, IpNet::new(*ours, *len).ok()?, place.as_str()))
        })
    }

    fn note(&mut self, circuit: usize, subnet: IpNet, place: String) {
        self.lengths.insert(subnet.prefix_len());
        let key = (subnet.network(), subnet.prefix_len(), subnet.addr());
        self.seen.entry(key).or_insert((circuit, place));
    }
}

/// One circuit may have several addresses of the same subnet, but each only once; a subnet that is one address may be that of
/// several circuits.
fn clash(same_circuit: bool, a: IpNet, b: IpNet) -> bool {
    let overlap = a.contains(&b.trunc()) || b.contains(&a.trunc());
    let fine = match same_circuit {
        true => a.trunc() == b.trunc() && a.addr() != b.addr(),
        false => a == b && a.prefix_len() == a.max_prefix_len(),
    };
    overlap && !fine
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
