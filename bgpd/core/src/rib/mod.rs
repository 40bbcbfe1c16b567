//! Adj-RIB-In, Loc-RIB and Adj-RIB-Out, the decision process, reflection, VPN import and export.
//!
//! The seam between the session side and the tables. Inputs are method calls; nothing is sent until
//! [`Rib::flush`], which hands out what has changed since the last one, packed per group of alike peers.

mod advertise;
mod attributes;
mod decision;
mod export;
mod flush;
mod groups;
mod import;
mod key;
mod next_hops;
mod originate;
mod path;
mod peers;
mod receive;
mod route;
mod table;
#[cfg(test)]
mod tests;
mod view;

use std::net::{IpAddr, Ipv4Addr};

use attributes::AttributeSets;
pub use attributes::DEFAULT_LOCAL_PREF;
use bgp_wire::nlri::{Prefix4, Prefix6};
pub use decision::Step;
use export::Speaker;
use flush::Refresh;
use groups::Groups;
use import::Imports;
use key::{Unicast, Vpn};
pub use next_hops::Reachability;
use originate::Origins;
use peers::Peer;
pub use route::{
    LocalRoute, LocalSid, NextHopUse, PeerCounts, PeerSession, RibOutput, RouteView, UnicastPath,
    UnicastRoute, UpdateOutcome, UpdateVerdict, VpnPath, VrfRoute,
};
use rustc_hash::{FxHashMap, FxHashSet};
use table::{RibTable, Table};

use crate::config::PeerId;

/// The tables of one speaker.
#[derive(Debug)]
pub struct Rib {
    speaker: Speaker,
    sets: AttributeSets,
    /// By [`bgp_wire::Family`], in the order of `Family::ALL`.
    tables: [Box<dyn RibTable>; 4],
    peers: FxHashMap<PeerId, Peer>,
    groups: Groups,
    refreshes: Vec<Refresh>,
    imports: Imports,
    origins: Origins,
    deferred: bool,
    budget: Budget,
}

/// How much one [`Rib::flush`] does.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// Destinations selected and told of.
    changes: usize,
    /// Destinations looked at per dump.
    dump: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { changes: 16_384, dump: 16_384 }
    }
}

impl Rib {
    /// Empty tables of AS `asn`; `cluster_id` is the router id where the operator set none (RFC 4456 section 7).
    pub fn new(asn: u32, router_id: Ipv4Addr, cluster_id: Ipv4Addr) -> Self {
        let speaker = Speaker { asn, router_id, cluster_id };
        Self {
            speaker,
            sets: AttributeSets::default(),
            tables: [
                Box::<Table<Unicast<Prefix4>>>::default(),
                Box::<Table<Unicast<Prefix6>>>::default(),
                Box::<Table<Vpn<Prefix4>>>::default(),
                Box::<Table<Vpn<Prefix6>>>::default(),
            ],
            peers: FxHashMap::default(),
            groups: Groups::default(),
            refreshes: Vec::new(),
            imports: Imports::default(),
            origins: Origins::new(&speaker),
            deferred: false,
            budget: Budget::default(),
        }
    }

    /// RFC 4724 section 4.1: while deferred, nothing is selected, told or advertised.
    pub fn defer(&mut self, deferred: bool) {
        self.deferred = deferred;
    }

    /// Whether [`RibOutput::NextHops`] tells of the addresses that routes lead to. Without, all are reachable.
    pub fn track_next_hops(&mut self, tracking: bool) {
        let forgotten = self.sets.next_hops.track(tracking);
        self.reconsider(&forgotten);
    }

    /// What the underlay says of addresses in use; until then each is reachable at cost 0. The tables are walked once,
    /// however many have changed.
    pub fn set_next_hops(&mut self, verdicts: impl IntoIterator<Item = (IpAddr, Reachability)>) {
        let next_hops = &mut self.sets.next_hops;
        let changed = verdicts.into_iter().filter(|(address, verdict)| next_hops.set(*address, *verdict));
        let changed = changed.map(|(address, _)| address).collect();
        self.reconsider(&changed);
    }

    fn reconsider(&mut self, next_hops: &FxHashSet<IpAddr>) {
        if next_hops.is_empty() {
            return;
        }
        let affected = self.sets.resolved_by_any(next_hops);
        for table in &mut self.tables {
            table.reconsider(&affected, &mut self.sets);
        }
    }
}
