//! The tables as the CLI shows them.

use bgp_wire::{
    Family,
    nlri::{Nlri, Prefix},
};

use super::{
    Rib, RouteView,
    decision::{Decision, Step},
    key::family_index,
    path::Path,
};

impl Rib {
    /// Every path of a family, in the order of the prefixes; of one prefix only where given. What has not been
    /// flushed is shown as it will be.
    pub fn routes(&self, family: Family, prefix: Option<Prefix>) -> Vec<RouteView> {
        let mut views = Vec::new();
        self.for_each_route(family, prefix, |view| views.push(view));
        views
    }

    /// As [`Rib::routes`], without all of them at once in memory.
    pub fn for_each_route(&self, family: Family, prefix: Option<Prefix>, mut show: impl FnMut(RouteView)) {
        let table = self.tables[family_index(family)].as_ref();
        let decision = Decision { sets: &self.sets };
        for index in table.sorted(prefix) {
            let (nlri, paths) = (table.nlri(index, None), table.paths(index));
            for (path, lost_at) in paths.iter().zip(decision.explain(paths)) {
                show(self.view(&nlri, path, lost_at));
            }
        }
    }

    /// Number of distinct attribute sets held.
    pub fn attribute_sets(&self) -> usize {
        self.sets.len()
    }

    fn view(&self, nlri: &Nlri, path: &Path, lost_at: Option<Step>) -> RouteView {
        let set = &self.sets[path.set];
        let best = lost_at.is_none();
        RouteView {
            peer: path.peer,
            rd: nlri.rd,
            prefix: nlri.prefix,
            path_id: path.path_id,
            label: path.label(),
            attributes: set.decode(),
            local_pref: set.rank.local_pref,
            next_hop: set.next_hop,
            sid: set.service.and_then(|service| service.folded(path.label())),
            best,
            stale: path.is_stale(),
            lost_at,
            imported_into: if best { self.imports.importers(set) } else { Vec::new() },
        }
    }
}
