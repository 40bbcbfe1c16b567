//! What belongs to no VRF.

use ipnet::Ipv6Net;
use srv6_types::Locator;

use super::{Desired, Interfaces, Links, Problem, interfaces::Served};
use crate::intent::{Intent, UnderlayRoute};

pub(super) fn plan(intent: &Intent, links: &Links, interfaces: &Interfaces<'_>, desired: &mut Desired) {
    let node = &mut desired.dataplane.node;
    node.source = Some(intent.srv6.source).filter(|source| !source.is_unspecified());
    for named in &intent.srv6.locators {
        node.locators.extend(prefix(&named.locator, named.locator.prefix_len()));
        node.domain.extend(domain(&named.locator));
    }
    for Served { name, taken } in &interfaces.core {
        let interface = (*name).to_owned();
        match links.get(name) {
            // By another pattern of the core's.
            Some(_) if *taken => continue,
            Some(link) => drop(desired.dataplane.core.insert(link.index)),
            None => desired.problems.push(Problem::NoCoreInterface { interface: interface.clone() }),
        }
        desired.core_interfaces.push(interface);
    }
    intent.underlay_routes.iter().for_each(|route| underlay(route, links, desired));
}

/// All nodes of the SRv6 domain have their locators in the same block, so the block is what tenants must not reach
/// (RFC 8754 section 5.1). Without a block length only our own locator is known.
pub(crate) fn domain(locator: &Locator) -> Option<Ipv6Net> {
    match locator.structure().block() {
        0 => prefix(locator, locator.prefix_len()),
        block => prefix(locator, block),
    }
}

fn prefix(locator: &Locator, len: u8) -> Option<Ipv6Net> {
    Ipv6Net::new(locator.prefix().addr(), len).ok().map(|net| net.trunc())
}

fn underlay(route: &UnderlayRoute, links: &Links, desired: &mut Desired) {
    match &route.interface {
        Some(interface) if links.get(interface).is_none() => {
            desired
                .problems
                .push(Problem::NoUnderlayInterface { prefix: route.prefix, interface: interface.clone() });
        }
        _ => desired.underlay.push(route.clone()),
    }
}
