//! The routes of every VRF: those of the plan, those learnt from BGP and those found in the dataplane after a
//! restart. Hands out the fewest changes that keep the dataplane at the best route of each prefix.

mod advertisement;
mod lingering;
mod path;
mod replan;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bgp_core::rib::{LocalRoute, VpnPath, VrfRoute};
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use srv6_dp::{
    Change, State,
    model::{Filter, FilterId, IfIndex, NextHop},
};
use srv6_types::VrfId;

pub use advertisement::Advertisements;
pub use path::Unusable;
pub use replan::Transition;

use crate::plan::{CircuitState, PlannedRoute, PlannedVrf, Problem, RouteSource};
use lingering::Own;
use path::{Outcome, PathId, Paths, Resolver};

/// The routes of every VRF. A plan's route (connected 0, static 1) is better than any from BGP (external 20,
/// internal 200), of which there is one for each prefix: BGP has chosen it. An egress address of the plan was in that
/// choice, and a route learnt goes before it.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub struct VrfTables {
    vrfs: BTreeMap<VrfId, VrfTable>,
    /// What the plan has besides routes.
    held: State,
    /// What earlier plans had and the dataplane still holds, besides routes.
    lingering: State,
    advertised: Vec<LocalRoute>,
    problems: Vec<Problem>,
}

/// A prefix is in the plan, learnt, or both; or, in neither, adopted. One that was in the plan may linger.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
struct VrfTable {
    planned: PlannedVrf,
    lingering: BTreeMap<IpNet, PlannedRoute>,
    learnt: FxHashMap<IpNet, PathId>,
    paths: Paths,
    adopted: FxHashMap<IpNet, NextHop>,
}

/// A route as the views show it.
pub(crate) struct Candidate<'a> {
    pub(crate) prefix: IpNet,
    pub(crate) source: RouteSource,
    pub(crate) outcome: Result<&'a NextHop, Unusable>,
    pub(crate) path: Option<&'a VpnPath>,
    /// The best of its prefix.
    pub(crate) programmed: bool,
}

impl VrfTables {
    /// Starts from what the dataplane holds. Routes into the core and into other VRFs stay until BGP has spoken
    /// about their prefix, or until [`VrfTables::sweep`]; whatever else is not in the first plan goes with that.
    pub fn adopt(observed: State) -> Self {
        let mut tables = Self { held: replan::without_routes(&observed), ..Self::default() };
        for id in observed.vrfs.keys() {
            tables.vrfs.entry(*id).or_default();
        }
        for ((id, prefix), next_hop) in observed.routes {
            let table = tables.vrfs.entry(id).or_default();
            match next_hop {
                NextHop::Encapsulate { .. } | NextHop::Vrf(_) => drop(table.adopted.insert(prefix, next_hop)),
                _ => {
                    let route = PlannedRoute { source: RouteSource::Static, next_hop };
                    table.planned.routes.insert(prefix, route);
                }
            }
        }
        tables
    }

    /// Takes a change of the best BGP route; `None` when the dataplane is to stay as it is. Routes of a VRF that
    /// is not planned are ignored.
    pub fn learn(&mut self, route: &VrfRoute) -> Option<Change> {
        let prefix = IpNet::try_from(route.prefix).ok()?;
        let table = self.vrfs.get_mut(&route.vrf)?;
        let resolver = Resolver {
            vrf: route.vrf,
            reduced: table.planned.encapsulation.is_reduced(),
            sids: &self.held.sids,
            locators: &self.held.node.locators,
        };
        table.learn(prefix, route.path.as_ref(), &resolver)
    }

