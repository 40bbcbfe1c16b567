//! How much a peer may leave unread; see the crate's first page.

use std::time::{Duration, Instant};

/// Octets queued for one peer beyond which the tables wait for it.
pub const SOFT: usize = 4 << 20;
/// How long they wait.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// Octets queued beyond which the peer is dropped. Peers of a group share them.
pub const HARD: usize = 256 << 20;

/// What a queue calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Nothing.
    None,
    /// The tables wait, until then at most.
    Wait(Instant),
    /// The peer is dropped.
    Drop,
}

/// One queue over time.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    behind_since: Option<Instant>,
}

impl Backlog {
    pub(crate) fn pressure(&mut self, queued: usize, now: Instant) -> Pressure {
        if queued > HARD {
            return Pressure::Drop;
        }
        // A peer that was not waited for any longer must come quite clear before it is waited for again.
        if queued < SOFT / 2 {
            self.behind_since = None;
        }
        if queued <= SOFT {
            return Pressure::None;
        }
        let until = *self.behind_since.get_or_insert(now) + PATIENCE;
        if now < until { Pressure::Wait(until) } else { Pressure::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_does_not_drain_is_waited_for_once_and_dropped_in_the_end() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        assert_eq!(backlog.pressure(SOFT, start), Pressure::None);
        assert_eq!(backlog.pressure(SOFT + 1, start), Pressure::Wait(start + PATIENCE));
        assert_eq!(backlog.pressure(SOFT + 1, start + PATIENCE), Pressure::None);
        assert_eq!(backlog.pressure(SOFT, start + PATIENCE), Pressure::None);
        assert_eq!(backlog.pressure(SOFT + 1, start + PATIENCE), Pressure::None, "not clear yet");
        assert_eq!(backlog.pressure(HARD + 1, start + PATIENCE), Pressure::Drop);
    }

    #[test]
    fn a_peer_that_drained_is_waited_for_again() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        backlog.pressure(SOFT + 1, start);
        backlog.pressure(0, start + PATIENCE);
        let later = start + PATIENCE * 2;
        assert_eq!(backlog.pressure(SOFT + 1, later), Pressure::Wait(later + PATIENCE));
    }
}
