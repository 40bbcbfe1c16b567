//! How much a peer may leave unread; see the crate's first page.

use std::time::{Duration, Instant};

/// Octets queued for one peer beyond which the tables wait for it.
pub const SOFT: usize = 4 << 20;
/// How long they wait.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// Octets queued beyond which the peer is dropped. Peers of a group share them.
pub const HARD: usize = 256 << 20;
/// A peer that takes not one octet of its queue for this long is dropped (RFC 9687 section 5.1).
pub const SEND_HOLD: Duration = Duration::from_secs(480);

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
    /// Octets taken in all, and when that was seen to change.
    progress: Option<(u64, Instant)>,
}

impl Backlog {
    /// `queued` octets wait, `taken` have gone since the connection is up.
    pub(crate) fn pressure(&mut self, queued: usize, taken: u64, now: Instant) -> Pressure {
        if queued > HARD || self.is_stuck(queued, taken, now) {
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

    /// The queue was empty: from now on progress is due.
    pub(crate) fn begins(&mut self) {
        self.progress = None;
    }

    fn is_stuck(&mut self, queued: usize, taken: u64, now: Instant) -> bool {
        match self.progress {
            Some((before, since)) if before == taken && queued > 0 => now >= since + SEND_HOLD,
            _ => {
                self.progress = Some((taken, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_does_not_drain_is_waited_for_once_and_dropped_in_the_end() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        assert_eq!(backlog.pressure(SOFT, 0, start), Pressure::None);
        assert_eq!(backlog.pressure(SOFT + 1, 0, start), Pressure::Wait(start + PATIENCE));
        assert_eq!(backlog.pressure(SOFT + 1, 0, start + PATIENCE), Pressure::None);
        assert_eq!(backlog.pressure(SOFT, 0, start + PATIENCE), Pressure::None);
        assert_eq!(backlog.pressure(SOFT + 1, 0, start + PATIENCE), Pressure::None, "not clear yet");
        assert_eq!(backlog.pressure(HARD + 1, 0, start + PATIENCE), Pressure::Drop);
    }

    #[test]
    fn a_peer_that_drained_is_waited_for_again() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        backlog.pressure(SOFT + 1, 0, start);
        backlog.pressure(0, 1, start + PATIENCE);
        let later = start + PATIENCE * 2;
        assert_eq!(backlog.pressure(SOFT + 1, 0, later), Pressure::Wait(later + PATIENCE));
    }

    #[test]
    fn a_peer_that_takes_nothing_of_a_short_queue_is_dropped_too() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        assert_eq!(backlog.pressure(19, 0, start), Pressure::None);
        assert_eq!(backlog.pressure(19, 1, start + SEND_HOLD), Pressure::None, "one octet is progress");
        assert_eq!(backlog.pressure(38, 1, start + SEND_HOLD * 2), Pressure::Drop);
    }

    #[test]
    fn an_idle_connection_is_not_stuck() {
        let start = Instant::now();
        let mut backlog = Backlog::default();
        assert_eq!(backlog.pressure(0, 0, start), Pressure::None);
        assert_eq!(backlog.pressure(0, 0, start + SEND_HOLD * 2), Pressure::None);
        assert_eq!(backlog.pressure(19, 0, start + SEND_HOLD * 2), Pressure::None, "queued just now");
    }
}
