//! The tables as the CLI shows them.

use bgp_wire::{Family, nlri::Prefix};

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
        let table = self.tables[family_index(family)].as_ref();
        let decision = Decision { sets: &self.sets, next_hops: &self.next_hops };
        let mut views = Vec::new();
        for index in table.sorted() {
            let nlri = table.nlri(index, None);
            if prefix.is_some_and(|prefix| prefix != nlri.prefix) {
                continue;
            }
            let paths = table.paths(index);
            for (path, lost_at) in paths.iter().zip(decision.explain(paths)) {
                views.push(RouteView { rd: nlri.rd, prefix: nlri.prefix, ..self.view(path, lost_at) });
            }
        }
        views
    }

    /// Number of distinct attribute sets held.
    pub fn attribute_sets(&self) -> usize {
        self.sets.len()
    }

    fn view(&self, path: &Path, lost_at: Option<Step>) -> RouteView {
        let set = &self.sets[path.set];
        let best = lost_at.is_none();
        let service = set.prefix_sid.as_ref().and_then(|prefix_sid| prefix_sid.service_sid(path.label()));
        RouteView {
            peer: path.peer,
            rd: None,
            prefix: Prefix::V4(Default::default()),
            path_id: path.path_id,
            label: path.label(),
            attributes: set.decode(),
            next_hop: set.next_hop,
            sid: service.map(|(sid, _)| sid),
            best,
            stale: path.is_stale(),
            lost_at,
            imported_into: if best { self.imports.importers(set) } else { Vec::new() },
        }
    }
}
