//! The table of next hops: one slot for each distinct next hop, shared by all its routes.
//!
//! A slot is written before the first route names it. When the last route has left it, a packet that has read
//! its index may still be on the way: it is written anew only after those have passed, or a packet of one tenant
//! could go where another tenant's route leads.

use std::collections::HashMap;

use aya::maps::{Array, MapData};
use srv6_types::maps::NextHopEntry;

use super::{
    codec::{decode_next_hop, encode_next_hop},
    error::EbpfError,
    maps::Spec,
    ranges::{Claims, Ranges},
};
use crate::model::NextHop;

/// The slot that no route names, so that a zeroed index leads nowhere.
const RESERVED: u32 = 0;

struct Slot {
    next_hop: NextHop,
    routes: usize,
}

pub(super) struct NextHops {
    table: Array<MapData, NextHopEntry>,
    spec: Spec,
    slots: HashMap<u32, Slot>,
    by_next_hop: HashMap<NextHop, u32>,
    free: Ranges,
}

impl NextHops {
    /// Takes the table over as `in_use`, the indices of all routes, names its slots.
    pub(super) fn new(
        table: Array<MapData, NextHopEntry>,
        spec: Spec,
        in_use: impl Iterator<Item = u32>,
    ) -> Result<Self, EbpfError> {
        let mut next_hops = Self {
            table,
            spec,
            slots: HashMap::new(),
            by_next_hop: HashMap::new(),
            free: Claims::new(0).into_ranges(),
        };
        for index in in_use {
            next_hops.adopt(index)?;
        }
        let mut claims = Claims::new(spec.entries);
        claims.claim(RESERVED, 1);
        for index in next_hops.slots.keys() {
            claims.claim(*index, 1);
        }
        next_hops.free = claims.into_ranges();
        Ok(next_hops)
    }

    fn adopt(&mut self, index: u32) -> Result<(), EbpfError> {
        if let Some(slot) = self.slots.get_mut(&index) {
            slot.routes += 1;
            return Ok(());
        }
        let next_hop = self.read(index)?;
        self.by_next_hop.entry(next_hop.clone()).or_insert(index);
        self.slots.insert(index, Slot { next_hop, routes: 1 });
        Ok(())
    }

    /// The next hop as the table holds it. A torn slot reads as what the programs make of it: a drop.
    pub(super) fn read(&self, index: u32) -> Result<NextHop, EbpfError> {
        if !self.can_be(index) {
            tracing::warn!(index, "a route names a next hop that cannot be");
            return Ok(NextHop::Blackhole);
        }
        let entry = self.table.get(&index, 0).map_err(|source| self.spec.error(source))?;
        Ok(decode_next_hop(&entry).unwrap_or_else(|| {
            tracing::warn!(index, kind = entry.kind, "next hop is torn");
            NextHop::Blackhole
        }))
    }

    /// The index of `next_hop` for one more route.
    pub(super) fn acquire(&mut self, next_hop: &NextHop) -> Result<u32, EbpfError> {
        if let Some(index) = self.by_next_hop.get(next_hop) {
            if let Some(slot) = self.slots.get_mut(index) {
                slot.routes += 1;
            }
            return Ok(*index);
        }
        let entry = encode_next_hop(next_hop)?;
        let index = self.free.take(1).ok_or(self.spec.full())?;
        if let Err(source) = self.table.set(index, entry, 0) {
            self.free.retire(index, 1);
            return Err(self.spec.error(source));
        }
        self.by_next_hop.insert(next_hop.clone(), index);
        self.slots.insert(index, Slot { next_hop: next_hop.clone(), routes: 1 });
        Ok(index)
    }

    /// One route less; the route's entry has to be gone or changed by now.
    pub(super) fn release(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(&index) else { return };
        slot.routes -= 1;
        if slot.routes > 0 {
            return;
        }
        if let Some(slot) = self.slots.remove(&index) {
            if self.by_next_hop.get(&slot.next_hop) == Some(&index) {
                self.by_next_hop.remove(&slot.next_hop);
            }
            if self.can_be(index) {
                self.free.retire(index, 1);
            }
        }
    }

    fn can_be(&self, index: u32) -> bool {
        index != RESERVED && index < self.spec.entries
    }

    /// How many slots are in use.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}
