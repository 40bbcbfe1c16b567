use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};

use super::{
    condition::{ACCEPTED, PROGRAMMED, READY, Verdict},
    session::is_up,
};
use crate::{api::SessionState, render::Problem};

/// What a node's conditions are made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether the node has a configuration; why not.
    pub configured: Result<(), &'a Problem>,
    /// Whether the dataplane holds what is wanted of it.
    pub dataplane_in_step: bool,
    /// All BGP sessions that the node should have.
    pub sessions: &'a [SessionState],
}

/// `Accepted`, `Programmed` and `Ready` of a node. [`super::NodeStateWriter`] keeps the times of those that do not change.
pub fn conditions(facts: &Facts<'_>, now: Timestamp) -> Vec<Condition> {
    let accepted = match facts.configured {
        Ok(()) => Verdict::yes("Configured", ""),
        Err(problem) => Verdict::no(&problem.reason.to_string(), problem.to_string()),
    };
    let programmed = match (accepted.holds, facts.dataplane_in_step) {
        (false, _) => Verdict::no("NotAccepted", ""),
        (true, true) => Verdict::yes("Programmed", ""),
        (true, false) => {
            Verdict::no("OutOfStep", "the dataplane does not hold all that is wanted; see problems")
        }
    };
    let ready = if programmed.holds { bgp(facts.sessions) } else { Verdict::no("NotProgrammed", "") };
    let verdicts = [(ACCEPTED, accepted), (PROGRAMMED, programmed), (READY, ready)];
    verdicts.into_iter().map(|(kind, verdict)| verdict.over(kind, &[], None, now)).collect()
}

/// One session carries routes: a node with a route reflector down goes on serving.
fn bgp(sessions: &[SessionState]) -> Verdict {
    let down: Vec<&str> =
        sessions.iter().filter(|session| !is_up(session)).map(|session| session.peer.as_str()).collect();
    let down_text = || format!("down: {}", down.join(", "));
    match (sessions.len(), down.len()) {
        (0, _) => Verdict::no("NoSessions", "no peer is configured; add one to the BgpCluster"),
        (_, 0) => Verdict::yes("SessionsUp", ""),
        (all, down) if all == down => Verdict::no("SessionsDown", down_text()),
        _ => Verdict::yes("SomeSessionsDown", down_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{render::Reason, world::ObjectRef};

    fn session(peer: &str, state: &str) -> SessionState {
        SessionState { peer: peer.into(), state: state.into(), ..SessionState::default() }
    }

    fn told(facts: &Facts<'_>) -> Vec<String> {
        let text =
            |condition: Condition| format!("{}={} {}", condition.type_, condition.status, condition.reason);
        conditions(facts, Timestamp::UNIX_EPOCH).into_iter().map(text).collect()
    }

    #[test]
    fn each_condition_needs_the_one_before() {
        let pending = Problem {
            object: ObjectRef::cluster("LocatorPool", "core"),
            reason: Reason::Pending,
            message: "no locator yet".into(),
        };
        let both = [session("fd00::1", "Established"), session("fd00::2", "Active")];
        let facts =
            |configured, dataplane_in_step, sessions| Facts { configured, dataplane_in_step, sessions };
        let accepted = "Accepted=True Configured";
        let programmed = "Programmed=True Programmed";
        let cases = [
            (
                facts(Err(&pending), true, &both[..]),
                ["Accepted=False Pending", "Programmed=False NotAccepted", "Ready=False NotProgrammed"],
            ),
            (
                facts(Ok(()), false, &both),
                [accepted, "Programmed=False OutOfStep", "Ready=False NotProgrammed"],
            ),
            (facts(Ok(()), true, &both), [accepted, programmed, "Ready=True SomeSessionsDown"]),
            (facts(Ok(()), true, &both[..1]), [accepted, programmed, "Ready=True SessionsUp"]),
            (facts(Ok(()), true, &both[1..]), [accepted, programmed, "Ready=False SessionsDown"]),
            (facts(Ok(()), true, &[]), [accepted, programmed, "Ready=False NoSessions"]),
        ];
        for (facts, expected) in cases {
            assert_eq!(told(&facts), expected);
        }
    }
}
