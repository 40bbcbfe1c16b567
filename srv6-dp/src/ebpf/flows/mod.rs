//! The flow tables of VRFs: made, found again, resized, removed.
//!
//! A table is pinned beside the maps, not among them, and so are its flows: they outlive the process, new programs, and
//! new maps of another layout, which take the same tables up while the old ones are still in force. A table goes with
//! its VRF, for a VRF id is another tenant's one day.

mod read;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    os::fd::AsRawFd,
    path::PathBuf,
};

use aya::maps::{MapData, MapError};
use srv6_types::{
    VrfId,
    maps::{FLOW_LAYOUT, FlowEntry, FlowKey},
};

use super::{
    bulk::Bulk,
    error::EbpfError,
    maps::{Sizes, Spec, flow_table},
    open::Opened,
    pins::{Pins, make_dir, names, remove},
    sys,
};
use read::{idle, lifetime};

pub(super) type FlowTable = Bulk<FlowKey, FlowEntry>;

pub(super) struct FlowTables {
    /// By VRF: written as a descriptor, read as the id of the map.
    outer: Bulk<u32, u32>,
    tables: BTreeMap<VrfId, FlowTable>,
    /// Pinned by a process whose maps do not fit: their VRFs are to be set anew, and are the same tenants'.
    inherited: BTreeSet<VrfId>,
    /// Pins of every layout.
    root: PathBuf,
    /// Pins of this one.
    dir: PathBuf,
}

impl FlowTables {
    /// Opens the array of tables; `vrfs` of an earlier process, with the sizes of their tables, have theirs again.
    pub(super) fn open(
        pins: &Pins,
        generation: &str,
        opened: &Opened,
        sizes: &Sizes,
        vrfs: &BTreeMap<VrfId, u32>,
    ) -> Result<Self, EbpfError> {
        let spec = sizes.flows_spec();
        let outer =
            MapData::from_pin(pins.map(generation, spec.name)).map_err(|source| spec.error(source))?;
        let outer = Bulk::new(outer, spec);
        let root = pins.flows();
        let layout = format!("v{FLOW_LAYOUT}-{}-{}", size_of::<FlowKey>(), size_of::<FlowEntry>());
        let dir = root.join(layout);
        if *opened == Opened::Fresh {
            remove_dir(&root)?;
        }
        make_dir(&dir)?;
        let mut tables = Self { outer, tables: BTreeMap::new(), inherited: BTreeSet::new(), root, dir };
        match opened {
            Opened::Staged { .. } => tables.inherited = tables.pinned()?,
            _ => vrfs.iter().try_for_each(|(vrf, entries)| tables.set(*vrf, *entries))?,
        }
        Ok(tables)
    }

    /// Gives the VRF a table of `entries`: the one it has, or a new one with the flows of the one it has.
    pub(super) fn set(&mut self, vrf: VrfId, entries: u32) -> Result<(), EbpfError> {
        self.inherited.remove(&vrf);
        let spec = flow_table(entries);
        let old = match self.pin(vrf).exists() {
            true => FlowTable::open(&self.pin(vrf), spec)?,
            false => None,
        };
        let table = match old {
            Some(table) if table.spec == spec => self.put_in_force(vrf, table)?,
            old => self.replace(vrf, spec, old)?,
        };
        self.tables.insert(vrf, table);
        Ok(())
    }

    fn replace(&self, vrf: VrfId, spec: Spec, old: Option<FlowTable>) -> Result<FlowTable, EbpfError> {
        let made = sys::create_lru_hash("sixedge_flows", spec.key, spec.value, spec.entries);
        let made = made.map_err(MapError::from).and_then(MapData::from_fd);
        let table = FlowTable::new(made.map_err(|source| spec.error(source))?, spec);
        let known = old.as_ref().map_or(Ok(HashSet::new()), |old| take_over(old, &table))?;
        let (path, new) = (self.pin(vrf), self.dir.join(format!("{vrf}-new")));
        remove(&new)?;
        sys::pin(table.fd(), &new).map_err(EbpfError::pin(&new))?;
        fs::rename(&new, &path).map_err(EbpfError::pin(path))?;
        let table = self.put_in_force(vrf, table)?;
        if let Some(old) = old {
            take_late(&old, &table, &known)?;
        }
        Ok(table)
    }

