//! Setting and removing services, many at a time.

use std::{collections::BTreeMap, net::IpAddr};

use srv6_types::maps::{BackendEntry, MAGLEV_ROW, MaglevRow, MaglevTable, ServiceEntry, service_counter};

use super::{
    super::{error::EbpfError, tables::zero},
    At, Installed, Services, Sources,
    codec::{encode_backend, encode_id, encode_service, no_backend},
    rows_of,
};
use crate::{
    maglev::{self, Candidate},
    model::{Backend, Reach, Service, ServiceId},
};

/// Services that are prepared together: bounds the memory that their tables take meanwhile.
const TOGETHER: usize = 1024;

/// No table names this backend.
const NO_TABLE: MaglevTable = MaglevTable { row: 0, size: 0 };

/// What is to be written for one service, and what was taken for it.
struct Prepared {
    id: ServiceId,
    entry: ServiceEntry,
    slots: BTreeMap<At, u32>,
    backends: Vec<(u32, BackendEntry)>,
    rows: Vec<(u32, MaglevRow)>,
    new_slots: Vec<u32>,
    new_tables: Vec<MaglevTable>,
    new_counter: Option<u32>,
}

impl Services {
    pub(super) fn set(
        &mut self,
        wanted: &BTreeMap<ServiceId, &Service>,
        sources: &Sources,
    ) -> Result<(), EbpfError> {
        let wanted: Vec<_> = wanted.iter().collect();
        wanted.chunks(TOGETHER).try_for_each(|together| self.set_together(together, sources))
    }

    fn set_together(
        &mut self,
        wanted: &[(&ServiceId, &&Service)],
        sources: &Sources,
    ) -> Result<(), EbpfError> {
        let mut all = Vec::with_capacity(wanted.len());
        let mut result = Ok(());
        for (id, service) in wanted {
            let mut one = Prepared::new(**id);
            result = self.prepare(&mut one, service, sources);
            all.push(one);
            if result.is_err() {
                break;
            }
        }
        let (written, result) = match result {
            Ok(()) => self.write(&all),
            Err(error) => (0, Err(error)),
        };
        let not_written = all.split_off(written);
        // What failed first is what matters.
        let settled = self.settle(all);
        let given_back = self.give_back(not_written);
        result.and(settled).and(given_back)
    }

    fn prepare(&mut self, to: &mut Prepared, service: &Service, sources: &Sources) -> Result<(), EbpfError> {
        let counter = match self.installed.get(&to.id) {
            Some(old) => old.entry.counter,
            None => *to.new_counter.insert(self.take_counter()?),
        };
        for (at, backend) in &service.backends {
            let slot = self.slot(to, *at)?;
            let source = match backend.reach {
                Reach::Translated(address) => sources.get(&(to.id.vrf, address)).copied(),
                Reach::Here | Reach::Direct => None,
            };
            // The index of a counter fits, for the map is no larger.
            let entry = encode_backend(*at, backend, counter as u16, self.generations[slot as usize], source);
            to.backends.push((slot, entry));
            to.slots.insert(*at, slot);
        }
        let all = candidates(service, |_| true);
        let here = candidates(service, |backend| backend.reach == Reach::Here);
        let table = self.lay(to, &all)?;
        let table_here = if here == all { table } else { self.lay(to, &here)? };
        to.entry = encode_service(service, counter, table, table_here);
        Ok(())
    }

    fn take_counter(&mut self) -> Result<u32, EbpfError> {
        let full = self.entries.spec.full();
        let counter = self.free_counters.take(1).ok_or(full)?;
        // It must not begin with the counts of the last service that had it.
        for which in 0..service_counter::COUNT {
            let index = counter * service_counter::COUNT + which;
            zero(&mut self.counters, index).map_err(|source| self.counter_spec.error(source))?;
        }
        Ok(counter)
    }

    /// The slot of a backend: the one it has, or a new one of a new generation.
    fn slot(&mut self, to: &mut Prepared, at: At) -> Result<u32, EbpfError> {
        if let Some(slot) = self.installed.get(&to.id).and_then(|old| old.backends.get(&at)) {
            return Ok(*slot);
        }
        let slot = self.free_backends.take(1).ok_or(self.backends.spec.full())?;
        let generation = &mut self.generations[slot as usize];
        *generation = generation.wrapping_add(1);
        to.new_slots.push(slot);
        Ok(slot)
    }

    /// Takes rows for the table of these backends, whose slots are known.
    fn lay(&mut self, to: &mut Prepared, candidates: &[Candidate]) -> Result<MaglevTable, EbpfError> {
        let size = maglev::size(candidates);
        if size == 0 {
            return Ok(NO_TABLE);
        }
        let needed = rows_of(MaglevTable { row: 0, size });
        let row = self.free_rows.take(needed).ok_or(self.rows.spec.full())?;
        let table = MaglevTable { row, size };
        to.new_tables.push(table);
        to.rows.extend((row..).zip(table_rows(candidates, &to.slots)));
        Ok(table)
    }

