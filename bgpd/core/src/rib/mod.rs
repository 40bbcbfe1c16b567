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
use bgp_wire::nlri::{Prefix4, Prefix6};
use decision::NextHops;
pub use decision::{Reachability, Step};
use export::Speaker;
use flush::Refresh;
use groups::Groups;
use import::Imports;
use key::{Unicast, Vpn};
use originate::Origins;
use peers::Peer;
pub use route::{
    LocalRoute, LocalSid, PeerCounts, PeerSession, RibOutput, RouteView, UnicastPath, UnicastRoute,
    UpdateOutcome, UpdateVerdict, VpnPath, VrfRoute,
};
use rustc_hash::FxHashMap;
use table::{RibTable, Table};

use crate::config::PeerId;

/// The tables of one speaker.
#[derive(Debug)]
pub struct Rib {
    speaker: Speaker,
    sets: AttributeSets,
    /// By [`bgp_wire::Family`], in the order of `Family::ALL`.
    tables: [Box<dyn RibTable>; 4],
    next_hops: NextHops,
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
            next_hops: NextHops::default(),
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

    /// What the underlay says of a next hop; `None`: nothing, which is reachable at cost 0.
    pub fn set_next_hop(&mut self, next_hop: IpAddr, reachability: Option<Reachability>) {
        let before = match reachability {
            Some(reachability) => self.next_hops.insert(next_hop, reachability),
            None => self.next_hops.remove(&next_hop),
        };
        if before == reachability || !self.sets.lead_via(next_hop) {
            return;
        }
        for table in &mut self.tables {
            table.reconsider(next_hop, &mut self.sets);
        }
    }
}
