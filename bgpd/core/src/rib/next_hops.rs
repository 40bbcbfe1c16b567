//! Next-hop tracking: the addresses that routes lead to, for the speaker's owner to look up in the underlay, and what
//! it has found there. One entry per address, however many routes and attribute sets share it.

use std::net::IpAddr;

use bgp_wire::{
    attribute::{PrefixSid, SidInformation},
    message::NextHop,
};
use rustc_hash::{FxHashMap, FxHashSet};
use srv6_types::Sid;

use super::NextHopUse;

/// Addresses watched at most: each is looked up anew with every change of the underlay. Those beyond count as reachable.
const MAX_WATCHED: usize = 4096;

/// What is known of the way to a next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reachability {
    /// There is none.
    Unreachable,
    /// The interior cost to it.
    Cost(u32),
}

impl Reachability {
    /// What holds until something else is told: routes must not wait for the first look-up.
    pub(crate) const UNKNOWN: Self = Self::Cost(0);
}

/// The next hops of all sets.
#[derive(Debug, Default)]
pub(crate) struct NextHops {
    tracking: bool,
    used: FxHashMap<IpAddr, Use>,
    watched: usize,
    /// Those that are not [`Reachability::UNKNOWN`].
    verdicts: FxHashMap<IpAddr, Reachability>,
    /// To be told of, or not to be told of any more.
    moved: FxHashSet<IpAddr>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    sets: u32,
    /// Told to the owner.
    watched: bool,
}

impl NextHops {
    /// One more set leads there.
    pub(crate) fn acquire(&mut self, address: IpAddr) {
        let held = self.used.entry(address).or_default();
        held.sets += 1;
        if held.sets == 1 {
            self.moved.insert(address);
        }
    }

    /// One set less does.
    pub(crate) fn release(&mut self, address: IpAddr) {
        let Some(held) = self.used.get_mut(&address) else { return };
        held.sets -= 1;
        if held.sets == 0 {
            self.moved.insert(address);
        }
    }

    /// Takes a verdict; `false` where it changes nothing.
    pub(crate) fn set(&mut self, address: IpAddr, reachability: Reachability) -> bool {
        if !self.used.contains_key(&address) {
            return false;
        }
        let before = match reachability {
            Reachability::UNKNOWN => self.verdicts.remove(&address),
            other => self.verdicts.insert(address, other),
        };
        before.unwrap_or(Reachability::UNKNOWN) != reachability
    }

    /// Starts or stops watching; returns the addresses whose verdict goes with it.
    pub(crate) fn track(&mut self, tracking: bool) -> FxHashSet<IpAddr> {
        if tracking == self.tracking {
            return FxHashSet::default();
        }
        self.tracking = tracking;
        self.moved.extend(self.used.keys());
        if tracking {
            FxHashSet::default()
        } else {
            self.verdicts.drain().map(|(address, _)| address).collect()
        }
    }

    /// What the owner is to be told now.
    pub(crate) fn moved(&mut self) -> Vec<NextHopUse> {
        let mut moved: Vec<_> = self.moved.drain().collect();
        moved.sort_unstable();
        moved.into_iter().filter_map(|address| self.settle(address)).collect()
    }

    fn settle(&mut self, address: IpAddr) -> Option<NextHopUse> {
        let held = self.used.get_mut(&address)?;
        let was_watched = held.watched;
        held.watched = held.sets > 0 && self.tracking && (was_watched || self.watched < MAX_WATCHED);
        let used = held.watched;
        if held.sets == 0 {
            self.used.remove(&address);
            self.verdicts.remove(&address);
        }
        if used == was_watched {
            return None;
        }
        self.watched = if used { self.watched + 1 } else { self.watched - 1 };
        Some(NextHopUse { address, used })
    }

    pub(crate) fn reachability(&self, address: Option<IpAddr>) -> Reachability {
        if self.verdicts.is_empty() {
            return Reachability::UNKNOWN;
        }
        address.and_then(|address| self.verdicts.get(&address)).copied().unwrap_or(Reachability::UNKNOWN)
    }
}

/// What must be resolvable before a route is used: the service SID of a VPN route (RFC 9252 section 5), else the next
/// hop (RFC 4271 section 9.1.2.1). A link-local one is on the session's own link.
pub(crate) fn resolved_by(next_hop: &NextHop, service: Option<&PrefixSid>) -> Option<IpAddr> {
    let sid =
        service.and_then(PrefixSid::l3_service).map(|information| IpAddr::V6(locator(information).addr()));
    match sid.unwrap_or(next_hop.global()) {
        IpAddr::V6(address) if address.is_unicast_link_local() => None,
        address => Some(address),
    }
}

/// The SIDs of a node are resolved by the route to their locator: one address stands for them all, and for what a
/// label adds to it.
fn locator(information: &SidInformation) -> Sid {
    let bits = match information.structure().map(|structure| structure.locator()) {
        None | Some(0) => return information.sid,
        Some(bits) => u32::from(bits),
    };
    Sid::from_bits(information.sid.bits() & u128::MAX.checked_shl(128 - bits).unwrap_or(u128::MAX))
}
