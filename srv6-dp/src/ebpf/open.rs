//! Opening: takes over what an earlier process has pinned, or makes it.
//!
//! Maps are taken over, with all contents, when they are of the layout that this version writes ([`Sizes`] and
//! the entry types decide); then the programs on the interfaces are replaced in place, each in one step.
//!
//! Maps of another layout are left alone at first: old programs go on forwarding by them. New maps are made
//! beside them and filled by the caller's plan, while attachments are only noted ([`Opened::Staged`]). Then
//! [`EbpfDataplane::commit`] replaces the programs, each in one step, and removes the old maps. A process that dies
//! in between leaves the old ones in force.

use std::path::PathBuf;

use aya::{EbpfLoader, maps::MapInfo};

use super::{
    EbpfDataplane,
    attach::{Attach, Programs},
    error::EbpfError,
    fib::Fib,
    flows::FlowTables,
    maps::{Maps, Sizes},
    pins::Pins,
    services::Services,
    sys,
    tables::{free_counters, wanted_flows},
};
use crate::{model::DataplaneError, object::OBJECT};

/// Where pins stand when nothing else is said.
pub const PIN_DIR: &str = "/sys/fs/bpf/sixedge";

/// How to open the dataplane.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory on bpffs, made when it is not there.
    pub pin_dir: PathBuf,
    /// Sizes of the maps.
    pub sizes: Sizes,
    /// How programs are attached.
    pub attach: Attach,
    /// Whether to set the kernel parameters of [`crate::sysctl`].
    pub sysctls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { pin_dir: PIN_DIR.into(), sizes: Sizes::default(), attach: Attach::default(), sysctls: true }
    }
}

/// What was found at opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: all was made anew.
    Fresh,
    /// Maps and attachments of an earlier process, which are in use again.
    Adopted,
    /// Those of an earlier process, which do not fit: they forward until [`EbpfDataplane::commit`].
    Staged {
        /// Why they do not fit.
        reason: String,
    },
}

impl EbpfDataplane {
    /// Opens the dataplane in the network namespace of the calling thread.
    pub fn open(options: &Options) -> Result<Self, DataplaneError> {
        Self::open_pinned(options).map_err(|source| DataplaneError {
            what: format!("opening the dataplane at {}", options.pin_dir.display()),
            source: Box::new(source),
        })
    }

    fn open_pinned(options: &Options) -> Result<Self, EbpfError> {
        sys::raise_memlock();
        let pins = Pins::new(&options.pin_dir)?;
        let (generation, opened) = choose(&pins, &options.sizes)?;
        if opened != Opened::Adopted {
            pins.make_generation(&generation)?;
        }
        let mut ebpf = load(&pins, &generation, &options.sizes)?;
        let maps = Maps::take(&mut ebpf, &options.sizes)?;
        let fib = Fib::take(&mut ebpf, &pins, &generation, &options.sizes)?;
        let services = Services::take(&mut ebpf, &pins, &generation, &options.sizes)?;
        let flows = FlowTables::open(&pins, &generation, &opened, &options.sizes, &wanted_flows(&maps)?)?;
        let events = ebpf.take_map("EVENTS");
        let free_counters = free_counters(&maps, options.sizes.sids)?;
        let staged = matches!(opened, Opened::Staged { .. });
        let programs = Programs::load(ebpf, pins, options.attach, staged)?;
        let mut dataplane = Self {
            maps,
            fib,
            flows,
            services,
            programs,
            events,
            free_counters,
            generation,
            opened,
            sizes: options.sizes,
            sysctls: options.sysctls,
        };
        dataplane.put_in_force()?;
        Ok(dataplane)
    }

    fn put_in_force(&mut self) -> Result<(), EbpfError> {
        match &self.opened {
            Opened::Fresh => self.programs.pins.set_current(&self.generation)?,
            Opened::Adopted => {
                self.sweep_all()?;
                self.flows.keep_only_ours()?;
                self.programs.pins.keep_only(&self.generation)?;
            }
            Opened::Staged { reason } => tracing::warn!(%reason, "new maps are made beside the pinned ones"),
        }
        Ok(())
    }

    /// Ends [`Opened::Staged`]: the programs on the interfaces are replaced by those of the new maps. To be called
    /// when the plan has been applied in full; may be called again after an error, and does nothing otherwise.
    pub fn commit(&mut self) -> Result<(), DataplaneError> {
        if !self.programs.is_staged() {
            return Ok(());
        }
        self.commit_staged().map_err(|source| DataplaneError {
            what: "going over to maps of the new layout".into(),
            source: Box::new(source),
        })
    }

    fn commit_staged(&mut self) -> Result<(), EbpfError> {
        // Should this process die in between, the next one adopts the new maps and replaces the other programs.
        self.programs.pins.set_current(&self.generation)?;
        self.programs.commit()?;
        self.flows.keep_only_ours()?;
        self.programs.pins.keep_only(&self.generation)
    }
}

/// The generation to work with, and what that means.
fn choose(pins: &Pins, sizes: &Sizes) -> Result<(String, Opened), EbpfError> {
    let name = format!("v{:016x}", sizes.layout_hash());
    let Some(current) = pins.current()? else {
        if pins.attachments()?.is_empty() {
            return Ok((name, Opened::Fresh));
        }
        return Ok((
            name,
            Opened::Staged { reason: "programs are attached, but their maps are not pinned".into() },
        ));
    };
    if !current.starts_with(&name) {
        let reason = format!("the pinned maps are of layout {current}, this version needs {name}");
        return Ok((name, Opened::Staged { reason }));
    }
    match misfit(pins, &current, sizes)? {
        None => Ok((current, Opened::Adopted)),
        Some(reason) => {
            // Not to disturb the torn one, which may be forwarding.
            let other = if current == name { format!("{name}-2") } else { name };
            Ok((other, Opened::Staged { reason }))
        }
    }
}

/// What is wrong with the maps of a generation of our own layout.
pub(super) fn misfit(pins: &Pins, generation: &str, sizes: &Sizes) -> Result<Option<String>, EbpfError> {
    for spec in sizes.specs() {
        let path = pins.map(generation, spec.name);
        if !path.exists() {
            return Ok(Some(format!("map {} is not pinned", spec.name)));
        }
        let info = MapInfo::from_pin(&path).map_err(|source| EbpfError::Map { map: spec.name, source })?;
        let found = spec.of(&info)?;
        if found != spec {
            return Ok(Some(format!("map {} is {found}, not {spec}", spec.name)));
        }
    }
    Ok(None)
}

fn load(pins: &Pins, generation: &str, sizes: &Sizes) -> Result<aya::Ebpf, EbpfError> {
    let mut loader = EbpfLoader::new();
    for spec in sizes.specs() {
        loader
            .map_max_entries(spec.name, spec.entries)
            .map_pin_path(spec.name, pins.map(generation, spec.name));
    }
    let ebpf = loader.load(OBJECT).map_err(|source| EbpfError::Load { source: Box::new(source) })?;
    for spec in sizes.specs() {
        let path = pins.map(generation, spec.name);
        if !path.exists() {
            return Err(EbpfError::Missing(spec.name));
        }
        let info = MapInfo::from_pin(path).map_err(|source| EbpfError::Map { map: spec.name, source })?;
        let found = spec.of(&info)?;
        if found != spec {
            return Err(EbpfError::Layout {
                map: spec.name,
                found: found.to_string(),
                expected: spec.to_string(),
            });
        }
    }
    Ok(ebpf)
}
