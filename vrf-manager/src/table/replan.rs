//! From one plan to the next.

use std::collections::BTreeSet;

use bgp_core::rib::LocalRoute;
use bgp_wire::nlri::Prefix;
use srv6_dp::{
    Change, State,
    model::{FilterId, NextHop},
};
use srv6_types::VrfId;

use super::{Advertisements, VrfTable, VrfTables, lingering::begins, path::Resolver};
use crate::plan::Desired;

/// What leads from one plan to the next, make before break. In this order, and before the next route is learnt:
/// tell the speaker to `withdraw`; apply `make`; give the speaker its new configuration; tell it to `announce`;
/// apply `remove`. When other PEs have had time to hear, apply what [`VrfTables::let_go`] says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// Advertised no more.
    pub withdraw: Vec<(VrfId, Prefix)>,
    /// What is new in the dataplane.
    pub make: Vec<Change>,
    /// To be advertised, new or otherwise than before.
    pub announce: Vec<LocalRoute>,
    /// What is not needed any more.
    pub remove: Vec<Change>,
    /// Something has begun to linger.
    pub lingers: bool,
}

impl Transition {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl VrfTables {
    /// Takes over a new plan. Routes learnt stay and come to what the new plan makes of them; SIDs that VRFs have others
    /// for, VIPs and egress addresses linger.
    pub fn replan(&mut self, desired: &Desired) -> Transition {
        let mut from = self.present();
        self.held = without_routes(&desired.dataplane);
        let mut make = self.vacate(desired, &mut from);
        let leaving = self.leaving(desired, &from);
        let lingers = begins(&self.lingering, &leaving);
        self.lingering = leaving;
        let routes = self.replan_routes(desired);
        let (made, remove) = splice(Change::between(&from, &self.present()), routes);
        make.extend(made);
        let Advertisements { announce, withdraw } =
            Advertisements::between(&self.advertised, &desired.advertise);
        self.advertised.clone_from(&desired.advertise);
        self.problems.clone_from(&desired.problems);
        Transition { withdraw, make, announce, remove, lingers }
    }

    /// An id that now is another tenant's is emptied first: no moment may one see the other's routes.
    fn vacate(&mut self, desired: &Desired, from: &mut State) -> Vec<Change> {
        let other = |id: &VrfId, table: &VrfTable| {
            let new = desired.vrfs.get(id);
            new.is_some_and(|new| !table.planned.name.is_empty() && table.planned.name != new.name)
        };
        let ids: Vec<VrfId> =
            self.vrfs.extract_if(.., |id, table| other(id, table)).map(|(id, _)| id).collect();
        ids.into_iter().flat_map(|id| empty(id, from)).collect()
    }

    fn replan_routes(&mut self, desired: &Desired) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, gone) in self.vrfs.extract_if(.., |id, _| !desired.vrfs.contains_key(id)) {
            changes.extend(gone.leaks().map(|prefix| Change::RemoveRoute(id, prefix)));
        }
        for (id, planned) in &desired.vrfs {
            let resolver = Resolver {
                vrf: *id,
                reduced: planned.encapsulation.is_reduced(),
                sids: &self.held.sids,
                locators: &self.held.node.locators,
            };
            self.vrfs.entry(*id).or_default().replan(planned, &resolver, &mut changes);
        }
        changes
    }
}

/// Takes all of a VRF out of `state`. The flow table goes with the VRF, and so do the routes.
fn empty(id: VrfId, state: &mut State) -> Vec<Change> {
    let sids = state.sids.extract_if(.., |_, sid| sid.vrf == id);
    let mut changes: Vec<Change> = sids.map(|(sid, _)| Change::RemoveSid(sid)).collect();
    let circuits: Vec<_> = state.circuits.extract_if(.., |_, circuit| circuit.vrf == id).collect();
    changes.extend(circuits.iter().map(|(interface, _)| Change::RemoveCircuit(*interface)));
    let policies = state.egress_policies.extract_if(.., |(vrf, _), _| *vrf == id);
    changes.extend(policies.map(|(name, _)| Change::RemoveEgressPolicy(name)));
    let services = state.services.extract_if(.., |service, _| service.vrf == id);
    changes.extend(services.map(|(service, _)| Change::RemoveService(service)));
    let addresses = state.egress_addresses.extract_if(.., |(vrf, _), _| *vrf == id);
    changes.extend(addresses.map(|(at, _)| Change::RemoveEgressAddress(at)));
    let filters: BTreeSet<FilterId> = circuits.iter().filter_map(|(_, circuit)| circuit.filter).collect();
    for filter in filters {
        state.filters.remove(&filter);
        changes.push(Change::RemoveFilter(filter));
    }
    state.vrfs.remove(&id);
    changes.push(Change::RemoveVrf(id));
    changes
}

/// All but the routes, which the tables hold.
pub(super) fn without_routes(state: &State) -> State {
    State {
        node: state.node.clone(),
        core: state.core.clone(),
        vrfs: state.vrfs.clone(),
        filters: state.filters.clone(),
        circuits: state.circuits.clone(),
        egress_addresses: state.egress_addresses.clone(),
        egress_policies: state.egress_policies.clone(),
        services: state.services.clone(),
        sids: state.sids.clone(),
        routes: Default::default(),
    }
}

/// Puts routes where [`Change::between`] would have them: set before SIDs draw traffic, removed after these are gone.
pub(super) fn splice(changes: Vec<Change>, routes: Vec<Change>) -> (Vec<Change>, Vec<Change>) {
    let (mut set, mut unset): (Vec<_>, Vec<_>) =
        routes.into_iter().partition(|change| matches!(change, Change::SetRoute(..)));
    set.sort_by_key(|change| matches!(change, Change::SetRoute(.., NextHop::Vrf(_))));
    let mut make = changes;
    let mut remove = make.split_off(end_of_make(&make));
    let first_sid = make.iter().position(|change| matches!(change, Change::SetSid(..)));
    let sids = make.split_off(first_sid.unwrap_or(make.len()));
    make.append(&mut set);
    make.extend(sids);
    let last_sid = remove.iter().rposition(|change| matches!(change, Change::RemoveSid(_)));
    let rest = remove.split_off(last_sid.map_or(0, |at| at + 1));
    remove.append(&mut unset);
    remove.extend(rest);
    (make, remove)
}

/// Behind the last change that makes something; the node's first settings do, its last ones do not.
fn end_of_make(changes: &[Change]) -> usize {
    let makes = |change: &Change| {
        matches!(
            change,
            Change::AddCore(_)
                | Change::SetVrf(..)
                | Change::SetFilter(..)
                | Change::SetCircuit(..)
                | Change::SetEgressAddress(..)
                | Change::SetEgressPolicy(..)
                | Change::SetService(..)
                | Change::SetSid(..)
        )
    };
    let node_first = usize::from(matches!(changes.first(), Some(Change::SetNode(_))));
    changes.iter().rposition(makes).map_or(node_first, |at| at + 1)
}
