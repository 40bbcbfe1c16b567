use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// Conditions' types, all of them positive.
pub(crate) const ACCEPTED: &str = "Accepted";
pub(crate) const PROGRAMMED: &str = "Programmed";
pub(crate) const READY: &str = "Ready";

/// Room for a message: what names hundreds of nodes helps nobody.
const MOST: usize = 1024;

/// A condition before it has a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    /// In CamelCase.
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Verdict {
    pub(crate) fn yes(reason: &str, message: impl Into<String>) -> Self {
        Self { holds: true, reason: reason.to_owned(), message: shortened(message.into()) }
    }

    pub(crate) fn no(reason: &str, message: impl Into<String>) -> Self {
        Self { holds: false, reason: reason.to_owned(), message: shortened(message.into()) }
    }

    /// The condition, with the time that it already has where its status does not change.
    pub(crate) fn over(
        self,
        kind: &str,
        standing: &[Condition],
        generation: Option<i64>,
        now: Timestamp,
    ) -> Condition {
        let status = if self.holds { "True" } else { "False" };
        let before = standing.iter().find(|before| before.type_ == kind && before.status == status);
        Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: self.reason,
            message: self.message,
            observed_generation: generation,
            last_transition_time: before.map_or(Time(now), |before| before.last_transition_time.clone()),
        }
    }
}

/// Whether a condition is there and holds.
pub(crate) fn holds(conditions: &[Condition], kind: &str) -> Option<bool> {
    conditions.iter().find(|condition| condition.type_ == kind).map(|condition| condition.status == "True")
}

fn shortened(message: String) -> String {
    if message.chars().count() <= MOST {
        return message;
    }
    message.chars().take(MOST - 1).chain(['…']).collect()
}
