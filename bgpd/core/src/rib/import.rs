//! VPN routes into VRFs, RFC 4364 section 4.3.2: by route target, the best of a prefix under whatever route
//! distinguishers it came.

use std::collections::{BTreeMap, BTreeSet};

use bgp_wire::{Family, attribute::RouteTarget, nlri::Prefix};
use hashbrown::{HashMap, HashSet};
use rustc_hash::FxHashMap;
use srv6_types::{Behavior, VrfId};

use super::{
    Rib, RibOutput, VpnPath, VrfRoute,
    attributes::{AttributeSet, AttributeSets, SourceKind},
    decision::Decision,
    key::family_index,
    path::Path,
    table::{Change, RibTable},
};
use crate::config::{PeerId, VrfPolicy};

/// What the VRFs have been told, and what they could be.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    pub(crate) policies: BTreeMap<VrfId, VrfPolicy>,
    /// Who imports a route target.
    by_target: FxHashMap<RouteTarget, Vec<VrfId>>,
    vrfs: FxHashMap<VrfId, HashMap<Prefix, Imported>>,
    /// Prefixes to choose anew for.
    pending: HashSet<(VrfId, Prefix)>,
    /// VRFs whose candidates are to be collected anew.
    stale: BTreeSet<VrfId>,
}

#[derive(Debug, Default)]
struct Imported {
    /// Destinations in the VPN table of the prefix's family whose best path is imported, by route distinguisher.
    candidates: Vec<u32>,
    told: Option<VpnPath>,
}

impl Imports {
    /// Replaces the policies; VRFs whose import differs collect their candidates anew.
    pub(crate) fn set_policies(&mut self, policies: BTreeMap<VrfId, VrfPolicy>) {
        let before = std::mem::replace(&mut self.policies, policies);
        let imports =
            |policy: Option<&VrfPolicy>| policy.map(|policy| policy.import.clone()).unwrap_or_default();
        for vrf in before.keys().chain(self.policies.keys()) {
            if imports(before.get(vrf)) != imports(self.policies.get(vrf)) {
                self.stale.insert(*vrf);
            }
        }
        self.by_target.clear();
        for (vrf, policy) in &self.policies {
            for target in &policy.import {
                self.by_target.entry(*target).or_default().push(*vrf);
            }
        }
    }

    /// The VRFs that import routes with these attributes.
    pub(crate) fn importers(&self, set: &AttributeSet) -> Vec<VrfId> {
        let mut vrfs: Vec<VrfId> =
            set.targets.iter().filter_map(|target| self.by_target.get(target)).flatten().copied().collect();
        vrfs.sort_unstable();
        vrfs.dedup();
        vrfs
    }

    /// A prefix of a VRF is to be chosen anew.
    pub(crate) fn reconsider(&mut self, vrf: VrfId, prefix: Prefix) {
        self.pending.insert((vrf, prefix));
    }

    /// Moves changed destinations into the VRFs that import them, and out of those that do no more.
    pub(crate) fn apply(&mut self, changes: &[Change], table: &dyn RibTable, sets: &AttributeSets) {
        if self.by_target.is_empty() {
            return;
        }
        for change in changes {
            let prefix = table.nlri(change.index, None).prefix;
            for vrf in change.old.map(|old| self.importers(&sets[old.set])).unwrap_or_default() {
                let candidates = self.candidates(vrf, prefix);
                if let Ok(at) = place(candidates, change.index, table) {
                    candidates.remove(at);
                }
            }
            for vrf in change.new.map(|new| self.importers(&sets[new.set])).unwrap_or_default() {
                self.add_candidate(vrf, prefix, change.index, table);
            }
        }
    }

    fn add_candidate(&mut self, vrf: VrfId, prefix: Prefix, index: u32, table: &dyn RibTable) {
        let candidates = self.candidates(vrf, prefix);
        if let Err(at) = place(candidates, index, table) {
            candidates.insert(at, index);
        }
    }

