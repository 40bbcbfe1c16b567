//! Numbers by key that do not move.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Numbers from 1, by key. What was given stays, as long as the space holds it. What is given back goes to its former key again when that comes
/// back, and to others only when every number was given out before, the longest unused first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved<K>", into = "Saved<K>")]
#[serde(bound(serialize = "K: Ord + Clone + Serialize", deserialize = "K: Ord + Deserialize<'de>"))]
pub(super) struct Pool<K: Ord> {
    used: BTreeMap<K, u32>,
    /// Longest unused first; without a key where only the number is known (see [`Pool::adopt`]).
    retired: Vec<(Option<K>, u32)>,
}

/// A key that is to have a number.
pub(super) struct Want<K> {
    pub(super) key: K,
    /// Taken when no one ever had it.
    pub(super) preferred: Option<u32>,
}

/// Which numbers may be given.
pub(super) struct Space<'a> {
    /// The highest.
    pub(super) limit: u32,
    /// Numbers that someone else has.
    pub(super) taken: &'a BTreeSet<u32>,
}

/// As it stands in the state file.
#[derive(Serialize, Deserialize)]
struct Saved<K> {
    used: Vec<(K, u32)>,
    retired: Vec<(Option<K>, u32)>,
}

impl<K: Ord> Default for Pool<K> {
    fn default() -> Self {
        Self { used: BTreeMap::new(), retired: Vec::new() }
    }
}

impl<K: Ord + Clone> Pool<K> {
    pub(super) fn get(&self, key: &K) -> Option<u32> {
        self.used.get(key).copied()
    }

    /// Gives every wanted key a number, takes back those of all others, returns the keys that got none.
    ///
    /// A number that is taken back here is not given to another key in the same call: until the change has
    /// been applied, the dataplane still uses it.
    pub(super) fn settle(&mut self, wanted: &[Want<K>], space: &Space<'_>) -> Vec<K> {
        let mut reusable = self.retired.len();
        self.retire_all_but(&wanted.iter().map(|want| &want.key).collect(), space);
        let mut given = self.given();
        given.extend(space.taken);
        let mut fresh = (1..=space.limit).filter(|number| !given.contains(number));
        let mut preferred_given = BTreeSet::new();
        let mut refused = Vec::new();
        for Want { key, preferred } in wanted {
            if self.used.contains_key(key) {
                continue;
            }
            let preferred = preferred.filter(|n| (1..=space.limit).contains(n) && !given.contains(n));
            let number = self
                .former(key, space, &mut reusable)
                .or_else(|| preferred.filter(|n| preferred_given.insert(*n)))
                .or_else(|| fresh.find(|n| preferred_given.insert(*n)))
                .or_else(|| self.recycle(space, &mut reusable));
            match number {
                Some(number) => drop(self.used.insert(key.clone(), number)),
                None => refused.push(key.clone()),
            }
        }
        refused
    }

    /// Takes a number found in use: for `key` where that has none yet, else as a retired one whose key is unknown.
    pub(super) fn adopt(&mut self, key: Option<K>, number: u32) {
        if number == 0 || self.given().contains(&number) {
            return;
        }
        match key {
            Some(key) if !self.used.contains_key(&key) => drop(self.used.insert(key, number)),
            _ => self.retired.push((None, number)),
        }
    }

    fn given(&self) -> BTreeSet<u32> {
        self.used.values().copied().chain(self.retired.iter().map(|(_, number)| *number)).collect()
    }

    fn retire_all_but(&mut self, wanted: &BTreeSet<&K>, space: &Space<'_>) {
        let gone: Vec<(K, u32)> =
            self.used.extract_if(.., |key, number| !wanted.contains(key) || !space.holds(*number)).collect();
        self.retired.extend(gone.into_iter().map(|(key, number)| (Some(key), number)));
    }

    /// The number that `key` had before.
    fn former(&mut self, key: &K, space: &Space<'_>, reusable: &mut usize) -> Option<u32> {
        let at = self.retired.iter().position(|(owner, n)| owner.as_ref() == Some(key) && space.holds(*n))?;
        *reusable -= usize::from(at < *reusable);
        Some(self.retired.remove(at).1)
    }

    fn recycle(&mut self, space: &Space<'_>, reusable: &mut usize) -> Option<u32> {
        let at = self.retired[..*reusable].iter().position(|(_, number)| space.holds(*number))?;
        *reusable -= 1;
        Some(self.retired.remove(at).1)
    }
}

impl Space<'_> {
    fn holds(&self, number: u32) -> bool {
        number <= self.limit && !self.taken.contains(&number)
    }
}

impl<K: Ord> From<Pool<K>> for Saved<K> {
    fn from(pool: Pool<K>) -> Self {
        Self { used: pool.used.into_iter().collect(), retired: pool.retired }
    }
}

impl<K: Ord> TryFrom<Saved<K>> for Pool<K> {
    type Error = BadPool;

    fn try_from(saved: Saved<K>) -> Result<Self, BadPool> {
        let mut seen = BTreeSet::new();
        let numbers = saved.used.iter().map(|(_, n)| n).chain(saved.retired.iter().map(|(_, n)| n));
        for &number in numbers {
            if number == 0 || !seen.insert(number) {
                return Err(BadPool::Number(number));
            }
        }
        let entries = saved.used.len();
        let used: BTreeMap<K, u32> = saved.used.into_iter().collect();
        if used.len() != entries {
            return Err(BadPool::Key);
        }
        Ok(Self { used, retired: saved.retired })
    }
}

/// Why a state file is not one of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadPool {
    #[error(
        "number {0} is given out twice or not from 1 upwards; remove the state file, the maps are adopted"
    )]
    Number(u32),
    #[error("a name has two numbers; remove the state file, the maps are adopted")]
    Key,
}
