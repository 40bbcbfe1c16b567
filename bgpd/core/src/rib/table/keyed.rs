use std::{collections::VecDeque, hash::BuildHasher};

use bgp_wire::nlri::{Nlri, NlriList, Prefix};
use hashbrown::{DefaultHashBuilder, HashTable};
use srv6_types::Label;

use super::{Change, RibTable, Which};
use crate::{
    config::PeerId,
    rib::{
        attributes::{AttributeSets, SetMask},
        decision::Decision,
        key::{Key, KeyPrefix},
        path::{Path, Paths},
    },
};

/// A table keyed by what its family needs.
#[derive(Debug)]
pub(crate) struct Table<K> {
    slots: Vec<Slot<K>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// Seeded: peers choose the keys, and must not know which of them meet in one place.
    hasher: DefaultHashBuilder,
    changed: VecDeque<Queued>,
}

#[derive(Debug)]
struct Slot<K> {
    key: K,
    /// In `changed`.
    queued: bool,
    /// The first path is the best one as told; otherwise none is usable. Says nothing while queued.
    selected: bool,
    paths: Paths,
}

#[derive(Debug)]
struct Queued {
    index: u32,
    old: Option<Path>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            changed: VecDeque::new(),
        }
    }
}

impl<K: Key> Table<K> {
    fn find(&self, key: &K) -> Option<u32> {
        self.index.find(self.hasher.hash_one(key), |at| self.slots[*at as usize].key == *key).copied()
    }

    fn find_or_add(&mut self, key: K) -> u32 {
        if let Some(index) = self.find(&key) {
            return index;
        }
        let slot = Slot { key, queued: false, selected: false, paths: Paths::None };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hasher.hash_one(key), index, |at| hasher.hash_one(slots[*at as usize].key));
        index
    }

    /// To be called before the paths of a destination change.
    fn queue(&mut self, index: u32, sets: &mut AttributeSets) {
        let slot = &mut self.slots[index as usize];
        if slot.queued {
            return;
        }
        slot.queued = true;
        let old = slot.paths.as_slice().first().filter(|_| slot.selected).copied();
        if let Some(old) = old {
            sets.retain(old.set);
        }
        self.changed.push_back(Queued { index, old });
    }

    /// Whether the path is new; an equal one that was there already changes nothing but its being stale.
    fn upsert(&mut self, key: K, path: Path, sets: &mut AttributeSets) -> bool {
        let index = self.find_or_add(key);
        let at = self.slots[index as usize].paths.as_slice().iter().position(|held| held.replaces(&path));
        let Some(at) = at else {
            self.queue(index, sets);
            sets.retain(path.set);
            self.slots[index as usize].paths.push(path);
            return true;
        };
        let held = self.slots[index as usize].paths.as_slice()[at];
        if held != path {
            self.queue(index, sets);
            sets.retain(path.set);
            sets.release(held.set);
            self.slots[index as usize].paths.as_mut_slice()[at] = path;
        }
        false
    }

    /// Removes the paths of one destination that `goes` says yes to.
    fn remove_where(&mut self, index: u32, sets: &mut AttributeSets, goes: impl Fn(&Path) -> bool) -> usize {
        let mut removed = 0;
        while let Some(at) = self.slots[index as usize].paths.as_slice().iter().position(&goes) {
            self.queue(index, sets);
            let paths = &mut self.slots[index as usize].paths;
            sets.release(paths.as_slice()[at].set);
            paths.remove(at);
            removed += 1;
        }
        removed
    }

    fn indexes(&self) -> std::ops::Range<u32> {
        0..self.slots.len() as u32
    }

    /// Gives the index of a destination without paths back.
    fn vacate(&mut self, index: u32) {
        let hash = self.hasher.hash_one(self.slots[index as usize].key);
        if let Ok(entry) = self.index.find_entry(hash, |at| *at == index) {
            entry.remove();
            self.free.push(index);
        }
    }
}

impl<K: Key> RibTable for Table<K> {
    fn announce(&mut self, list: &NlriList, path: Path, sets: &mut AttributeSets) -> usize {
        let mut added = 0;
        for entry in K::Prefix::entries(list) {
            let path = Path::new(path.set, path.peer, entry.path_id, entry.label);
            added += usize::from(self.upsert(K::from_entry(&entry), path, sets));
        }
        added
    }

