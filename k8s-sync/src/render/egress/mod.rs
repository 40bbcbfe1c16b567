//! Egress policies of a VRF: every node has those of hosts behind it, gateways have them all.
//!
//! Who is the gateway is the same on every node, for it comes of the world alone: nodes by name, those that are to be spared
//! last. A policy without a gateway stays: its traffic is dropped, and does not leave under other addresses.

mod gateways;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use srv6_types::maps::EGRESS_CHOICES;
use vrf_manager::intent;

use super::{
    Problem, Reason, Scope,
    address::is_unicast,
    names,
    parse::{ADDRESS, Reader},
};
use crate::{
    api::{EgressPolicySpec, EgressSource},
    world::{Key, ObjectRef, World, matches},
};
use gateways::Gateways;

const KIND: &str = "EgressPolicy";

/// The egress policies of a VRF that this node has to do with, in the order of their names; each with that of its object.
pub(crate) fn of_vrf<'a>(
    scope: &Scope<'a>,
    problems: &mut Vec<Problem>,
) -> Vec<(&'a str, intent::EgressPolicy)> {
    let mut owners = BTreeMap::new();
    let mut policies = Vec::new();
    for (name, spec) in specs(scope) {
        let mut reader = Reader::new(ObjectRef::cluster(KIND, name), problems);
        let policy = policy(scope, name, spec, &mut owners, &mut reader);
        // Elsewhere it would be nobody's.
        let needed = |policy: &intent::EgressPolicy| {
            policy.gateway.is_some() || !(policy.circuits.is_empty() && policy.sources.is_empty())
        };
        policies.extend(policy.filter(needed).map(|policy| (name, policy)));
    }
    policies
}

/// Policies of VRFs that there are not.
pub(crate) fn without_vrf(world: &World, problems: &mut Vec<Problem>) {
    for (name, policy) in &world.egress_policies {
        let vrf = &policy.spec.vrf;
        if !world.vrfs.contains_key(vrf) {
            let problem = format_args!("there is no Vrf {vrf}; name one that there is, or create it");
            let object = ObjectRef::cluster(KIND, name);
            Reader::new(object, problems).tell(Reason::NotFound, "spec.vrf", problem);
        }
    }
}

/// Egress addresses of the VRF, each with its first policy.
pub(super) fn addresses<'a>(scope: &Scope<'a>) -> BTreeMap<IpAddr, &'a str> {
    let mut addresses = BTreeMap::new();
    for (name, spec) in specs(scope) {
        for address in spec.egress_ips.iter().filter_map(|text| text.parse().ok()) {
            addresses.entry(address).or_insert(name);
        }
    }
    addresses
}

fn specs<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a str, &'a EgressPolicySpec)> + use<'a> {
    let name = scope.name;
    let all = scope.inputs.world.egress_policies.iter().map(|(name, policy)| (name.as_str(), &policy.spec));
    all.filter(move |(_, spec)| spec.vrf == name)
}

/// Whose an egress address is, and with which gateways.
type Owners<'a> = BTreeMap<IpAddr, (&'a str, Gateways<'a>)>;

fn policy<'a>(
    scope: &Scope<'a>,
    name: &'a str,
    spec: &'a EgressPolicySpec,
    owners: &mut Owners<'a>,
    reader: &mut Reader<'_>,
) -> Option<intent::EgressPolicy> {
    let addresses = egress_addresses(scope, spec, reader);
    let destinations = destinations(spec, &addresses, reader);
    let gateways = Gateways::of(scope, spec, reader);
    if let Some((address, other)) = taken(owners, &addresses, &gateways) {
        let problem = format_args!(
            "{address} is that of EgressPolicy {other}, with other gateways or ports; write the same in both, or take \
             another address"
        );
        reader.tell(Reason::Conflict, "spec.egressIPs", problem);
        return None;
    }
    if addresses.is_empty() || destinations.is_empty() {
        let problem =
            "nothing is left of the policy; write a destination, and an egress address of its family";
        reader.tell(Reason::Invalid, "spec", problem);
        return None;
    }
    let (sources, circuits) = sources(scope, spec, reader);
    let gateway = gateways.here(scope.inputs.node, &addresses);
    owners.extend(addresses.iter().map(|address| (*address, (name, gateways.clone()))));
    let except = reader.prefixes("spec.exceptCIDRs", &spec.except_cidrs);
    let name = names::distinct(name);
    Some(intent::EgressPolicy { name, sources, circuits, destinations, except, addresses, gateway })
}

