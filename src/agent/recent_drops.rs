//! The last packets that were dropped, from the programs' sample, so that `show drops` can say which they were.

use std::{collections::VecDeque, future, io, time::Instant};

use srv6_dp::ebpf::{DroppedPacket, Events};
use tokio::io::{Interest, unix::AsyncFd};

/// How many are kept.
const KEPT: usize = 32;

/// Reads the ring of events.
pub(super) struct RecentDrops {
    ring: Option<AsyncFd<Events>>,
    recent: VecDeque<(Instant, DroppedPacket)>,
}

impl RecentDrops {
    /// `None`: the programs have no ring, and nothing is ever collected.
    pub(super) fn new(events: Option<Events>) -> io::Result<Self> {
        let ring =
            events.map(|events| AsyncFd::register_with_interest(events, Interest::READABLE)).transpose()?;
        Ok(Self { ring, recent: VecDeque::with_capacity(KEPT) })
    }

    /// Waits for drops and takes those that are there. Cancel safe.
    pub(super) async fn collect(&mut self) -> io::Result<()> {
        let Some(ring) = &mut self.ring else { return future::pending().await };
        let mut ready = ring.readable_mut().await?;
        let now = Instant::now();
        for dropped in ready.get_inner_mut().by_ref() {
            if self.recent.len() == KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back((now, dropped));
        }
        ready.clear_ready();
        Ok(())
    }

    /// The newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Instant, DroppedPacket)> {
        self.recent.iter().rev()
    }
}
