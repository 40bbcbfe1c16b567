use std::net::IpAddr;

use srv6_types::Locator;

use super::{Faults, Seen, is_no_host, is_reserved_as};
use crate::intent::{Intent, NamedLocator, Router, UnderlayRoute};

const AS_REMEDY: &str = "write the number of your AS, or a private one (64512 to 65534)";

pub(super) fn router(router: &Router, faults: &mut Faults) {
    faults.add_if(
        is_reserved_as(router.asn),
        "router.asn",
        &format!("{} is reserved and no AS's number", router.asn),
        AS_REMEDY,
    );
    faults.add_if(
        router.router_id.is_unspecified(),
        "router.routerId",
        "0.0.0.0 is no BGP identifier (RFC 6286)",
        "write a number that is this router's alone, such as its IPv4 loopback address",
    );
}

pub(super) fn srv6(intent: &Intent, faults: &mut Faults) {
    source(intent, faults);
    let mut seen = Seen::new();
    for (i, interface) in intent.srv6.core_interfaces.iter().enumerate() {
        let path = format!("srv6.coreInterfaces[{i}]");
        if let Some(first) = seen.before(interface, &path) {
            faults.add(path, format!("{interface} stands at {first} already"), "remove one of the two");
        }
    }
    let mut names = Seen::new();
    for (i, named) in intent.srv6.locators.iter().enumerate() {
        let path = format!("srv6.locators[{i}]");
        if let Some(first) = names.before(&named.name, &path) {
            let problem = format!("the name {} is that of {first} already", named.name);
            faults.add(format!("{path}.name"), problem, "give each locator its own name");
        }
        locator(named, &path, faults);
        overlap(named, &intent.srv6.locators[..i], &path, faults);
    }
}

/// A node without VRFs and locators (a customer edge, a route reflector) sends no outer headers.
fn source(intent: &Intent, faults: &mut Faults) {
    let source = intent.srv6.source;
    let needed = !intent.vrfs.is_empty() || !intent.srv6.locators.is_empty();
    let unusable = is_no_host(source.into()) || source.is_loopback() || source.is_unicast_link_local();
    if unusable && (needed || !source.is_unspecified()) {
        let remedy = "write a global IPv6 address of this node, such as that of its loopback interface";
        return faults.add("srv6.source", format!("{source} cannot be the source of outer headers"), remedy);
    }
    if let Some(locator) = own_locator(intent, source.into()) {
        let remedy = "take an address outside of the locators";
        faults.add("srv6.source", format!("{source} lies in {locator}, {ONLY_SIDS}"), remedy);
    }
}

/// What no address of a host may be in: the dataplane drops what is sent there to no SID.
pub(super) const ONLY_SIDS: &str = "where packets reach SIDs only";

/// The locator of ours that holds `address`.
pub(super) fn own_locator(intent: &Intent, address: IpAddr) -> Option<Locator> {
    let IpAddr::V6(address) = address else { return None };
    intent.srv6.locators.iter().map(|named| named.locator).find(|locator| locator.contains(address.into()))
}

fn locator(named: &NamedLocator, path: &str, faults: &mut Faults) {
    faults.add_if(
        named.name.is_empty(),
        format!("{path}.name"),
        "the name is empty",
        "give the locator a name",
    );
    faults.add_if(
        named.locator.max_function() == 0,
        format!("{path}.functionLength"),
        "the locator has no function bits, so no SID can be made of it",
        "write functionLength: 16",
    );
    faults.add_if(
        named.locator.prefix_len() == 0,
        format!("{path}.prefix"),
        "the locator covers every address",
        "write the prefix that leads to this node, such as fc00:0:1::/48",
    );
}

fn overlap(named: &NamedLocator, others: &[NamedLocator], path: &str, faults: &mut Faults) {
    let locator = &named.locator;
    let meets = |other: &&NamedLocator| {
        other.locator.contains(locator.prefix()) || locator.contains(other.locator.prefix())
    };
    if let Some(other) = others.iter().find(meets) {
        let problem = format!("{locator} overlaps with {} of locator {}", other.locator, other.name);
        faults.add(format!("{path}.prefix"), problem, "give each locator a prefix of its own");
    }
}

pub(super) fn underlay(intent: &Intent, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (i, route) in intent.underlay_routes.iter().enumerate() {
        let path = format!("underlayRoutes[{i}]");
        if let Some(first) = seen.before(route.prefix.trunc(), &path) {
            let problem = format!("{} stands at {first} already", route.prefix);
            faults.add(format!("{path}.prefix"), problem, "remove one of the two");
        }
        underlay_next_hop(route, &path, faults);
    }
}

fn underlay_next_hop(route: &UnderlayRoute, path: &str, faults: &mut Faults) {
    let via = route.via;
    faults.add_if(
        is_no_host(via),
        format!("{path}.via"),
        &format!("{via} is no host's address"),
        "write the address of the next router",
    );
    faults.add_if(
        route.prefix.addr().is_ipv6() && via.is_ipv4(),
        format!("{path}.via"),
        "an IPv6 route cannot have an IPv4 next hop",
        "write an IPv6 address",
    );
    let link_local = matches!(via, IpAddr::V6(via) if via.is_unicast_link_local());
    faults.add_if(
        link_local && route.interface.is_none(),
        format!("{path}.interface"),
        "a link-local next hop says nothing without its interface",
        "name the interface",
    );
}
