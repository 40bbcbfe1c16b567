use ipnet::Ipv6Net;

use super::{Fault, Space, locator_of, overlap};
use crate::{render::Reason, world::LocatorPool};

/// Another pool, as far as this one has to mind it: two nodes never share a locator, whichever pools they are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controller) struct Neighbor {
    pub(super) name: String,
    /// Its locators; `None` where they cannot be told.
    space: Option<Space>,
    /// It was there before: what lies in its prefix is its own.
    goes_before: bool,
    /// What its nodes have, and what they are given by hand where it goes before.
    locators: Vec<Ipv6Net>,
}

impl Neighbor {
    pub(super) fn has(&self, locator: Ipv6Net) -> bool {
        let inside = self.goes_before && self.space.is_some_and(|space| space.covers(locator));
        inside || self.locators.iter().any(|other| overlap(*other, locator))
    }

    /// A pool inside of an older one gives nothing.
    pub(super) fn forbids(&self, space: &Space) -> Option<Fault> {
        let overlaps = self.goes_before && self.space.is_some_and(|other| other.overlaps(space));
        overlaps.then(|| Fault {
            reason: Reason::Conflict,
            message: format!(
                "spec.prefix: overlaps with LocatorPool {}, so that nodes would share locators; take another prefix",
                self.name
            ),
        })
    }
}

/// The pools beside `name`. Of two that overlap the one that has given locators goes before, else the first by name.
pub(in crate::controller) fn neighbors<'a>(
    name: &str,
    pools: impl Iterator<Item = (&'a str, &'a LocatorPool)> + Clone,
) -> Vec<Neighbor> {
    let rank = |name: &str, pool: &LocatorPool| (pool.allocations.is_empty(), name.to_owned());
    let own = pools.clone().find(|(other, _)| *other == name).map(|(_, pool)| rank(name, pool));
    let others = pools.filter(|(other, _)| *other != name);
    let neighbor = |(name, pool): (&str, &LocatorPool)| {
        let goes_before = own.as_ref().is_some_and(|own| rank(name, pool) < *own);
        let given =
            pool.spec.nodes.iter().filter(|_| goes_before).filter_map(|given| given.locator.parse().ok());
        Neighbor {
            name: name.to_owned(),
            space: Space::of(&pool.spec).ok(),
            goes_before,
            locators: pool.allocations.iter().filter_map(locator_of).chain(given).collect(),
        }
    };
    others.map(neighbor).collect()
}
