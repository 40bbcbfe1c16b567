//! What a node tells of itself: its NodeState, written by its agent alone, and Events on it.
//!
//! The agent hands over what is so, as often as it likes; [`NodeStateWriter`] sees to it that the API server hears of changes only, and not
//! too often. [`conditions`] says what the facts amount to.

mod condition;
mod facts;
mod kept;
mod session;
mod writer;

pub(crate) use condition::{ACCEPTED, PROGRAMMED, READY, Verdict, holds};
pub use facts::{Facts, conditions};
pub use k8s_openapi::jiff::Timestamp;
pub use writer::NodeStateWriter;
