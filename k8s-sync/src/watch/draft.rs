//! The world while it is written.

use std::{collections::BTreeMap, sync::Arc};

use super::kind::{Name, Watched};
use crate::world::{ObjectRef, World};

/// What has been told so far. The world is shared with its readers and copied when it changes while they read it.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) world: Arc<World>,
    /// Objects that cannot be read, with the reason. What was known of them stays.
    pub(super) unreadable: BTreeMap<ObjectRef, String>,
}

/// A change of the draft; says whether anything is otherwise now.
pub(super) type Edit = Box<dyn FnOnce(&mut Draft) -> bool + Send>;

/// All objects of a kind.
pub(super) struct Listing<W: Watched> {
    entries: BTreeMap<W::Name, W::Entry>,
    unreadable: BTreeMap<W::Name, String>,
}

impl<W: Watched> Default for Listing<W> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), unreadable: BTreeMap::new() }
    }
}

impl<W: Watched> Listing<W> {
    pub(super) fn add(&mut self, name: W::Name, read: Result<Option<W::Entry>, String>) {
        match read {
            Ok(Some(entry)) => drop(self.entries.insert(name, entry)),
            Ok(None) => {}
            Err(reason) => drop(self.unreadable.insert(name, reason)),
        }
    }
}

impl Draft {
    /// One object is as it was read now.
    pub(super) fn put<W: Watched>(&mut self, name: W::Name, read: Result<Option<W::Entry>, String>) -> bool {
        match read {
            Ok(Some(entry)) => self.clear::<W>(&name) | self.insert::<W>(name, entry),
            Ok(None) => self.remove::<W>(&name),
            Err(reason) => {
                let before = self.unreadable.insert(name.object(W::KIND), reason.clone());
                before.is_none_or(|before| before != reason)
            }
        }
    }

    /// One object is gone.
    pub(super) fn remove<W: Watched>(&mut self, name: &W::Name) -> bool {
        let cleared = self.clear::<W>(name);
        if !W::table(&self.world).contains_key(name) {
            return cleared;
        }
        W::table_mut(Arc::make_mut(&mut self.world)).remove(name);
        true
    }

    /// A whole list, or that of one object only: what it lacks is gone.
    pub(super) fn replace<W: Watched>(&mut self, listing: Listing<W>, only: Option<&W::Name>) -> bool {
        let Listing { entries, unreadable } = listing;
        let known = W::table(&self.world).keys().filter(|name| only.is_none_or(|only| only == *name));
        let is_gone = |name: &&W::Name| !entries.contains_key(name) && !unreadable.contains_key(name);
        let gone: Vec<W::Name> = known.filter(is_gone).cloned().collect();
        let mut changed = self.forget_unreadable::<W>(&unreadable);
        for name in &gone {
            changed |= self.remove::<W>(name);
        }
        for (name, entry) in entries {
            changed |= self.insert::<W>(name, entry);
        }
        for (name, reason) in unreadable {
            changed |= self.put::<W>(name, Err(reason));
        }
        changed
    }

    fn insert<W: Watched>(&mut self, name: W::Name, entry: W::Entry) -> bool {
        if W::table(&self.world).get(&name) == Some(&entry) {
            return false;
        }
        W::table_mut(Arc::make_mut(&mut self.world)).insert(name, entry);
        true
    }

    fn clear<W: Watched>(&mut self, name: &W::Name) -> bool {
        !self.unreadable.is_empty() && self.unreadable.remove(&name.object(W::KIND)).is_some()
    }

    fn forget_unreadable<W: Watched>(&mut self, still: &BTreeMap<W::Name, String>) -> bool {
        let still: Vec<ObjectRef> = still.keys().map(|name| name.object(W::KIND)).collect();
        let before = self.unreadable.len();
        self.unreadable.retain(|object, _| object.kind != W::KIND || still.contains(object));
        self.unreadable.len() != before
    }
}