    /// After all peers are back: removes what was found in the dataplane and BGP has not confirmed.
    pub fn sweep(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, table) in &mut self.vrfs {
            let unconfirmed: BTreeSet<IpNet> = table.adopted.drain().map(|(prefix, _)| prefix).collect();
            changes.extend(unconfirmed.into_iter().map(|prefix| match table.programmed(&prefix) {
                Some(own) => Change::SetRoute(*id, prefix, own.clone()),
                None => Change::RemoveRoute(*id, prefix),
            }));
        }
        changes
    }

    /// How many routes wait for BGP to confirm them.
    pub fn adopted(&self) -> usize {
        self.vrfs.values().map(|table| table.adopted.len()).sum()
    }

    /// The VRF of that name.
    pub fn find(&self, name: &str) -> Option<VrfId> {
        self.vrfs.iter().find(|(_, table)| table.planned.name == name).map(|(id, _)| *id)
    }

    /// How it stands with an interface as a circuit of the VRF of that name; `None` where it is not one.
    pub fn circuit_state(&self, vrf: &str, interface: &str) -> Option<CircuitState> {
        let planned = self.planned_vrf(self.find(vrf)?)?;
        planned.circuits.iter().find(|circuit| circuit.interface == interface).map(|circuit| circuit.state)
    }

    /// VRFs with their names, for messages and counters.
    pub fn names(&self) -> impl Iterator<Item = (VrfId, &str)> {
        self.vrfs.iter().map(|(id, table)| (*id, table.planned.name.as_str()))
    }

    pub(crate) fn planned(&self) -> impl Iterator<Item = (VrfId, &PlannedVrf)> {
        self.vrfs.iter().map(|(id, table)| (*id, &table.planned))
    }

    pub(crate) fn planned_vrf(&self, vrf: VrfId) -> Option<&PlannedVrf> {
        self.vrfs.get(&vrf).map(|table| &table.planned)
    }

    /// Where the route to exactly this prefix leads.
    pub(crate) fn route_to(&self, vrf: VrfId, prefix: IpNet) -> Option<&NextHop> {
        self.vrfs.get(&vrf)?.programmed(&prefix)
    }

    /// The filter of a circuit of the VRF.
    pub(crate) fn filter_of(&self, circuit: IfIndex, vrf: VrfId) -> Option<(FilterId, &Filter)> {
        let circuit = self.held.circuits.get(&circuit).filter(|circuit| circuit.vrf == vrf)?;
        let id = circuit.filter?;
        Some((id, self.held.filters.get(&id)?))
    }

    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Every route of a VRF, also those that are not used, in no order.
    pub(crate) fn candidates(&self, vrf: VrfId) -> impl Iterator<Item = Candidate<'_>> {
        self.vrfs.get(&vrf).into_iter().flat_map(VrfTable::candidates)
    }

    /// Everything that the dataplane should hold now.
    pub fn state(&self) -> State {
        State { routes: self.programmed(), ..self.present() }
    }

    /// The routes that the dataplane should hold now, all VRFs.
    fn programmed(&self) -> BTreeMap<(VrfId, IpNet), NextHop> {
        let ids = self.vrfs.keys().copied();
        let used = ids.flat_map(|id| self.candidates(id).filter(|c| c.programmed).map(move |c| (id, c)));
        used.filter_map(|(id, c)| Some(((id, c.prefix), c.outcome.ok()?.clone()))).collect()
    }
}

impl VrfTable {
    fn programmed(&self, prefix: &IpNet) -> Option<&NextHop> {
        let others = match self.learnt.get(prefix) {
            Some(id) => self.paths.next_hop(*id),
            None => self.adopted.get(prefix),
        };
        match self.own(prefix) {
            Own::None => others,
            Own::Firm(next_hop) => Some(next_hop),
            Own::Yielding(next_hop) => others.or(Some(next_hop)),
        }
    }

    fn learn(&mut self, prefix: IpNet, path: Option<&VpnPath>, resolver: &Resolver<'_>) -> Option<Change> {
        let id = path.map(|path| self.paths.acquire(path, prefix.addr().is_ipv4(), resolver));
        let former = match id {
            Some(id) => self.learnt.insert(prefix, id),
            None => self.learnt.remove(&prefix),
        };
        let adopted = self.adopted.remove(&prefix);
        let (own, hidden) = match self.own(&prefix) {
            Own::None => (None, false),
            Own::Firm(next_hop) => (Some(next_hop), true),
            Own::Yielding(next_hop) => (Some(next_hop), false),
        };
        let before = former.and_then(|id| self.paths.next_hop(id)).or(adopted.as_ref()).or(own);
        let after = id.and_then(|id| self.paths.next_hop(id)).or(own);
        let change = if hidden { None } else { step(resolver.vrf, prefix, before, after) };
        if let Some(former) = former {
            self.paths.release(former);
        }
        change
    }

