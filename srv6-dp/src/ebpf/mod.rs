//! The dataplane in the kernel: programs, maps, pins and links.
//!
//! Everything that forwards is pinned and goes on without this process; [`EbpfDataplane::open`] takes it over.
//! One process has it open at a time; a second is refused.

mod attach;
mod batch;
mod bulk;
mod codec;
mod counters;
mod egress;
mod error;
mod events;
mod fib;
mod filters;
mod flows;
mod maps;
mod mechanism;
mod next_hops;
mod open;
mod pins;
mod ranges;
mod services;
mod sys;
mod tables;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use aya::maps::Map;
use srv6_types::VrfId;

pub use attach::Attach;
pub use error::EbpfError;
pub use events::{DroppedPacket, Events, Flow};
pub use maps::Sizes;
pub use open::{Opened, Options, PIN_DIR};
pub use pins::{Attachment, Mechanism, Role};
pub(crate) use sys::create_lru_hash;
pub use verify::Fault;

use crate::model::{Change, Counters, Dataplane, DataplaneError, IfIndex, NextHop, State};

/// The eBPF backend.
pub struct EbpfDataplane {
    maps: maps::Maps,
    fib: fib::Fib,
    flows: flows::FlowTables,
    services: services::Services,
    programs: attach::Programs,
    events: Option<Map>,
    /// Indices of SID counters not in use.
    free_counters: BTreeSet<u32>,
    /// Name of the directory of the maps.
    generation: String,
    opened: Opened,
    sizes: Sizes,
    sysctls: bool,
}

impl EbpfDataplane {
    /// What [`EbpfDataplane::open`] found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Where programs are attached, and how.
    pub fn attachments(&self) -> Result<Vec<Attachment>, DataplaneError> {
        self.programs.pins.attachments().map_err(while_doing("reading the pinned attachments"))
    }

    /// Distinct next hops in use; all routes to one remote SID share one.
    pub fn next_hops_in_use(&self) -> usize {
        self.fib.next_hop_count()
    }

    /// Forgets circuits and core interfaces that have vanished from the network namespace, and returns them. To be
    /// called when the kernel reports that an interface has gone; [`EbpfDataplane::open`] does it by itself.
    pub fn sweep(&mut self) -> Result<Vec<(Role, IfIndex)>, DataplaneError> {
        if self.programs.is_staged() {
            return Ok(Vec::new());
        }
        let vanished =
            self.sweep_all().map_err(while_doing("clearing up after interfaces that have gone"))?;
        Ok(vanished.iter().map(|attachment| (attachment.role, attachment.interface)).collect())
    }

    /// Takes everything out of the kernel, for a node that is to be a provider edge no more: forwarding ends. Returns how
    /// many interfaces were detached.
    pub fn dismantle(self) -> Result<usize, DataplaneError> {
        self.programs.dismantle().map_err(while_doing("removing the dataplane"))
    }

    fn change(&mut self, change: &Change) -> Result<(), EbpfError> {
        if let Some(vrf) = change.needs_vrf() {
            self.need_vrf(vrf)?;
        }
        match change {
            Change::SetNode(node) => self.set_node(node),
            Change::AddCore(interface) => self.add_core(*interface),
            Change::RemoveCore(interface) => self.programs.detach(Role::Core, *interface),
            Change::SetVrf(id, vrf) => self.set_vrf(*id, vrf),
            Change::RemoveVrf(id) => self.remove_vrf(*id),
            Change::SetFilter(..) | Change::RemoveFilter(_) => self.change_filters(change),
            Change::SetEgressAddress(..)
            | Change::RemoveEgressAddress(_)
            | Change::SetEgressPolicy(..)
            | Change::RemoveEgressPolicy(_) => self.change_egress(change),
            Change::SetService(..) | Change::RemoveService(_) => {
                self.change_services(std::slice::from_ref(change))
            }
            Change::SetCircuit(interface, circuit) => self.set_circuit(*interface, circuit),
            Change::RemoveCircuit(interface) => self.remove_circuit(*interface),
            Change::SetSid(sid, local) => self.set_sid(*sid, local),
            Change::RemoveSid(sid) => self.remove_sid(*sid),
            Change::SetRoute(..) | Change::RemoveRoute(..) => {
                self.change_routes(std::slice::from_ref(change))
            }
        }
    }

    /// Routes that are all set, or all removed.
    fn change_routes(&mut self, changes: &[Change]) -> Result<(), EbpfError> {
        let (mut wanted, mut gone, mut vrfs) = (BTreeMap::new(), Vec::new(), BTreeSet::<VrfId>::new());
        for change in changes {
            match change {
                Change::SetRoute(vrf, prefix, next_hop) => {
                    vrfs.insert(*vrf);
                    wanted.insert((*vrf, prefix.trunc()), next_hop);
                }
                Change::RemoveRoute(vrf, prefix) => gone.push((*vrf, prefix.trunc())),
                _ => {}
            }
        }
        vrfs.into_iter().try_for_each(|vrf| self.need_vrf(vrf))?;
        self.fib.remove(&gone)?;
        self.fib.set(&wanted)
    }

    fn read_back(&self) -> Result<State, EbpfError> {
        Ok(State {
            node: self.node()?,
            core: self.programs.attached(Role::Core)?,
            vrfs: self.vrfs()?,
            filters: self.filters()?,
            circuits: self.circuits()?,
            egress_addresses: self.egress_addresses()?,
            egress_policies: self.egress_policies()?,
            services: self.services()?,
            sids: self.sids()?,
            routes: self.fib.observe()?,
        })
    }
}

impl Dataplane for EbpfDataplane {
    fn observe(&self) -> Result<State, DataplaneError> {
        self.read_back().map_err(while_doing("reading the maps back"))
    }

    fn apply(&mut self, change: &Change) -> Result<(), DataplaneError> {
        self.change(change).map_err(while_doing(change))
    }

    fn apply_all(&mut self, changes: &[Change]) -> Result<(), DataplaneError> {
        for run in changes.chunk_by(|one, next| batch(one).is_some() && batch(one) == batch(next)) {
            match run {
                [change] => self.apply(change)?,
                [first, ..] => {
                    let what = format!("{first} and {} more", run.len() - 1);
                    let done = match batch(first) {
                        Some(Batch::SetServices | Batch::RemoveServices) => self.change_services(run),
                        _ => self.change_routes(run),
                    };
                    done.map_err(while_doing(what))?;
                }
                [] => {}
            }
        }
        Ok(())
    }

    fn counters(&self) -> Result<Counters, DataplaneError> {
        self.read_counters().map_err(while_doing("reading the counters"))
    }
}

/// Changes that may be done in any order among themselves, and are done together.
#[derive(PartialEq, Eq)]
enum Batch {
    SetRoutes,
    SetLeaks,
    RemoveRoutes,
    SetServices,
    RemoveServices,
}

fn batch(change: &Change) -> Option<Batch> {
    match change {
        Change::SetRoute(_, _, NextHop::Vrf(_)) => Some(Batch::SetLeaks),
        Change::SetRoute(..) => Some(Batch::SetRoutes),
        Change::RemoveRoute(..) => Some(Batch::RemoveRoutes),
        Change::SetService(..) => Some(Batch::SetServices),
        Change::RemoveService(_) => Some(Batch::RemoveServices),
        _ => None,
    }
}

fn while_doing(what: impl ToString) -> impl FnOnce(EbpfError) -> DataplaneError {
    move |source| DataplaneError { what: what.to_string(), source: Box::new(source) }
}
