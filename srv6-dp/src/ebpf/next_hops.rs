//! The table of next hops: one slot for each distinct next hop, shared by all its routes.
//!
//! A slot is written before the first route names it. When the last route has left it, a packet that has read
//! its index may still be on the way: it is written anew only after those have passed, or a packet of one tenant
//! could go where another tenant's route leads.

use std::collections::{HashMap, VecDeque};

use aya::maps::{Array, MapData};
use srv6_types::maps::NextHopEntry;

use super::{
    codec::{decode_next_hop, encode_next_hop},
    error::EbpfError,
    maps::Spec,
    sys,
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
    /// No packet can hold the index of these.
    free: VecDeque<u32>,
    /// Packets may.
    retired: Vec<u32>,
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
            free: VecDeque::new(),
            retired: Vec::new(),
        };
        for index in in_use {
            next_hops.adopt(index)?;
        }
        // A process before this one may have freed them just now.
        next_hops.retired =
            (RESERVED + 1..spec.entries).filter(|index| !next_hops.slots.contains_key(index)).rev().collect();
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
        if index == RESERVED || index >= self.spec.entries {
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
        let index = self.free_slot()?;
        if let Err(source) = self.table.set(index, entry, 0) {
            self.free.push_front(index);
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
            self.retired.push(index);
        }
    }

    fn free_slot(&mut self) -> Result<u32, EbpfError> {
        if self.free.is_empty() && !self.retired.is_empty() {
            let_packets_pass();
            self.free.extend(self.retired.drain(..).rev());
        }
        let Spec { name, entries, setting, .. } = self.spec;
        self.free.pop_front().ok_or(EbpfError::Full { map: name, size: entries, setting })
    }

    /// How many slots are in use.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// Returns when every packet that was on its way through a program has left it.
pub(super) fn let_packets_pass() {
    if let Err(error) = sys::wait_for_readers() {
        // Where membarrier(2) is not to be had (nohz_full, seccomp): no packet stays in a program for so long.
        tracing::debug!(%error, "no membarrier");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
