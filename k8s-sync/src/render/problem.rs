use std::fmt;

use crate::world::ObjectRef;

/// An object that cannot be had as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Which.
    pub object: ObjectRef,
    /// Reason of the condition `Accepted`.
    pub reason: Reason,
    /// Place in the object, what is wrong, and the remedy.
    pub message: String,
}

/// Reasons of the condition `Accepted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A value means nothing.
    Invalid,
    /// It names what is not there.
    NotFound,
    /// Another object has it already.
    Conflict,
    /// The node has not been given what it needs yet.
    Pending,
    /// More than the node takes.
    LimitExceeded,
    /// Not to be had by this version.
    Unsupported,
}

impl Problem {
    /// Of an object.
    pub fn new(object: ObjectRef, reason: Reason, message: impl fmt::Display) -> Self {
        Self { object, reason, message: message.to_string() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.message)
    }
}
