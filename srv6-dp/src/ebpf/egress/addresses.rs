//! The egress addresses: a slot for each, which SIDs and backends name by its index.
//!
//! A slot is written before its index can be found. When the address has gone, a packet that has read the index may still
//! be on the way: the slot is cleared, and another's, only after those have passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use aya::{
    Ebpf,
    maps::{Array, HashMap, MapData, MapError, PerCpuArray},
};
use srv6_types::{
    VrfId,
    maps::{EgressEntry, HostKey, Tally, egress_counter},
};

use super::{
    super::{
        batch::absent_is_fine,
        codec::{decode_host_key, host_key},
        counters::sum,
        error::EbpfError,
        maps::{Sizes, take},
        ranges::let_packets_pass,
        tables::zero,
    },
    codec,
};
use crate::model::{EgressAddress, EgressCounters};

type Key = (VrfId, IpAddr);

pub(super) struct Addresses {
    index: HashMap<MapData, HostKey, u32>,
    slots: Array<MapData, EgressEntry>,
    counters: PerCpuArray<MapData, Tally>,
    sizes: Sizes,
    /// Slots that no address has.
    free: BTreeSet<u32>,
}

impl Addresses {
    pub(super) fn take(ebpf: &mut Ebpf, sizes: &Sizes) -> Result<Self, EbpfError> {
        let mut addresses = Self {
            index: take(ebpf, "EGRESS_INDEX")?,
            slots: take(ebpf, "EGRESS")?,
            counters: take(ebpf, "EGRESS_COUNTERS")?,
            sizes: *sizes,
            free: (0..sizes.egress).collect(),
        };
        for (_, slot) in addresses.indices()? {
            addresses.free.remove(&slot);
        }
        addresses.clear_free()?;
        Ok(addresses)
    }

    /// A process that died may have left a slot without its index. Its packets are gone by now.
    fn clear_free(&mut self) -> Result<(), EbpfError> {
        let error = self.sizes.error("EGRESS");
        for slot in &self.free {
            if self.slots.get(slot, 0).map_err(&error)? != codec::NO_ADDRESS {
                self.slots.set(*slot, codec::NO_ADDRESS, 0).map_err(&error)?;
            }
        }
        Ok(())
    }

    pub(super) fn set(&mut self, key: Key, ports: &EgressAddress) -> Result<(), EbpfError> {
        let entry = codec::encode_address(key, ports)?;
        let error = self.sizes.error("EGRESS");
        if let Some(slot) = self.find(key)? {
            return self.slots.set(slot, entry, 0).map_err(error);
        }
        let full = || error(MapError::OutOfBounds { index: 0, max_entries: 0 });
        let slot = self.free.first().copied().ok_or_else(full)?;
        self.clear_counters(slot)?;
        self.slots.set(slot, entry, 0).map_err(error)?;
        let error = self.sizes.error("EGRESS_INDEX");
        self.index.insert(host_key(key), slot, 0).map_err(error)?;
        self.free.remove(&slot);
        Ok(())
    }

    /// A slot is used again for another address: it must not begin with the counts of the last one.
    fn clear_counters(&mut self, slot: u32) -> Result<(), EbpfError> {
        let error = self.sizes.error("EGRESS_COUNTERS");
        (0..egress_counter::COUNT).try_for_each(|which| {
            zero(&mut self.counters, slot * egress_counter::COUNT + which).map_err(&error)
        })
    }

    pub(super) fn remove(&mut self, key: Key) -> Result<(), EbpfError> {
        let Some(slot) = self.find(key)? else { return Ok(()) };
        let error = self.sizes.error("EGRESS_INDEX");
        absent_is_fine(self.index.remove(&host_key(key))).map_err(error)?;
        let_packets_pass();
        let error = self.sizes.error("EGRESS");
        self.slots.set(slot, codec::NO_ADDRESS, 0).map_err(error)?;
        self.free.insert(slot);
        Ok(())
    }

    /// The slot of an address, if it is one of ours.
    pub(super) fn find(&self, key: Key) -> Result<Option<u32>, EbpfError> {
        match self.index.get(&host_key(key), 0) {
            Ok(slot) => Ok(Some(slot)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(source) => Err(self.sizes.error("EGRESS_INDEX")(source)),
        }
    }

    /// The address in a slot; `None` where there is none.
    pub(super) fn at(&self, slot: u32) -> Result<Option<IpAddr>, EbpfError> {
        if slot >= self.sizes.egress {
            return Ok(None);
        }
        let entry = self.slots.get(&slot, 0).map_err(self.sizes.error("EGRESS"))?;
        Ok(super::super::codec::address(entry.family, entry.address))
    }

    /// Every address with its slot.
    fn indices(&self) -> Result<BTreeMap<Key, u32>, EbpfError> {
        let mut indices = BTreeMap::new();
        for entry in self.index.iter() {
            let (key, slot) = entry.map_err(self.sizes.error("EGRESS_INDEX"))?;
            if let Some(key) = decode_host_key(&key) {
                indices.insert(key, slot);
            }
        }
        Ok(indices)
    }

    pub(super) fn observe(&self) -> Result<BTreeMap<Key, EgressAddress>, EbpfError> {
        let error = self.sizes.error("EGRESS");
        let entries = self.indices()?.into_iter().map(|(key, slot)| {
            let entry = self.slots.get(&slot, 0).map_err(&error)?;
            Ok((key, codec::decode_ports(&entry)))
        });
        entries.collect()
    }

    pub(super) fn counters(&self) -> Result<BTreeMap<Key, EgressCounters>, EbpfError> {
        let error = self.sizes.error("EGRESS_COUNTERS");
        let entries = self.indices()?.into_iter().map(|(key, slot)| {
            let of = |which| sum(&self.counters, slot * egress_counter::COUNT + which).map_err(&error);
            let counters = EgressCounters {
                outbound: of(egress_counter::OUTBOUND)?,
                inbound: of(egress_counter::INBOUND)?,
                mappings: of(egress_counter::MAPPINGS)?.packets,
                exhausted: of(egress_counter::EXHAUSTED)?.packets,
            };
            Ok((key, counters))
        });
        entries.collect()
    }
}
