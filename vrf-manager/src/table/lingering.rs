//! What a plan has no more and packets are still on their way to: SIDs that have moved, VIPs and egress addresses that were
//! withdrawn. It stays in the dataplane until other PEs have had time to hear.

use std::collections::BTreeMap;

use ipnet::IpNet;
use srv6_dp::{
    Change, State,
    model::{NextHop, Vrf},
};
use srv6_types::VrfId;

use super::{VrfTable, VrfTables, replan::splice, step};
use crate::plan::{Desired, PlannedRoute, PlannedVrf, RouteSource};

impl VrfTables {
    /// Whether anything waits for [`VrfTables::let_go`].
    pub fn lingers(&self) -> bool {
        self.lingering != State::default() || self.vrfs.values().any(|table| !table.lingering.is_empty())
    }

    /// Other PEs have had time to hear: what lingered goes.
    pub fn let_go(&mut self) -> Vec<Change> {
        let from = self.present();
        self.lingering = State::default();
        let mut routes = Vec::new();
        for (id, table) in &mut self.vrfs {
            table.let_go(*id, &mut routes);
        }
        let (make, remove) = splice(Change::between(&from, &self.held), routes);
        [make, remove].concat()
    }

    /// What the dataplane holds besides routes: the plan's, and what lingers.
    pub(super) fn present(&self) -> State {
        let (held, old) = (&self.held, &self.lingering);
        let mut state = held.clone();
        state.node.locators.extend(&old.node.locators);
        state.node.domain.extend(&old.node.domain);
        state.vrfs.extend(old.vrfs.clone());
        for (sid, local) in &old.sids {
            state.sids.entry(*sid).or_insert(*local);
        }
        for (id, service) in &old.services {
            state.services.entry(*id).or_insert_with(|| service.clone());
        }
        for (at, address) in &old.egress_addresses {
            state.egress_addresses.entry(*at).or_insert(*address);
        }
        state
    }

    /// What goes from `from` while its VRF stays. Whose VRF was found in the dataplane, and has no name, may not wait: it
    /// could lead to another tenant.
    pub(super) fn leaving(&self, desired: &Desired, from: &State) -> State {
        let name = |id: &VrfId| self.vrfs.get(id).map(|table| table.planned.name.as_str());
        let stays = |id: &VrfId| desired.vrfs.get(id).is_some_and(|new| name(id) == Some(&new.name));
        let held = &self.held;
        let sids = from.sids.iter().filter(|(sid, local)| !held.sids.contains_key(sid) && stays(&local.vrf));
        let services =
            from.services.iter().filter(|(id, _)| !held.services.contains_key(id) && stays(&id.vrf));
        let addresses = from
            .egress_addresses
            .iter()
            .filter(|(at, _)| !held.egress_addresses.contains_key(at) && stays(&at.0));
        let mut leaving = State {
            sids: sids.map(|(sid, local)| (*sid, *local)).collect(),
            services: services.map(|(id, service)| (*id, service.clone())).collect(),
            egress_addresses: addresses.map(|(at, address)| (*at, *address)).collect(),
            ..State::default()
        };
        locators(from, &mut leaving);
        flow_tables(from, held, &mut leaving);
        leaving
    }
}

/// Whether anything lingers in `now` that did not in `before`.
pub(super) fn begins(before: &State, now: &State) -> bool {
    now.sids.keys().any(|sid| !before.sids.contains_key(sid))
        || now.services.keys().any(|id| !before.services.contains_key(id))
        || now.egress_addresses.keys().any(|at| !before.egress_addresses.contains_key(at))
}

/// A locator is ours as long as one of its SIDs is.
fn locators(from: &State, leaving: &mut State) {
    let needed = |net: &&ipnet::Ipv6Net| leaving.sids.keys().any(|sid| net.contains(&sid.addr()));
    let locators = from.node.locators.iter().filter(needed).copied().collect();
    let domain = from.node.domain.iter().filter(needed).copied().collect();
    (leaving.node.locators, leaving.node.domain) = (locators, domain);
}

/// A VRF that has lost its last service keeps what that one needs.
fn flow_tables(from: &State, held: &State, leaving: &mut State) {
    let services = leaving.services.keys().map(|id| id.vrf);
    let vrfs = services.chain(leaving.egress_addresses.keys().map(|(vrf, _)| *vrf));
    let kept = vrfs.filter_map(|id| {
        let (old, new) = (from.vrfs.get(&id)?, held.vrfs.get(&id)?);
        let kept =
            Vrf { flows: new.flows.or(old.flows), services: new.services || old.services, ..new.clone() };
        (kept != *new).then_some((id, kept))
    });
    leaving.vrfs = kept.collect();
}

impl VrfTable {
    /// What lingers of the old plan's routes under the new one, and of those that linger already.
    pub(super) fn routes_left(&self, planned: &PlannedVrf) -> BTreeMap<IpNet, PlannedRoute> {
        let withdrawn = |source| matches!(source, RouteSource::Service | RouteSource::Egress);
        let old = self.lingering.iter().chain(&self.planned.routes);
        let left =
            old.filter(|(prefix, route)| withdrawn(route.source) && !planned.routes.contains_key(prefix));
        left.map(|(prefix, route)| (*prefix, route.clone())).collect()
    }

    /// This node's route, of the plan or left over from one. A VIP stays with its service, whatever else is learnt: its
    /// backends are known here. An egress address is the preferred gateway's, for that one has the answers; BGP has compared
    /// ours.
    pub(super) fn own(&self, prefix: &IpNet) -> Own<'_> {
        match self.planned.routes.get(prefix).or_else(|| self.lingering.get(prefix)) {
            None => Own::None,
            Some(route) if route.source.yields() => Own::Yielding(&route.next_hop),
            Some(route) => Own::Firm(&route.next_hop),
        }
    }

    fn let_go(&mut self, vrf: VrfId, changes: &mut Vec<Change>) {
        let prefixes: Vec<IpNet> = self.lingering.keys().copied().collect();
        let before: Vec<Option<NextHop>> = prefixes.iter().map(|p| self.programmed(p).cloned()).collect();
        self.lingering.clear();
        for (prefix, before) in prefixes.into_iter().zip(before) {
            changes.extend(step(vrf, prefix, before.as_ref(), self.programmed(&prefix)));
        }
    }
}

/// A route of this node.
pub(super) enum Own<'a> {
    /// There is none.
    None,
    /// Better than any from BGP.
    Firm(&'a NextHop),
    /// Used where BGP has none.
    Yielding(&'a NextHop),
}
