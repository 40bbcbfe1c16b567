//! Adj-RIB-In, Loc-RIB and Adj-RIB-Out, the decision process, reflection, VPN import and export.
//!
//! The seam between the session side and the tables. Inputs are method calls; nothing is sent until
//! [`Rib::flush`], which hands out what has changed since the last one, packed per group of alike peers.

mod decision;
mod route;

use std::{collections::BTreeMap, net::Ipv4Addr};

use bgp_wire::{Family, message::Update, nlri::Prefix};
pub use decision::Step;
pub use route::{
    LocalRoute, LocalSid, PeerCounts, PeerSession, RibOutput, RouteView, UnicastPath, UnicastRoute,
    UpdateOutcome, UpdateVerdict, VpnPath, VrfRoute,
};
use srv6_types::VrfId;

use crate::config::{PeerId, VrfPolicy};

/// The tables of one speaker.
#[derive(Debug)]
pub struct Rib {}

impl Rib {
    /// Empty tables of AS `asn`; `cluster_id` is the router id where the operator set none (RFC 4456 section 7).
    pub fn new(asn: u32, router_id: Ipv4Addr, cluster_id: Ipv4Addr) -> Self {
        let _ = (asn, router_id, cluster_id);
        Self {}
    }

    /// Replaces the VRFs; only what differs is imported and originated anew.
    pub fn set_vrfs(&mut self, _vrfs: BTreeMap<VrfId, VrfPolicy>) {}

    /// A session is established: queues the whole table for it, and an End-of-RIB per family after that.
    pub fn peer_up(&mut self, _peer: PeerId, _session: PeerSession) {}

    /// A session has ended. Routes of the `retain`ed families become stale (RFC 4724 section 4.2), others go at once.
    pub fn peer_down(&mut self, _peer: PeerId, _retain: &[Family]) {}

    /// Removes what is still stale: at the peer's End-of-RIB (one family) or at the end of the time (all).
    pub fn sweep_stale(&mut self, _peer: PeerId, _family: Option<Family>) {}

    /// Takes an UPDATE in.
    pub fn update(&mut self, _peer: PeerId, update: Update) -> UpdateOutcome {
        UpdateOutcome { verdict: UpdateVerdict::Accepted, faults: Vec::new(), end_of_rib: update.end_of_rib }
    }

    /// The peer asks for everything again, RFC 2918.
    pub fn refresh(&mut self, _peer: PeerId, _family: Family) {}

    /// Originates a route, or changes one.
    pub fn announce(&mut self, _route: LocalRoute) {}

    /// Stops originating a route.
    pub fn withdraw(&mut self, _vrf: VrfId, _prefix: Prefix) {}

    /// RFC 4724 section 4.1: while deferred, nothing is selected, told or advertised.
    pub fn defer(&mut self, _deferred: bool) {}

    /// Hands out what has changed since. Bounded work: call again as long as it returns `true`.
    pub fn flush(&mut self, _out: &mut Vec<RibOutput>) -> bool {
        false
    }

    /// Counts of one peer per family, in the order of [`Family::ALL`].
    pub fn peer_counts(&self, _peer: PeerId) -> [PeerCounts; 4] {
        Default::default()
    }

    /// Every path of a family, in the order of the prefixes; of one prefix only where given.
    pub fn routes(&self, _family: Family, _prefix: Option<Prefix>) -> Vec<RouteView> {
        Vec::new()
    }
}