    fn withdraw(&mut self, list: &NlriList, peer: PeerId, sets: &mut AttributeSets) -> usize {
        let mut removed = 0;
        for entry in K::Prefix::entries(list) {
            if let Some(index) = self.find(&K::from_entry(&entry)) {
                removed +=
                    self.remove_where(index, sets, |path| path.peer == peer && path.path_id == entry.path_id);
            }
        }
        removed
    }

    fn insert(&mut self, nlri: &Nlri, path: Path, sets: &mut AttributeSets) {
        if let Some(key) = K::from_nlri(nlri) {
            self.upsert(key, path, sets);
        }
    }

    fn remove(&mut self, nlri: &Nlri, peer: PeerId, path_id: u32, sets: &mut AttributeSets) {
        if let Some(index) = K::from_nlri(nlri).and_then(|key| self.find(&key)) {
            self.remove_where(index, sets, |path| path.peer == peer && path.path_id == path_id);
        }
    }

    fn remove_peer(&mut self, peer: PeerId, which: Which, sets: &mut AttributeSets) -> usize {
        let goes = |path: &Path| path.peer == peer && (which == Which::All || path.is_stale());
        self.indexes().map(|index| self.remove_where(index, sets, goes)).sum()
    }

    fn mark_stale(&mut self, peer: PeerId, sets: &mut AttributeSets) {
        for index in self.indexes() {
            let fresh = |path: &Path| path.peer == peer && !path.is_stale();
            if self.slots[index as usize].paths.as_slice().iter().any(fresh) {
                self.queue(index, sets);
                let paths = self.slots[index as usize].paths.as_mut_slice();
                paths.iter_mut().filter(|path| path.peer == peer).for_each(Path::set_stale);
            }
        }
    }

    fn reconsider(&mut self, affected: &SetMask, sets: &mut AttributeSets) {
        for index in self.indexes() {
            let paths = self.slots[index as usize].paths.as_slice();
            if paths.iter().any(|path| affected.contains(path.set)) {
                self.queue(index, sets);
            }
        }
    }

    fn resolve(&mut self, limit: usize, decision: Decision<'_>) -> Vec<Change> {
        let count = limit.min(self.changed.len());
        let resolved = self.changed.drain(..count).map(|Queued { index, old }| {
            let slot = &mut self.slots[index as usize];
            let paths = slot.paths.as_mut_slice();
            let best = decision.best(paths);
            if let Some(at) = best {
                paths.swap(0, at);
            }
            slot.selected = best.is_some();
            slot.queued = false;
            Change { index, old, new: best.map(|_| paths[0]) }
        });
        let changes = resolved.collect();
        if self.changed.is_empty() {
            self.changed = VecDeque::new();
        }
        changes
    }

    fn settle(&mut self, changes: &[Change], sets: &mut AttributeSets) {
        for change in changes {
            if let Some(old) = change.old {
                sets.release(old.set);
            }
            if self.slots[change.index as usize].paths.as_slice().is_empty() {
                self.vacate(change.index);
            }
        }
        // The memory of a full table goes with its last route.
        if self.index.is_empty() && self.changed.is_empty() {
            *self = Self::default();
        }
    }

    fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    fn best(&self, index: u32) -> Option<Path> {
        let slot = &self.slots[index as usize];
        slot.paths.as_slice().first().filter(|_| slot.selected).copied()
    }

    fn nlri(&self, index: u32, label: Option<Label>) -> Nlri {
        self.slots[index as usize].key.nlri(label)
    }

    fn paths(&self, index: u32) -> &[Path] {
        self.slots[index as usize].paths.as_slice()
    }

    fn end(&self) -> u32 {
        self.slots.len() as u32
    }

    fn sorted(&self, prefix: Option<Prefix>) -> Vec<u32> {
        let held = |index: &u32| {
            let slot = &self.slots[*index as usize];
            !slot.paths.as_slice().is_empty()
                && prefix.is_none_or(|prefix| slot.key.prefix().into() == prefix)
        };
        let mut indexes: Vec<u32> = self.indexes().filter(held).collect();
        indexes.sort_by_key(|index| self.slots[*index as usize].key);
        indexes
    }
}

#[cfg(test)]
mod tests {
    use bgp_wire::nlri::Prefix4;

    use super::*;
    use crate::rib::key::Unicast;

    #[test]
    fn where_keys_meet_cannot_be_known_beforehand() {
        let places = (0..8).map(|_| Table::<Unicast<Prefix4>>::default().hasher.hash_one(7));
        assert!(places.collect::<std::collections::BTreeSet<_>>().len() > 1);
    }
}
