//! What has changed goes out: to peers, to VRFs, to the kernel's table.
//!
//! Changes come before dumps: when a dump moves, every destination's best path is the one that all others have been
//! told. Its place in the table then says exactly what its cohort holds.

use bgp_wire::Family;

use super::{
    Rib, RibOutput, UnicastPath, UnicastRoute,
    advertise::Teller,
    attributes::{AttributeSets, SourceKind},
    decision::Decision,
    key::family_index,
    path::Path,
    table::{Change, RibTable},
};
use crate::config::PeerId;

/// A dump to a peer that asked for it and holds it all already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refresh {
    pub(crate) peer: PeerId,
    pub(crate) family: Family,
    pub(crate) next: u32,
}

impl Rib {
    /// Hands out what has changed since. Bounded work: call again as long as it returns `true`, though not before
    /// the peers' buffers have room again.
    pub fn flush(&mut self, out: &mut Vec<RibOutput>) -> bool {
        // While nothing is selected they are looked up already.
        let moved = self.sets.next_hops.moved();
        if !moved.is_empty() {
            out.push(RibOutput::NextHops(moved));
        }
        if self.deferred {
            return false;
        }
        let mut budget = self.budget.changes;
        for family in Family::ALL {
            let decision = Decision { sets: &self.sets };
            let changes = self.tables[family_index(family)].resolve(budget, decision);
            budget -= changes.len();
            if !changes.is_empty() {
                self.tell(family, &changes, out);
                self.tables[family_index(family)].settle(&changes, &mut self.sets);
            }
        }
        if self.tables.iter().any(|table| table.is_changed()) {
            return true;
        }
        self.tell_vrfs(out);
        let dumping = self.dump(out);
        self.answer_refreshes(out) || dumping
    }

    fn tell(&mut self, family: Family, changes: &[Change], out: &mut Vec<RibOutput>) {
        let table = self.tables[family_index(family)].as_ref();
        match family.is_vpn() {
            true => self.imports.apply(changes, table, &self.sets),
            false => out.extend(changes.iter().filter_map(|change| unicast(change, table, &self.sets))),
        }
        for group in self.groups.iter_mut().filter(|group| group.class.speaks(family)) {
            let teller = Teller::new(&group.class, family, table, &self.sets, &self.speaker);
            for cohort in &mut group.cohorts {
                teller.changes(changes, cohort, &mut self.peers, out);
            }
        }
    }

    fn dump(&mut self, out: &mut Vec<RibOutput>) -> bool {
        let mut more = false;
        for group in self.groups.iter_mut() {
            for family in Family::ALL.into_iter().filter(|family| group.class.speaks(*family)) {
                let table = self.tables[family_index(family)].as_ref();
                let teller = Teller::new(&group.class, family, table, &self.sets, &self.speaker);
                for cohort in &mut group.cohorts {
                    more |= teller.dump(cohort, self.budget.dump, &mut self.peers, out);
                }
            }
            group.merge();
        }
        more
    }

    fn answer_refreshes(&mut self, out: &mut Vec<RibOutput>) -> bool {
        self.refreshes.retain_mut(|refresh| {
            let Some((group, _)) = self.groups.find(refresh.peer) else { return false };
            let (class, family) = (&group.class, refresh.family);
            let table = self.tables[family_index(family)].as_ref();
            Teller::new(class, family, table, &self.sets, &self.speaker).refresh(
                refresh,
                self.budget.dump,
                out,
            )
        });
        !self.refreshes.is_empty()
    }
}

/// What the kernel's table is to be told of a change, if anything.
fn unicast(change: &Change, table: &dyn RibTable, sets: &AttributeSets) -> Option<RibOutput> {
    let usable = |path: Path| {
        let set = &sets[path.set];
        (set.source.kind != SourceKind::Local).then(|| UnicastPath {
            next_hop: set.next_hop.forwarding(),
            peer: path.peer,
            peer_address: set.source.address,
            external: set.source.kind == SourceKind::External,
        })
    };
    let (old, path) = (change.old.and_then(usable), change.new.and_then(usable));
    let prefix = table.nlri(change.index, None).prefix;
    (old != path).then_some(RibOutput::Unicast(UnicastRoute { prefix, path }))
}
