//! Paths learnt from BGP and what they come to in a VRF, each held once however many routes have it.

use std::collections::{BTreeMap, BTreeSet};

use bgp_core::rib::VpnPath;
use ipnet::Ipv6Net;
use rustc_hash::FxHashMap;
use srv6_dp::model::{LocalSid, NextHop};
use srv6_types::{Behavior, Sid, VrfId};

/// End.DX4 and End.DX6 with NEXT-C-SID (uDX4, uDX6), RFC 9800.
const END_DX6_NEXT: Behavior = Behavior(0x003c);
const END_DX4_NEXT: Behavior = Behavior(0x003d);

/// Why a learnt route is not programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// MPLS, or an attribute that was discarded.
    #[error("the route carries no SRv6 service SID")]
    NoSid,
    /// What the SID does with a packet does not fit the route's family.
    #[error("behavior {0} does not deliver packets of this family")]
    Behavior(Behavior),
    /// The SID is no host's address.
    #[error("{0} cannot be a SID")]
    BadSid(Sid),
    /// In our locator, but no SID of ours.
    #[error("SID {0} lies in our own locator, but is no SID of ours")]
    NotOurs(Sid),
    /// Our own route came back.
    #[error("the route leads back into this VRF")]
    Loop,
}

/// What a path depends on, besides itself.
pub(super) struct Resolver<'a> {
    /// The VRF that imports.
    pub(super) vrf: VrfId,
    /// H.Encaps.Red or H.Encaps.
    pub(super) reduced: bool,
    pub(super) sids: &'a BTreeMap<Sid, LocalSid>,
    pub(super) locators: &'a BTreeSet<Ipv6Net>,
}

/// What a path comes to.
pub(super) type Outcome = Result<NextHop, Unusable>;

impl Resolver<'_> {
    fn resolve(&self, path: &VpnPath, ipv4: bool) -> Outcome {
        if let Some(vrf) = path.local {
            return self.leak(vrf);
        }
        let sid = path.sid.ok_or(Unusable::NoSid)?;
        if let Some(own) = self.sids.get(&sid) {
            return if delivers(own.behavior, ipv4) {
                self.leak(own.vrf)
            } else {
                Err(Unusable::Behavior(own.behavior))
            };
        }
        if !delivers(path.behavior, ipv4) {
            return Err(Unusable::Behavior(path.behavior));
        }
        let address = sid.addr();
        if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
            return Err(Unusable::BadSid(sid));
        }
        if self.locators.iter().any(|locator| locator.contains(&address)) {
            return Err(Unusable::NotOurs(sid));
        }
        Ok(NextHop::Encapsulate { segments: vec![sid], reduced: self.reduced })
    }

    /// A SID of our own needs no way through the core: look up in its VRF.
    fn leak(&self, vrf: VrfId) -> Outcome {
        if vrf == self.vrf { Err(Unusable::Loop) } else { Ok(NextHop::Vrf(vrf)) }
    }
}

/// Whether the behaviour takes inner packets of the family, RFC 9252 section 5. An opaque one is used as it stands
/// (RFC 9252 section 3.1).
fn delivers(behavior: Behavior, ipv4: bool) -> bool {
    match behavior {
        Behavior::END_DT46 | Behavior::END_DT46_NEXT | Behavior::OPAQUE => true,
        Behavior::END_DT4 | Behavior::END_DT4_NEXT | Behavior::END_DX4 | END_DX4_NEXT => ipv4,
        Behavior::END_DT6 | Behavior::END_DT6_NEXT | Behavior::END_DX6 | END_DX6_NEXT => !ipv4,
        _ => false,
    }
}

/// A path of a [`Paths`]; 4 octets stand for it in each route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathId(u32);

/// The distinct paths of a VRF.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Paths {
    ids: FxHashMap<(bool, VpnPath), PathId>,
    slots: Vec<Slot>,
    free: Vec<PathId>,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Slot {
    ipv4: bool,
    path: VpnPath,
    outcome: Outcome,
    routes: u32,
}

impl Paths {
    /// The path's id, for one more route.
    pub(super) fn acquire(&mut self, path: &VpnPath, ipv4: bool, resolver: &Resolver<'_>) -> PathId {
        let key = (ipv4, path.clone());
        if let Some(&id) = self.ids.get(&key) {
            self.slot_mut(id).routes += 1;
            return id;
        }
        let slot = Slot { ipv4, path: path.clone(), outcome: resolver.resolve(path, ipv4), routes: 1 };
        let id = match self.free.pop() {
            Some(id) => {
                *self.slot_mut(id) = slot;
                id
            }
            None => {
                self.slots.push(slot);
                PathId((self.slots.len() - 1) as u32)
            }
        };
        self.ids.insert(key, id);
        id
    }

    /// One route less has the path.
    pub(super) fn release(&mut self, id: PathId) {
        let slot = self.slot_mut(id);
        slot.routes -= 1;
        if slot.routes == 0 {
            let key = (slot.ipv4, slot.path.clone());
            self.ids.remove(&key);
            self.free.push(id);
        }
    }

    pub(super) fn path(&self, id: PathId) -> &VpnPath {
        &self.slots[id.0 as usize].path
    }

    pub(super) fn outcome(&self, id: PathId) -> &Outcome {
        &self.slots[id.0 as usize].outcome
    }

    pub(super) fn next_hop(&self, id: PathId) -> Option<&NextHop> {
        self.outcome(id).as_ref().ok()
    }

    /// The paths that come to something else under `resolver`.
    pub(super) fn differing(&self, resolver: &Resolver<'_>) -> BTreeMap<PathId, Outcome> {
        let now = self.ids.values().map(|id| {
            let slot = &self.slots[id.0 as usize];
            (*id, resolver.resolve(&slot.path, slot.ipv4))
        });
        now.filter(|(id, outcome)| self.outcome(*id) != outcome).collect()
    }

    pub(super) fn set(&mut self, outcomes: BTreeMap<PathId, Outcome>) {
        for (id, outcome) in outcomes {
            self.slot_mut(id).outcome = outcome;
        }
    }

    /// How many different ones there are, and for how many there is room.
    #[cfg(test)]
    pub(super) fn distinct(&self) -> (usize, usize) {
        (self.ids.len(), self.slots.len())
    }

    fn slot_mut(&mut self, id: PathId) -> &mut Slot {
        &mut self.slots[id.0 as usize]
    }
}