    /// Those of a prefix in a VRF, which is chosen anew.
    fn candidates(&mut self, vrf: VrfId, prefix: Prefix) -> &mut Vec<u32> {
        self.pending.insert((vrf, prefix));
        &mut self.vrfs.entry(vrf).or_default().entry(prefix).or_default().candidates
    }

    /// Collects the candidates of VRFs whose import has changed. The tables must hold no unresolved change.
    fn collect(&mut self, tables: &[Box<dyn RibTable>; 4], sets: &AttributeSets) {
        let stale = std::mem::take(&mut self.stale);
        for vrf in &stale {
            for (prefix, imported) in self.vrfs.entry(*vrf).or_default() {
                imported.candidates.clear();
                self.pending.insert((*vrf, *prefix));
            }
        }
        if stale.is_empty() {
            return;
        }
        for table in [Family::Vpnv4, Family::Vpnv6].map(|family| tables[family_index(family)].as_ref()) {
            for index in 0..table.end() {
                let Some(best) = table.best(index) else { continue };
                for vrf in self.importers(&sets[best.set]).into_iter().filter(|vrf| stale.contains(vrf)) {
                    self.add_candidate(vrf, table.nlri(index, None).prefix, index, table);
                }
            }
        }
    }

    /// Chooses for one prefix of a VRF; returns what the VRF is to be told: nothing of its `own` route.
    fn choose(
        &mut self,
        (vrf, prefix): (VrfId, Prefix),
        table: &dyn RibTable,
        decision: Decision<'_>,
        own: bool,
    ) -> Option<VrfRoute> {
        let routes = self.vrfs.get_mut(&vrf)?;
        let imported = routes.get_mut(&prefix)?;
        // Of paths that tie in everything the first wins, which has the lower route distinguisher.
        let paths: Vec<Path> = imported.candidates.iter().filter_map(|index| table.best(*index)).collect();
        let best = decision.best(&paths).filter(|_| !own);
        let path = best.map(|at| vpn_path(&paths[at], &decision.sets[paths[at].set]));
        let path = path.filter(|path| path.local != Some(vrf));
        let changed = path != imported.told;
        imported.told.clone_from(&path);
        if imported.candidates.is_empty() {
            routes.remove(&prefix);
        }
        changed.then_some(VrfRoute { vrf, prefix, path })
    }
}

impl Rib {
    /// Tells VRFs of what they import. The tables must hold no unresolved change.
    pub(crate) fn tell_vrfs(&mut self, out: &mut Vec<RibOutput>) {
        self.imports.collect(&self.tables, &self.sets);
        let mut pending: Vec<_> = self.imports.pending.drain().collect();
        pending.sort_unstable();
        for (vrf, prefix) in pending {
            let family = if matches!(prefix, Prefix::V4(_)) { Family::Vpnv4 } else { Family::Vpnv6 };
            let decision = Decision { sets: &self.sets };
            let table = self.tables[family_index(family)].as_ref();
            let own = self.origins.prevails(vrf, prefix);
            let told = self.imports.choose((vrf, prefix), table, decision, own);
            out.extend(told.map(RibOutput::Vrf));
        }
        self.imports.vrfs.retain(|_, routes| !routes.is_empty());
    }
}

/// Where a destination stands among those of one prefix, or belongs: no two have the same route distinguisher. A peer
/// may send one prefix under very many.
fn place(candidates: &[u32], index: u32, table: &dyn RibTable) -> Result<usize, usize> {
    let rd = |index: u32| table.nlri(index, None).rd;
    candidates.binary_search_by_key(&rd(index), |candidate| rd(*candidate))
}

fn vpn_path(path: &Path, set: &AttributeSet) -> VpnPath {
    VpnPath {
        sid: set.service.and_then(|service| service.folded(path.label())),
        behavior: set.service.map_or(Behavior(0), |service| service.behavior),
        next_hop: set.next_hop.global(),
        peer: path.peer,
        local: (path.peer == PeerId::LOCAL).then_some(VrfId(path.path_id)),
        external: set.source.kind == SourceKind::External,
        stale: path.is_stale(),
    }
}
