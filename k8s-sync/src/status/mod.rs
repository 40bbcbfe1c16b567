//! What a node tells of itself: its NodeState, written by its agent alone, and Events on it.

mod condition;

pub(crate) use condition::{ACCEPTED, PROGRAMMED, READY, Verdict, holds};
