//! The last packets that were dropped, from the programs' sample, so that `show drops` can say which they were.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use srv6_dp::ebpf::{DroppedPacket, Events};

/// How many are kept.
const KEPT: usize = 32;

/// How often the ring is emptied: the programs write a thousand a second at most, and the ring holds more than that.
pub(super) const PERIOD: Duration = Duration::from_millis(500);

/// Reads the ring of events; without one, nothing is ever collected.
pub(super) struct RecentDrops {
    ring: Option<Events>,
    recent: VecDeque<(Instant, DroppedPacket)>,
}

impl RecentDrops {
    pub(super) fn new(ring: Option<Events>) -> Self {
        Self { ring, recent: VecDeque::with_capacity(KEPT) }
    }

    /// Takes the drops that are there.
    pub(super) fn collect(&mut self) {
        let now = Instant::now();
        for dropped in self.ring.iter_mut().flatten() {
            if self.recent.len() == KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back((now, dropped));
        }
    }

    /// The newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Instant, DroppedPacket)> {
        self.recent.iter().rev()
    }
}
