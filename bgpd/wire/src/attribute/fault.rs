use std::fmt;

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

impl Verdict {
    /// The strongest of what several faults ask for (RFC 7606 section 3 h); `None` when there is none.
    pub fn worst<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Option<&'a Self> {
        // Of two resets the first is quoted, so the last maximum will not do.
        faults
            .into_iter()
            .map(|fault| &fault.verdict)
            .reduce(|worst, verdict| if verdict.severity() > worst.severity() { verdict } else { worst })
    }

    const fn severity(&self) -> u8 {
        match self {
            Self::AttributeDiscard => 0,
            Self::TreatAsWithdraw => 1,
            Self::SessionReset(_) => 2,
        }
    }

    /// The word that the CLI and the metrics use.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::AttributeDiscard => "attribute-discard",
            Self::TreatAsWithdraw => "treat-as-withdraw",
            Self::SessionReset(_) => "session-reset",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Fault {
    pub(crate) fn discard(code: u8, reason: impl Into<String>) -> Self {
        Self { attribute: Some(code), verdict: Verdict::AttributeDiscard, reason: reason.into() }
    }

    pub(crate) fn withdraw(code: u8, reason: impl Into<String>) -> Self {
        Self { attribute: Some(code), verdict: Verdict::TreatAsWithdraw, reason: reason.into() }
    }

    pub(crate) fn reset(
        attribute: Option<u8>,
        notification: Notification,
        reason: impl Into<String>,
    ) -> Self {
        Self { attribute, verdict: Verdict::SessionReset(notification), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attribute.map(super::code::name) {
            Some(name) => write!(f, "{name}: {} ({})", self.reason, self.verdict),
            None => write!(f, "{} ({})", self.reason, self.verdict),
        }
    }
}
