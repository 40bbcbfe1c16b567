//! When to write what: pure.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use tokio::time::Instant;

use crate::{
    api::{NodeState, NodeStateStatus},
    version::is_older,
};

/// Least time between two writes.
const PACE: Duration = Duration::from_secs(2);

/// Least time between two writes that differ in numbers of routes only: while a table converges they change all the time.
const COUNTS: Duration = Duration::from_secs(10);

/// What is known of the NodeState at the API server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Standing {
    /// Nothing yet: the API server has not answered.
    #[default]
    Unknown,
    /// It is not there.
    Missing,
    /// It is there.
    There {
        /// `metadata.uid`.
        uid: String,
        /// `metadata.resourceVersion`.
        version: String,
        /// Its status.
        status: Box<NodeStateStatus>,
    },
}

impl Standing {
    pub(super) fn there(state: &NodeState) -> Self {
        Self::There {
            uid: state.uid().unwrap_or_default(),
            version: state.resource_version().unwrap_or_default(),
            status: Box::new(state.status.clone().unwrap_or_default()),
        }
    }
}

/// What stands, and what was written last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) standing: Standing,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    wanted: NodeStateStatus,
    /// As the API server has answered: it may leave out what its schema does not know.
    answered: NodeStateStatus,
}

impl Kept {
    /// When `wanted` is to be written; `None` where it stands already or nothing is known.
    pub(super) fn due(&self, wanted: &NodeStateStatus, now: Instant) -> Option<Instant> {
        let status = match &self.standing {
            Standing::Unknown => return None,
            Standing::Missing => return Some(self.last.as_ref().map_or(now, |last| last.at + PACE)),
            Standing::There { status, .. } => status,
        };
        let wanted = self.timed(wanted);
        if **status == wanted {
            return None;
        }
        let Some(last) = &self.last else { return Some(now) };
        if last.answered != **status {
            // Not ours: somebody else wrote.
            return Some(last.at + PACE);
        }
        match last.wanted == wanted {
            true => None,
            false if without_counts(&last.wanted) == without_counts(&wanted) => Some(last.at + COUNTS),
            false => Some(last.at + PACE),
        }
    }

    /// `wanted` with the times of those conditions that do not change.
    pub(super) fn timed(&self, wanted: &NodeStateStatus) -> NodeStateStatus {
        let mut timed = wanted.clone();
        let Standing::There { status, .. } = &self.standing else { return timed };
        for condition in &mut timed.conditions {
            let stood = |before: &&_| same(before, condition);
            if let Some(before) = status.conditions.iter().find(stood) {
                condition.last_transition_time = before.last_transition_time.clone();
            }
        }
        timed
    }

    /// Told by the watch.
    pub(super) fn observe(&mut self, state: Option<&NodeState>) {
        let told = state.map_or(Standing::Missing, Standing::there);
        match (&told, &self.standing) {
            (Standing::There { version: told, .. }, Standing::There { version: held, .. })
                if is_older(told, held) => {}
            _ => self.standing = told,
        }
    }

    /// `wanted` was written, and so answered.
    pub(super) fn written(&mut self, at: Instant, wanted: &NodeStateStatus, state: &NodeState) {
        self.standing = Standing::there(state);
        // Times as they stand now: the API server keeps whole seconds.
        let wanted = self.timed(wanted);
        self.last = Some(Last { at, wanted, answered: state.status.clone().unwrap_or_default() });
    }
}

fn same(one: &Condition, other: &Condition) -> bool {
    one.type_ == other.type_ && one.status == other.status
}

