//! Services as the maps have them.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use srv6_types::maps::{BackendEntry, MaglevTable, ServiceEntry};

use super::{
    super::{error::EbpfError, ranges::Claims},
    At, Installed, Services,
    codec::{decode_at, decode_backend, decode_id, decode_service},
    first_generation, rows_of,
    write::{candidates, table_rows},
};
use crate::{
    maglev::Candidate,
    model::{Reach, Service, ServiceId},
};

/// A service with the backends whose entries name it.
struct Found {
    id: ServiceId,
    entry: ServiceEntry,
    backends: BTreeMap<At, (u32, BackendEntry)>,
}

impl Services {
    /// Takes over what the maps hold.
    pub(super) fn adopt(&mut self) -> Result<(), EbpfError> {
        let backends = self.backends.read().collect::<Result<Vec<_>, _>>()?;
        let first = first_generation();
        self.generations = vec![first; self.backends.spec.entries as usize];
        for (slot, entry) in backends.iter().filter(|(_, entry)| entry.generation != 0) {
            self.generations[*slot as usize] = entry.generation;
        }
        let mut slots = Claims::new(self.backends.spec.entries);
        let mut rows = Claims::new(self.rows.spec.entries);
        let mut counters = Claims::new(self.entries.spec.entries);
        for found in self.found(&backends)? {
            counters.claim(found.entry.counter, 1);
            for (slot, _) in found.backends.values() {
                slots.claim(*slot, 1);
            }
            self.installed.insert(found.id, installed(&found, &mut rows));
        }
        // Left by a process that died before it had written their service, or after.
        let orphans: Vec<_> = backends
            .iter()
            .filter(|(slot, entry)| decode_at(entry).is_some() && slots.claim(*slot, 1))
            .map(|(slot, _)| *slot)
            .collect();
        self.free_backends = slots.into_ranges();
        self.free_rows = rows.into_ranges();
        self.free_counters = counters.into_ranges();
        self.clear_backends(&orphans)
    }

    /// Every service with its backends; `source` finds the egress address of an index. One whose tables are not those of
    /// its backends, or are torn, has none that could be relied upon, and is to be set again.
    pub(super) fn observe(
        &self,
        source: impl Fn(u32) -> Result<Option<IpAddr>, EbpfError>,
    ) -> Result<BTreeMap<ServiceId, Service>, EbpfError> {
        let backends = self.backends.read().collect::<Result<Vec<_>, _>>()?;
        let mut services = BTreeMap::new();
        for found in self.found(&backends)? {
            let mut service = decode_service(&found.entry);
            for (at, (_, entry)) in &found.backends {
                if let Some(backend) = decode_backend(entry, &source)? {
                    service.backends.insert(*at, backend);
                }
            }
            if !self.is_whole(&found, &service)? {
                tracing::warn!(service = %found.id, "its tables are not those of its backends");
                service.backends.clear();
            }
            services.insert(found.id, service);
        }
        Ok(services)
    }

    fn found(&self, backends: &[(u32, BackendEntry)]) -> Result<Vec<Found>, EbpfError> {
        let mut by_service: HashMap<u32, BTreeMap<_, _>> = HashMap::new();
        for (slot, entry) in backends {
            if let Some(at) = decode_at(entry) {
                by_service.entry(entry.service.into()).or_default().insert(at, (*slot, *entry));
            }
        }
        let mut found = Vec::new();
        for entry in self.entries.read() {
            let (key, entry) = entry?;
            if let Some(id) = decode_id(&key) {
                let backends = by_service.remove(&entry.counter).unwrap_or_default();
                found.push(Found { id, entry, backends });
            }
        }
        Ok(found)
    }

    fn is_whole(&self, found: &Found, service: &Service) -> Result<bool, EbpfError> {
        if service.backends.len() != found.backends.len() {
            return Ok(false);
        }
        let slots: BTreeMap<_, _> = found.backends.iter().map(|(at, (slot, _))| (*at, *slot)).collect();
        let all = candidates(service, |_| true);
        let here = candidates(service, |backend| backend.reach == Reach::Here);
        Ok(self.is_table_of(found.entry.all, &all, &slots)?
            && (found.entry.here == found.entry.all && here == all
                || self.is_table_of(found.entry.here, &here, &slots)?))
    }

    fn is_table_of(
        &self,
        table: MaglevTable,
        candidates: &[Candidate],
        slots: &BTreeMap<At, u32>,
    ) -> Result<bool, EbpfError> {
        if table.size != crate::maglev::size(candidates) {
            return Ok(false);
        }
        for (row, wanted) in (table.row..).zip(table_rows(candidates, slots)) {
            if self.rows.get(&row)? != Some(wanted) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Torn tables are nobody's: they are not given back with the service.
fn installed(found: &Found, rows: &mut Claims) -> Installed {
    let mut entry = found.entry;
    let shared = entry.all == entry.here;
    if !rows.claim(entry.all.row, rows_of(entry.all)) {
        entry.all = MaglevTable::default();
    }
    if shared {
        entry.here = entry.all;
    } else if !rows.claim(entry.here.row, rows_of(entry.here)) {
        entry.here = MaglevTable::default();
    }
    Installed { entry, backends: found.backends.iter().map(|(at, (slot, _))| (*at, *slot)).collect() }
}