/// An address has one range of ports and one route, however many policies share it.
fn taken<'a>(
    owners: &Owners<'a>,
    addresses: &[IpAddr],
    gateways: &Gateways<'_>,
) -> Option<(IpAddr, &'a str)> {
    let owned = addresses.iter().filter_map(|address| Some((*address, owners.get(address)?)));
    let mut others = owned.filter(|(_, (_, other))| other != gateways);
    others.next().map(|(address, (name, _))| (address, *name))
}

fn egress_addresses(scope: &Scope<'_>, spec: &EgressPolicySpec, reader: &mut Reader<'_>) -> Vec<IpAddr> {
    let mut addresses = Vec::<IpAddr>::new();
    for (k, text) in spec.egress_ips.iter().enumerate() {
        let place = format!("spec.egressIPs[{k}]");
        let Some(address) = reader.read(&ADDRESS, &place, text) else { continue };
        if let Some((reason, why)) = refusal(scope, address, &addresses) {
            reader.tell(reason, place, format_args!("{address} {why}"));
        } else if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

fn refusal(scope: &Scope<'_>, address: IpAddr, before: &[IpAddr]) -> Option<(Reason, String)> {
    if !is_unicast(address) {
        let why = "cannot be an egress address; write a unicast address that the tenant routes";
        return Some((Reason::Invalid, why.to_owned()));
    }
    if let Some((key, _)) = scope.pods.iter().find(|(_, pod)| pod.addresses.contains(&address)) {
        return Some((Reason::Conflict, format!("is that of pod {key}; write one that nobody has")));
    }
    if scope.circuits.iter().any(|circuit| circuit.gateways.contains(&address)) {
        return Some((
            Reason::Conflict,
            "is the gateway address of pods; write one that nobody has".to_owned(),
        ));
    }
    let of_family = before.iter().filter(|other| other.is_ipv4() == address.is_ipv4()).count();
    let why = || format!("is more than {EGRESS_CHOICES} of a family; remove what is least preferred");
    (of_family >= EGRESS_CHOICES && !before.contains(&address)).then(|| (Reason::LimitExceeded, why()))
}

fn destinations(spec: &EgressPolicySpec, addresses: &[IpAddr], reader: &mut Reader<'_>) -> Vec<IpNet> {
    let mut destinations = reader.prefixes("spec.destinationCIDRs", &spec.destination_cidrs);
    destinations.retain(|net| {
        let served = addresses.iter().any(|address| address.is_ipv4() == net.addr().is_ipv4());
        if !served {
            let problem = format_args!(
                "no egress address is of the family of {net}; add one to spec.egressIPs, or remove it"
            );
            reader.tell(Reason::Invalid, "spec.destinationCIDRs", problem);
        }
        served
    });
    destinations
}

/// Hosts by address, and circuits here of pods that a source takes.
fn sources(scope: &Scope<'_>, spec: &EgressPolicySpec, reader: &mut Reader<'_>) -> (Vec<IpNet>, Vec<String>) {
    if spec.sources.is_empty() {
        let problem = "the policy is for no host; write {} for all pods of the VRF";
        reader.tell(Reason::Invalid, "spec.sources", problem);
    }
    let mut nets = Vec::new();
    for (k, source) in spec.sources.iter().enumerate() {
        nets.extend(reader.prefixes(&format!("spec.sources[{k}].cidrs"), &source.cidrs));
    }
    nets.sort_unstable();
    nets.dedup();
    let taken = scope.circuits.iter().filter(|circuit| {
        let key = Key::new(&circuit.pod.namespace, &circuit.pod.name);
        spec.sources.iter().any(|source| takes(source, scope, &key))
    });
    (nets, taken.map(|circuit| circuit.host_interface.clone()).collect())
}

/// Whether a source takes a pod. One that has addresses only takes none.
fn takes(source: &EgressSource, scope: &Scope<'_>, key: &Key) -> bool {
    let selectors = (&source.namespace_selector, &source.pod_selector);
    if matches!(selectors, (None, None)) && !source.cidrs.is_empty() {
        return false;
    }
    let labels = scope.pods.get(key).map(|pod| &pod.labels);
    let of_namespace = scope.inputs.world.namespaces.get(&key.namespace).map(|namespace| &namespace.labels);
    let (Some(labels), Some(of_namespace)) = (labels, of_namespace) else { return false };
    let (namespaces, pods) = selectors;
    namespaces.as_ref().is_none_or(|selector| matches(selector, of_namespace))
        && pods.as_ref().is_none_or(|selector| matches(selector, labels))
}