    fn replan(&mut self, planned: &PlannedVrf, resolver: &Resolver<'_>, changes: &mut Vec<Change>) {
        let differing = self.paths.differing(resolver);
        let before: Vec<(IpNet, Option<NextHop>)> = self
            .touched(planned, &differing)
            .into_iter()
            .map(|prefix| (prefix, self.programmed(&prefix).cloned()))
            .collect();
        self.paths.set(differing);
        self.lingering = self.routes_left(planned);
        self.planned = planned.clone();
        self.adopted.retain(|prefix, _| planned.routes.get(prefix).is_none_or(|route| route.source.yields()));
        for (prefix, before) in before {
            changes.extend(step(resolver.vrf, prefix, before.as_ref(), self.programmed(&prefix)));
        }
    }

    /// The prefixes whose best route may be another under `planned`.
    fn touched(&self, planned: &PlannedVrf, differing: &BTreeMap<PathId, Outcome>) -> BTreeSet<IpNet> {
        let (old, new) = (&self.planned.routes, &planned.routes);
        let changed = new.iter().filter(|(prefix, route)| old.get(prefix) != Some(route));
        let gone = old.keys().filter(|prefix| !new.contains_key(prefix));
        let lingering = self.lingering.keys();
        let mut touched: BTreeSet<IpNet> =
            changed.map(|(prefix, _)| prefix).chain(gone).chain(lingering).copied().collect();
        if !differing.is_empty() {
            let learnt = self.learnt.iter().filter(|(_, id)| differing.contains_key(id));
            touched.extend(learnt.map(|(prefix, _)| *prefix));
        }
        touched
    }

    fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        let planned = self.planned.routes.iter().map(|(prefix, route)| Candidate {
            prefix: *prefix,
            source: route.source,
            outcome: Ok(&route.next_hop),
            path: None,
            programmed: self.programmed(prefix) == Some(&route.next_hop),
        });
        let learnt = self.learnt.iter().map(|(prefix, id)| {
            let path = self.paths.path(*id);
            let outcome = self.paths.outcome(*id).as_ref().map_err(|reason| *reason);
            Candidate {
                prefix: *prefix,
                source: if path.external { RouteSource::ExternalBgp } else { RouteSource::InternalBgp },
                programmed: outcome.is_ok() && !self.hides(prefix),
                outcome,
                path: Some(path),
            }
        });
        let adopted = self.adopted.iter().map(|(prefix, next_hop)| Candidate {
            prefix: *prefix,
            source: RouteSource::Adopted,
            outcome: Ok(next_hop),
            path: None,
            programmed: true,
        });
        let lingering = self.lingering.iter().map(|(prefix, route)| Candidate {
            prefix: *prefix,
            source: route.source,
            outcome: Ok(&route.next_hop),
            path: None,
            programmed: self.programmed(prefix) == Some(&route.next_hop),
        });
        planned.chain(lingering).chain(learnt).chain(adopted)
    }

    /// Whether a route of this node is better than any learnt one.
    fn hides(&self, prefix: &IpNet) -> bool {
        matches!(self.own(prefix), Own::Firm(_))
    }

    /// Prefixes that lead into another VRF.
    fn leaks(&self) -> impl Iterator<Item = IpNet> {
        let leaking = self.candidates().filter(|c| c.programmed && matches!(c.outcome, Ok(NextHop::Vrf(_))));
        leaking.map(|candidate| candidate.prefix)
    }
}

fn step(vrf: VrfId, prefix: IpNet, before: Option<&NextHop>, after: Option<&NextHop>) -> Option<Change> {
    match (before, after) {
        (before, after) if before == after => None,
        (_, Some(after)) => Some(Change::SetRoute(vrf, prefix, after.clone())),
        (_, None) => Some(Change::RemoveRoute(vrf, prefix)),
    }
}
