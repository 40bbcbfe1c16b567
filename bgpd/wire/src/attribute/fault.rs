use crate::message::Notification;

/// What RFC 7606 asks for, mildest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Section 2: ignore the attribute, keep the routes.
    AttributeDiscard,
    /// Section 2: take the announced routes for withdrawn.
    TreatAsWithdraw,
    /// Section 2: the session is reset.
    SessionReset(Notification),
}

/// One thing that was wrong with an UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Type code of the attribute; `None` when it is the message's own structure.
    pub attribute: Option<u8>,
    /// What to do.
    pub verdict: Verdict,
    /// What was wrong, in words, with the RFC section.
    pub reason: String,
}
