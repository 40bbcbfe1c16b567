//! Events about sessions that come and go.

use kube::runtime::events::{Event, EventType};

use crate::api::{NodeStateStatus, SessionState};

pub(super) fn is_up(session: &SessionState) -> bool {
    session.state == "Established"
}

/// What has happened to sessions between two statuses. A session that is up since another time was down in between.
pub(super) fn events(before: &NodeStateStatus, after: &NodeStateStatus) -> Vec<Event> {
    let session_of = |status: &'_ NodeStateStatus, peer: &str| {
        status.sessions.iter().find(|session| session.peer == peer).cloned()
    };
    let now = after.sessions.iter().filter_map(|now| change(session_of(before, &now.peer).as_ref(), now));
    let removed =
        before.sessions.iter().filter(|session| is_up(session) && session_of(after, &session.peer).is_none());
    now.chain(removed.map(|session| down(session, "it is not configured any more"))).collect()
}

fn change(before: Option<&SessionState>, now: &SessionState) -> Option<Event> {
    let was_up = before.is_some_and(is_up);
    match (was_up, is_up(now)) {
        (false, true) => Some(up(now, None)),
        (true, true) if before.is_some_and(|before| before.since != now.since) => {
            Some(up(now, now.last_error.as_deref()))
        }
        (true, false) => Some(down(now, now.last_error.as_deref().unwrap_or("no reason is known"))),
        _ => None,
    }
}

fn up(session: &SessionState, after: Option<&str>) -> Event {
    let again = after.map(|error| format!(" again, after: {error}")).unwrap_or_default();
    let note = format!("BGP session with {} AS {} is up{again}", session.peer, session.peer_asn);
    event(session, EventType::Normal, "SessionUp", note)
}

fn down(session: &SessionState, why: &str) -> Event {
    let note = format!("BGP session with {} AS {} is down: {why}", session.peer, session.peer_asn);
    event(session, EventType::Warning, "SessionDown", note)
}

fn event(session: &SessionState, type_: EventType, reason: &str, note: String) -> Event {
    // At most 1 kB: the API server refuses longer ones.
    let note = note.chars().take(250).collect();
    // The recorder counts events of one action and reason as one: each peer has its own.
    let action = format!("Session {}", session.peer);
    Event { type_, reason: reason.to_owned(), note: Some(note), action, secondary: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(sessions: &[(&str, &str, &str)]) -> NodeStateStatus {
        let session = |(peer, state, since): &(&str, &str, &str)| SessionState {
            peer: (*peer).into(),
            peer_asn: 65000,
            state: (*state).into(),
            since: Some((*since).into()),
            last_error: Some("hold timer expired".into()),
            families: vec![],
        };
        NodeStateStatus { sessions: sessions.iter().map(session).collect(), ..NodeStateStatus::default() }
    }

    #[test]
    fn sessions_that_come_and_go_are_told_once_each() {
        let up = |since| status(&[("fd00::1", "Established", since)]);
        let (down, none) = (status(&[("fd00::1", "Active", "12:01")]), status(&[]));
        let cases = [
            (&none, &up("12:00"), Some("BGP session with fd00::1 AS 65000 is up")),
            (&down, &up("12:00"), Some("BGP session with fd00::1 AS 65000 is up")),
            (&up("12:00"), &up("12:00"), None),
            (
                &up("12:00"),
                &up("12:02"),
                Some("BGP session with fd00::1 AS 65000 is up again, after: hold timer expired"),
            ),
            (&up("12:00"), &down, Some("BGP session with fd00::1 AS 65000 is down: hold timer expired")),
            (&down, &down, None),
            (&none, &down, None),
            (&down, &none, None),
            (
                &up("12:00"),
                &none,
                Some("BGP session with fd00::1 AS 65000 is down: it is not configured any more"),
            ),
        ];
        for (before, after, expected) in cases {
            let notes: Vec<Option<String>> =
                events(before, after).into_iter().map(|event| event.note).collect();
            let expected: Vec<Option<String>> =
                expected.iter().map(|note| Some((*note).to_owned())).collect();
            assert_eq!(notes, expected);
        }
    }
}
