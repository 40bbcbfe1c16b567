use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::world::ObjectRef;

/// Waiting time after a write that failed, doubled each time.
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// Objects whose status could not be written. Each waits for itself: one that is refused does not hold up the others.
#[derive(Debug, Default)]
pub(super) struct Patience(BTreeMap<ObjectRef, Wait>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    next: Duration,
}

impl Patience {
    pub(super) fn allows(&self, object: &ObjectRef, now: Instant) -> bool {
        self.0.get(object).is_none_or(|wait| wait.until <= now)
    }

    pub(super) fn failed(&mut self, object: &ObjectRef, now: Instant) {
        let wait = self.0.get(object).map_or(FIRST, |wait| wait.next);
        self.0.insert(object.clone(), Wait { until: now + wait, next: (wait * 2).min(MOST) });
    }

    pub(super) fn succeeded(&mut self, object: &ObjectRef) {
        self.0.remove(object);
    }

    /// Keeps those that there is still something to be written for.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&ObjectRef) -> bool) {
        self.0.retain(|object, _| is_wanted(object));
    }

    /// When the next one is to be tried again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|wait| wait.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_waits_for_itself_and_ever_longer() {
        let (refused, other) = (ObjectRef::cluster("Vrf", "red"), ObjectRef::cluster("Vrf", "blue"));
        let (mut patience, mut now) = (Patience::default(), Instant::now());
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            patience.failed(&refused, now);
            assert_eq!(patience.due(), Some(now + Duration::from_secs(seconds)));
            assert!(patience.allows(&other, now) && !patience.allows(&refused, now));
            now += Duration::from_secs(seconds);
            assert!(patience.allows(&refused, now));
        }
        patience.failed(&other, now);
        patience.succeeded(&refused);
        assert!(patience.due().is_some());
        patience.retain(|object| *object != other);
        assert_eq!(patience.due(), None);
    }
}
