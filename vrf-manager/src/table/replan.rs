//! From one plan to the next.

use std::{collections::BTreeSet, mem};

use bgp_core::rib::LocalRoute;
use bgp_wire::nlri::Prefix;
use srv6_dp::{Change, State, model::NextHop};
use srv6_types::{Sid, VrfId};

use super::{Advertisements, VrfTable, VrfTables, path::Resolver};
use crate::plan::Desired;

/// What leads from one plan to the next, make before break. In this order, and before the next route is learnt:
/// tell the speaker to `withdraw`; apply `make`; give the speaker its new configuration; tell it to `announce`;
/// apply `remove`; and apply `linger` when other PEs have had time to hear, but before the next transition.
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
    /// SIDs that VRFs had and have others for: packets are on their way to them.
    pub linger: Vec<Change>,
}

impl Transition {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl VrfTables {
    /// Takes over a new plan. Routes learnt stay and come to what the new plan makes of them.
    pub fn replan(&mut self, desired: &Desired) -> Transition {
        let mut from = mem::replace(&mut self.held, without_routes(&desired.dataplane));
        let mut make = self.vacate(desired, &mut from);
        let moved = self.moved(desired, &from);
        let routes = self.replan_routes(desired);
        let (made, remove) = splice(Change::between(&from, &self.held), routes);
        let (remove, linger) = part(remove, &moved);
        make.extend(made);
        let Advertisements { announce, withdraw } =
            Advertisements::between(&self.advertised, &desired.advertise);
        self.advertised.clone_from(&desired.advertise);
        self.problems.clone_from(&desired.problems);
        Transition { withdraw, make, announce, remove, linger }
    }

    /// An id that now is another tenant's is emptied first: no moment may one see the other's routes.
    fn vacate(&mut self, desired: &Desired, from: &mut State) -> Vec<Change> {
        let other = |id: &VrfId, table: &VrfTable| {
            let new = desired.vrfs.get(id);
            new.is_some_and(|new| !table.planned.name.is_empty() && table.planned.name != new.name)
        };
        let ids: Vec<VrfId> =
            self.vrfs.extract_if(.., |id, table| other(id, table)).map(|(id, _)| id).collect();
        let mut changes = Vec::new();
        for id in ids {
            let sids = from.sids.extract_if(.., |_, sid| sid.vrf == id);
            changes.extend(sids.map(|(sid, _)| Change::RemoveSid(sid)));
            let circuits = from.circuits.extract_if(.., |_, circuit| circuit.vrf == id);
            changes.extend(circuits.map(|(interface, _)| Change::RemoveCircuit(interface)));
            from.vrfs.remove(&id);
            changes.push(Change::RemoveVrf(id));
        }
        changes
    }

    /// SIDs that go while their VRF stays. Whose VRF was found in the dataplane, and has no name, may not wait: it could
    /// lead to another tenant.
    fn moved(&self, desired: &Desired, from: &State) -> BTreeSet<Sid> {
        let name = |id: &VrfId| self.vrfs.get(id).map(|table| table.planned.name.as_str());
        let stays = |id: &VrfId| desired.vrfs.get(id).is_some_and(|new| name(id) == Some(&new.name));
        let gone = from.sids.iter().filter(|(sid, _)| !self.held.sids.contains_key(sid));
        gone.filter(|(_, local)| stays(&local.vrf)).map(|(sid, _)| *sid).collect()
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
fn splice(changes: Vec<Change>, routes: Vec<Change>) -> (Vec<Change>, Vec<Change>) {
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

/// Takes the removal of some SIDs out; with it the node's last settings, for their locator is ours as long as they are.
fn part(remove: Vec<Change>, moved: &BTreeSet<Sid>) -> (Vec<Change>, Vec<Change>) {
    let lingers = |change: &Change| matches!(change, Change::RemoveSid(sid) if moved.contains(sid));
    let (mut linger, mut remove): (Vec<_>, Vec<_>) = remove.into_iter().partition(lingers);
    if !linger.is_empty() {
        linger.extend(remove.pop_if(|last| matches!(last, Change::SetNode(_))));
    }
    (remove, linger)
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
