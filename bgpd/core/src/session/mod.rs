//! The session: RFC 4271 section 8, capabilities, collisions, timers.
//!
//! [`step`] is a total function of (state, event, now). One state machine per connection: who owns the
//! connections, and the two that a peer may have for a moment, is [`crate::speaker`]'s concern.

mod collision;
mod damping;
mod event;
mod negotiate;
mod notification;
mod state;
mod step;

pub use collision::{Direction, Survivor, survivor};
pub use damping::Damping;
pub use event::{Action, Down, Event};
pub use negotiate::{Local, Negotiated};
pub use notification::{cease, cease_code, describe};
pub use state::{Liveness, State};
pub use step::step;

#[cfg(test)]
mod tests;