fn without_counts(status: &NodeStateStatus) -> NodeStateStatus {
    let mut status = status.clone();
    for family in status.sessions.iter_mut().flat_map(|session| &mut session.families) {
        (family.received, family.accepted, family.advertised) = (0, 0, 0);
    }
    for vrf in &mut status.vrfs {
        vrf.routes = 0;
    }
    status
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    use super::*;
    use crate::{
        api::{FamilyState, SessionState, VrfState},
        status::{Facts, conditions},
    };

    /// Received routes, and VRFs.
    fn status(received: u64, vrfs: &[&str]) -> NodeStateStatus {
        let families = vec![FamilyState { family: "vpnv4".into(), received, ..FamilyState::default() }];
        let vrf = |name: &&str| VrfState { name: (*name).into(), ..VrfState::default() };
        let sessions = vec![SessionState { peer: "fd00::1".into(), families, ..SessionState::default() }];
        let facts = Facts { configured: Ok(()), dataplane_in_step: true, sessions: &sessions };
        let conditions = conditions(&facts, Timestamp::UNIX_EPOCH);
        NodeStateStatus {
            conditions,
            sessions,
            vrfs: vrfs.iter().map(vrf).collect(),
            ..NodeStateStatus::default()
        }
    }

    fn state(version: u64, status: NodeStateStatus) -> NodeState {
        let mut state = NodeState::new("pe1", crate::api::NodeStateSpec {});
        state.metadata.resource_version = Some(version.to_string());
        state.status = Some(status);
        state
    }

    fn kept(at: Instant) -> Kept {
        let mut kept = Kept::default();
        kept.written(at, &status(1, &["red"]), &state(7, status(1, &["red"])));
        kept
    }

    #[test]
    fn nothing_is_written_before_the_api_server_has_answered() {
        assert_eq!(Kept::default().due(&status(1, &[]), Instant::now()), None);
    }

    #[test]
    fn what_is_missing_is_written_at_once() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        kept.observe(None);
        assert_eq!(kept.due(&status(1, &[]), now), Some(now));
    }

    #[test]
    fn what_stands_is_not_written_again_also_not_by_an_agent_that_starts_anew() {
        let mut kept = Kept::default();
        kept.observe(Some(&state(7, status(1, &["red"]))));
        let mut later = status(1, &["red"]);
        for condition in &mut later.conditions {
            condition.last_transition_time = Time(Timestamp::from_second(99).unwrap());
        }
        assert_eq!(kept.due(&later, Instant::now()), None);
        assert_eq!(kept.timed(&later), status(1, &["red"]), "conditions keep their times");
    }

    #[test]
    fn changes_wait_two_seconds_and_numbers_of_routes_ten() {
        let now = Instant::now();
        let kept = kept(now);
        assert_eq!(kept.due(&status(1, &["red"]), now), None);
        assert_eq!(kept.due(&status(2, &["red"]), now), Some(now + Duration::from_secs(10)));
        assert_eq!(kept.due(&status(2, &["red", "blue"]), now), Some(now + Duration::from_secs(2)));
    }

    #[test]
    fn an_api_server_that_keeps_whole_seconds_does_not_make_a_change_of_numbers_of_routes_any_other() {
        let (now, mut exact) = (Instant::now(), status(1, &["red"]));
        exact.conditions[0].last_transition_time = Time(Timestamp::new(99, 7).unwrap());
        let mut answered = exact.clone();
        answered.conditions[0].last_transition_time = Time(Timestamp::new(99, 0).unwrap());
        let mut kept = Kept::default();
        kept.written(now, &exact, &state(7, answered));
        assert_eq!(kept.due(&status(2, &["red"]), now), Some(now + Duration::from_secs(10)));
    }

    #[test]
    fn what_somebody_else_wrote_or_deleted_is_written_again() {
        let now = Instant::now();
        let mut kept = kept(now);
        kept.observe(Some(&state(8, status(1, &[]))));
        assert_eq!(kept.due(&status(1, &["red"]), now), Some(now + Duration::from_secs(2)));
        kept.observe(None);
        assert_eq!(kept.due(&status(1, &["red"]), now), Some(now + Duration::from_secs(2)));
    }

    #[test]
    fn a_watch_that_lags_behind_our_own_write_is_not_somebody_else() {
        let now = Instant::now();
        let mut kept = kept(now);
        kept.observe(Some(&state(6, status(0, &[]))));
        assert_eq!(kept.due(&status(1, &["red"]), now), None);
    }

    #[test]
    fn a_server_that_leaves_something_out_is_not_asked_for_ever() {
        let now = Instant::now();
        let mut kept = Kept::default();
        kept.written(now, &status(1, &["red"]), &state(7, status(1, &[])));
        assert_eq!(kept.due(&status(1, &["red"]), now), None);
    }
}
