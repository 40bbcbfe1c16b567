//! Services: their backends, their Maglev tables and their counters.
//!
//! A service is changed in one step, its entry: new backends and the rows of new tables are there before, old ones go
//! after. A backend keeps its slot, and the slot its generation, as long as the service has it: by these two flows know
//! it. Draining (weight 0), it is in no table and takes the flows that it has.

mod codec;
mod read;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aya::{
    Ebpf,
    maps::{MapData, PerCpuArray},
};
use srv6_types::{
    VrfId,
    maps::{BackendEntry, MAGLEV_ROW, MaglevRow, MaglevTable, ServiceEntry, ServiceKey, Tally, backend_flag},
};

use super::{
    EbpfDataplane,
    bulk::Bulk,
    codec::address,
    error::EbpfError,
    maps::{Sizes, Spec, take},
    pins::Pins,
    ranges::{Claims, Ranges},
};
use crate::model::{Change, Reach, Service, ServiceId};

/// Address and port of a backend.
type At = (IpAddr, u16);

/// Index of each egress address that a backend is reached by.
type Sources = BTreeMap<(VrfId, IpAddr), u32>;

pub(super) struct Services {
    entries: Bulk<ServiceKey, ServiceEntry>,
    backends: Bulk<u32, BackendEntry>,
    rows: Bulk<u32, MaglevRow>,
    pub(super) counters: PerCpuArray<MapData, Tally>,
    counter_spec: Spec,
    pub(super) installed: BTreeMap<ServiceId, Installed>,
    free_backends: Ranges,
    free_rows: Ranges,
    free_counters: Ranges,
    /// By slot, of the backend that has it or had it last.
    generations: Vec<u32>,
}

/// A service as it stands in the maps.
pub(super) struct Installed {
    pub(super) entry: ServiceEntry,
    /// Slots.
    backends: BTreeMap<At, u32>,
}

impl Services {
    pub(super) fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
    ) -> Result<Self, EbpfError> {
        let [entries, backends, rows, counter_spec] = sizes.service_specs();
        let open = |spec: Spec| {
            MapData::from_pin(pins.map(generation, spec.name)).map_err(|source| spec.error(source))
        };
        let mut services = Self {
            entries: Bulk::new(open(entries)?, entries),
            backends: Bulk::new(open(backends)?, backends),
            rows: Bulk::new(open(rows)?, rows),
            counters: take(ebpf, counter_spec.name)?,
            counter_spec,
            installed: BTreeMap::new(),
            free_backends: Claims::new(0).into_ranges(),
            free_rows: Claims::new(0).into_ranges(),
            free_counters: Claims::new(0).into_ranges(),
            generations: Vec::new(),
        };
        services.adopt()?;
        Ok(services)
    }

    /// How long the service keeps its clients.
    pub(super) fn affinity(&self, service: Option<ServiceId>) -> Option<Duration> {
        codec::affinity(&self.installed.get(&service?)?.entry)
    }

    /// The backend in a slot, unless that is another's by now.
    pub(super) fn backend(&self, slot: u32, generation: u32) -> Result<Option<SocketAddr>, EbpfError> {
        let entry = self
            .backends
            .get(&slot)?
            .filter(|entry| entry.flags & backend_flag::LIVE != 0 && entry.generation == generation);
        Ok(entry.and_then(|entry| {
            let address = address(entry.family.into(), entry.address)?;
            Some(SocketAddr::new(address, u16::from_be_bytes(entry.port)))
        }))
    }
}

/// Where a slot's generations begin that has had no backend: not where they began in earlier maps, whose flows may be
/// there still.
fn first_generation() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as u32 | 1
}

const fn rows_of(table: MaglevTable) -> u32 {
    table.size.div_ceil(MAGLEV_ROW as u32)
}

impl EbpfDataplane {
    /// Services that are all set, or all removed.
    pub(super) fn change_services(&mut self, changes: &[Change]) -> Result<(), EbpfError> {
        let (mut wanted, mut gone) = (BTreeMap::new(), Vec::new());
        for change in changes {
            match change {
                Change::SetService(id, service) => drop(wanted.insert(*id, service)),
                Change::RemoveService(id) => gone.push(*id),
                _ => {}
            }
        }
        let vrfs: BTreeSet<VrfId> = wanted.keys().map(|id| id.vrf).collect();
        vrfs.into_iter().try_for_each(|vrf| self.need_vrf(vrf))?;
        let sources = self.sources(&wanted)?;
        self.services.remove(&gone)?;
        self.services.set(&wanted, &sources)
    }

    fn sources(&self, wanted: &BTreeMap<ServiceId, &Service>) -> Result<Sources, EbpfError> {
        let mut sources = Sources::new();
        for (ServiceId { vrf, .. }, service) in wanted {
            for backend in service.backends.values() {
                if let Reach::Translated(address) = backend.reach
                    && !sources.contains_key(&(*vrf, address))
                {
                    sources.insert((*vrf, address), self.egress_index(*vrf, address)?);
                }
            }
        }
        Ok(sources)
    }

    /// As the maps have them.
    pub(super) fn services(&self) -> Result<BTreeMap<ServiceId, Service>, EbpfError> {
        self.services.observe(|index| self.egress_address(index))
    }
}
