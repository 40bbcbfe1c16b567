//! RFC 4271 section 6.8: one of two connections between the same speakers is closed.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::State;

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// We did.
    Outgoing,
    /// The peer did.
    Incoming,
}

/// Which connection stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivor {
    /// The one on which an OPEN has just come; the other is told Cease 6/7.
    New,
    /// The other one; this one is told Cease 6/7.
    Old,
    /// The new one: the peer has restarted, the old one is closed without a word and its routes are kept.
    Restarted,
}

/// Two connections that come up together cross within this time: later, a new one is a restart.
const CROSSING: Duration = Duration::from_secs(2);

/// Decides when an OPEN of (`remote_id`, `remote_as`) comes on a connection of direction `new` while the other
/// is in `old`. The identifier's bearer keeps the connection that it opened; RFC 6286 breaks ties by AS.
pub fn survivor(
    local: (Ipv4Addr, u32),
    remote: (Ipv4Addr, u32),
    (new, old_direction): (Direction, Direction),
    old: &State,
    now: Instant,
) -> Survivor {
    match old {
        State::Idle { .. } | State::Connect { .. } | State::Active { .. } => Survivor::New,
        State::Established { session, since, .. } if now.duration_since(*since) >= CROSSING => {
            match session.peer_restarts_gracefully() && new == Direction::Incoming {
                true => Survivor::Restarted,
                false => Survivor::Old,
            }
        }
        State::OpenSent { .. } | State::OpenConfirm { .. } if new == old_direction => Survivor::New,
        State::Established { .. } => Survivor::Old,
        State::OpenSent { .. } | State::OpenConfirm { .. } => match ((local > remote), new) {
            (true, Direction::Outgoing) | (false, Direction::Incoming) => Survivor::New,
            (true, Direction::Incoming) | (false, Direction::Outgoing) => Survivor::Old,
        },
    }
}
