//! Which slots of an array are free.
//!
//! What is given back may still be read by a packet on its way: it is given out again only after those have passed, or
//! a packet of one tenant could go by what is another's.

use std::{collections::BTreeMap, io};

use super::sys;

pub(super) struct Ranges {
    /// Start to length. No packet can know them.
    free: BTreeMap<u32, u32>,
    /// Packets may.
    retired: Vec<(u32, u32)>,
}

/// The slots that are in use when an array is taken over.
pub(super) struct Claims(Vec<bool>);

impl Claims {
    pub(super) fn new(slots: u32) -> Self {
        Self(vec![false; slots as usize])
    }

    /// Whether the slots are there and nobody else's: otherwise the array is torn.
    pub(super) fn claim(&mut self, start: u32, length: u32) -> bool {
        let (start, length) = (start as usize, length as usize);
        let slots = self.0.get_mut(start..start.saturating_add(length));
        let Some(slots) = slots.filter(|slots| !slots.contains(&true)) else { return false };
        slots.fill(true);
        true
    }

    /// All others. A process before this one may have freed them just now.
    pub(super) fn into_ranges(self) -> Ranges {
        let slots = (0..).zip(self.0).filter(|(_, used)| !used);
        Ranges { free: BTreeMap::new(), retired: slots.map(|(slot, _)| (slot, 1)).collect() }
    }
}

impl Ranges {
    /// `length` slots in a row, if there are.
    pub(super) fn take(&mut self, length: u32) -> Option<u32> {
        self.first_fit(length).or_else(|| {
            if self.retired.is_empty() {
                return None;
            }
            if let Err(error) = sys::wait_for_readers() {
                wait_instead(&error);
            }
            self.reclaim();
            self.first_fit(length)
        })
    }

    /// Gives slots back that nothing leads to any more.
    pub(super) fn retire(&mut self, start: u32, length: u32) {
        if length > 0 {
            self.retired.push((start, length));
        }
    }

    fn first_fit(&mut self, length: u32) -> Option<u32> {
        let (start, found) = self.free.iter().find(|(_, found)| **found >= length)?;
        let (start, found) = (*start, *found);
        self.free.remove(&start);
        if found > length {
            self.free.insert(start + length, found - length);
        }
        Some(start)
    }

    /// Makes one of what lies side by side.
    fn reclaim(&mut self) {
        let mut ranges: Vec<_> = std::mem::take(&mut self.free).into_iter().collect();
        ranges.append(&mut self.retired);
        ranges.sort_unstable();
        for (start, length) in ranges {
            match self.free.last_entry() {
                Some(mut last) if *last.key() + *last.get() == start => *last.get_mut() += length,
                _ => drop(self.free.insert(start, length)),
            }
        }
    }
}

/// Where membarrier(2) is not to be had (nohz_full, seccomp): no packet stays in a program for so long.
fn wait_instead(error: &io::Error) {
    tracing::debug!(%error, "no membarrier");
    std::thread::sleep(std::time::Duration::from_millis(100));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_claimed_twice_or_is_not_there_is_torn() {
        let mut claims = Claims::new(8);
        assert!(claims.claim(2, 3));
        assert!(!claims.claim(4, 2));
        assert!(!claims.claim(7, 2));
        assert!(!claims.claim(u32::MAX, 2));
        assert!(claims.claim(5, 3));
        let mut ranges = claims.into_ranges();
        assert_eq!((ranges.take(3), ranges.take(2), ranges.take(1)), (None, Some(0), None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Without the wait for readers, of whom there are none. Each step takes so many slots, or gives the oldest back.
        #[test]
        fn no_slot_has_two_owners_and_none_is_lost(steps in prop::collection::vec(0u32..5, 1..200)) {
            let mut ranges = Claims::new(32).into_ranges();
            ranges.reclaim();
            let (mut taken, mut in_use) = (std::collections::VecDeque::new(), BTreeSet::new());
            for length in steps {
                if length == 0 {
                    let Some((start, length)) = taken.pop_front() else { continue };
                    ranges.retire(start, length);
                    (start..start + length).for_each(|slot| assert!(in_use.remove(&slot)));
                    ranges.reclaim();
                } else if let Some(start) = ranges.first_fit(length) {
                    taken.push_back((start, length));
                    (start..start + length).for_each(|slot| assert!(slot < 32 && in_use.insert(slot)));
                }
            }
            taken.into_iter().for_each(|(start, length)| ranges.retire(start, length));
            ranges.reclaim();
            prop_assert_eq!(ranges.first_fit(32), Some(0));
        }
    }
}