    /// The kernel returns when no packet sees the table before it any more.
    fn put_in_force(&self, vrf: VrfId, table: FlowTable) -> Result<FlowTable, EbpfError> {
        if self.outer.get(&vrf.0)? != Some(table.id()?) {
            // Descriptors are small and not negative.
            self.outer.set(&vrf.0, &(table.fd().as_raw_fd() as u32))?;
        }
        Ok(table)
    }

    /// Takes the table of a VRF away, with all flows. The pin first: should this process die in between, the next one
    /// makes an empty table for the VRF.
    pub(super) fn remove(&mut self, vrf: VrfId) -> Result<(), EbpfError> {
        self.inherited.remove(&vrf);
        remove(&self.pin(vrf))?;
        if self.has(vrf)? {
            self.outer.remove(&vrf.0)?;
        }
        self.tables.remove(&vrf);
        Ok(())
    }

    /// What another tenant may have left behind goes; not so what waits for the same tenant's VRF.
    pub(super) fn clear_for_new(&mut self, vrf: VrfId) -> Result<(), EbpfError> {
        if self.inherited.remove(&vrf) { Ok(()) } else { self.remove(vrf) }
    }

    /// Unpins what no VRF of the maps in force has, and every other layout.
    pub(super) fn keep_only_ours(&mut self) -> Result<(), EbpfError> {
        self.inherited.clear();
        for name in names(&self.dir)? {
            if vrf_of(&name).is_none_or(|vrf| !self.tables.contains_key(&vrf)) {
                remove(&self.dir.join(name))?;
            }
        }
        let ours = self.dir.file_name();
        let names = names(&self.root)?;
        let mut others = names.iter().filter(|name| Some(name.as_ref()) != ours);
        others.try_for_each(|name| remove_dir(&self.root.join(name)))
    }

    /// Whether the programs find a table.
    pub(super) fn has(&self, vrf: VrfId) -> Result<bool, EbpfError> {
        Ok(self.outer.get(&vrf.0)?.is_some())
    }

    fn pinned(&self) -> Result<BTreeSet<VrfId>, EbpfError> {
        Ok(names(&self.dir)?.iter().filter_map(|name| vrf_of(name)).collect())
    }

    fn pin(&self, vrf: VrfId) -> PathBuf {
        self.dir.join(vrf.to_string())
    }
}

/// Copies the flows that count for something, as many as the new table holds, those used last before others; returns
/// the keys of all that there were.
fn take_over(old: &FlowTable, new: &FlowTable) -> Result<HashSet<FlowKey>, EbpfError> {
    let now = sys::monotonic();
    let entries = old.read().collect::<Result<Vec<_>, _>>()?;
    let all = entries.iter().map(|(key, _)| *key).collect();
    let mut live: Vec<_> = entries
        .into_iter()
        // How long a service keeps its clients is not known here.
        .filter(|(key, entry)| lifetime(key, entry).is_none_or(|lifetime| idle(entry, now) < lifetime))
        .collect();
    live.sort_by_key(|(_, entry)| entry.seen);
    let too_many = live.len().saturating_sub(new.spec.entries as usize);
    let (keys, values): (Vec<_>, Vec<_>) = live.drain(too_many..).unzip();
    new.write(&keys, &values).map_err(|(_, error)| error)?;
    Ok(all)
}

/// Copies what came into the old table while it was being copied. What has been made in the new one since then stays.
fn take_late(old: &FlowTable, new: &FlowTable, known: &HashSet<FlowKey>) -> Result<(), EbpfError> {
    for entry in old.read() {
        let (key, entry) = entry?;
        if !known.contains(&key) {
            new.set_new(&key, &entry)?;
        }
    }
    Ok(())
}

fn vrf_of(name: &str) -> Option<VrfId> {
    name.parse().ok().map(VrfId)
}

fn remove_dir(path: &std::path::Path) -> Result<(), EbpfError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EbpfError::pin(path)(error)),
        _ => Ok(()),
    }
}