    /// Backends and rows before the entries that lead to them. Returns how many services were written.
    fn write(&self, all: &[Prepared]) -> (usize, Result<(), EbpfError>) {
        let (slots, backends): (Vec<_>, Vec<_>) = all.iter().flat_map(|one| &one.backends).copied().unzip();
        let (rows, contents): (Vec<_>, Vec<_>) = all.iter().flat_map(|one| &one.rows).copied().unzip();
        let before = self.backends.write(&slots, &backends).and_then(|()| self.rows.write(&rows, &contents));
        if let Err((_, error)) = before {
            return (0, Err(error));
        }
        let (keys, entries): (Vec<_>, Vec<_>) = all.iter().map(|one| (encode_id(one.id), one.entry)).unzip();
        match self.entries.write(&keys, &entries) {
            Ok(()) => (all.len(), Ok(())),
            Err((done, error)) => (done, Err(error)),
        }
    }

    /// Services that were written: what they had before and have no more goes.
    fn settle(&mut self, written: Vec<Prepared>) -> Result<(), EbpfError> {
        let mut gone = Vec::new();
        for one in written {
            let new = Installed { entry: one.entry, backends: one.slots };
            let Some(old) = self.installed.insert(one.id, new) else { continue };
            self.retire_tables(&old);
            let new = &self.installed[&one.id];
            let left = old.backends.iter().filter(|(at, _)| !new.backends.contains_key(at));
            gone.extend(left.map(|(_, slot)| *slot));
        }
        self.clear_backends(&gone)
    }

    /// Services that were not written: what was taken for them is free again.
    fn give_back(&mut self, not_written: Vec<Prepared>) -> Result<(), EbpfError> {
        let mut slots = Vec::new();
        for one in not_written {
            one.new_tables.iter().for_each(|table| self.free_rows.retire(table.row, rows_of(*table)));
            one.new_counter.iter().for_each(|counter| self.free_counters.retire(*counter, 1));
            slots.extend(one.new_slots);
        }
        self.clear_backends(&slots)
    }

    pub(super) fn remove(&mut self, ids: &[ServiceId]) -> Result<(), EbpfError> {
        let mut gone = Vec::new();
        for id in ids {
            self.entries.remove(&encode_id(*id))?;
            if let Some(old) = self.installed.remove(id) {
                self.retire_tables(&old);
                self.free_counters.retire(old.entry.counter, 1);
                gone.extend(old.backends.into_values());
            }
        }
        self.clear_backends(&gone)
    }

    fn retire_tables(&mut self, Installed { entry, .. }: &Installed) {
        self.free_rows.retire(entry.all.row, rows_of(entry.all));
        if entry.here != entry.all {
            self.free_rows.retire(entry.here.row, rows_of(entry.here));
        }
    }

    /// Takes no packets more, of no flow; then the slots are free.
    pub(super) fn clear_backends(&mut self, slots: &[u32]) -> Result<(), EbpfError> {
        let dead: Vec<_> = slots.iter().map(|slot| no_backend(self.generations[*slot as usize])).collect();
        self.backends.write(slots, &dead).map_err(|(_, error)| error)?;
        slots.iter().for_each(|slot| self.free_backends.retire(*slot, 1));
        Ok(())
    }
}

impl Prepared {
    const fn new(id: ServiceId) -> Self {
        Self {
            id,
            entry: ServiceEntry {
                counter: 0,
                flags: 0,
                affinity: 0,
                reserved: 0,
                all: NO_TABLE,
                here: NO_TABLE,
            },
            slots: BTreeMap::new(),
            backends: Vec::new(),
            rows: Vec::new(),
            new_slots: Vec::new(),
            new_tables: Vec::new(),
            new_counter: None,
        }
    }
}

/// Those that take new flows, in ascending order.
pub(super) fn candidates(service: &Service, filter: impl Fn(&Backend) -> bool) -> Vec<Candidate> {
    let ready = service.backends.iter().filter(|(_, backend)| backend.weight > 0 && filter(backend));
    ready.map(|(at, backend)| Candidate { at: *at, weight: backend.weight }).collect()
}

/// The rows of a table; the end of the last is zeroes.
pub(super) fn table_rows(
    candidates: &[Candidate],
    slots: &BTreeMap<(IpAddr, u16), u32>,
) -> impl Iterator<Item = MaglevRow> {
    let slots: Vec<_> = candidates.iter().map(|candidate| slots[&candidate.at]).collect();
    let table: Vec<_> = maglev::table(candidates).into_iter().map(|position| slots[position]).collect();
    let rows: Vec<_> = table
        .chunks(MAGLEV_ROW)
        .map(|chunk| {
            let mut row = [0; MAGLEV_ROW];
            row[..chunk.len()].copy_from_slice(chunk);
            row
        })
        .collect();
    rows.into_iter()
}
