use std::time::{Duration, Instant};

use bgp_wire::message::{Message, Notification, Open};

use super::{
    Action, Damping, Down, Event, Liveness, Local, State,
    notification::{HOLD_TIMER, cease, cease_code, hard, plain},
};

/// RFC 4271 section 8.2.2: how long OpenSent waits for an OPEN.
const LARGE_HOLD: Duration = Duration::from_secs(240);
/// A session that was up and is lost is sought again soon.
const SOON: Duration = Duration::from_secs(1);

/// RFC 4271 section 8.2.2. Never fails, never blocks, reads no clock: what happens comes in, actions go out.
pub fn step(local: &Local, state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    match state {
        State::Idle { .. } | State::Connect { .. } | State::Active { .. } => {
            unconnected(local, state, event, now, out)
        }
        State::OpenSent { .. } => open_sent(local, state, event, now, out),
        State::OpenConfirm { .. } => open_confirm(local, state, event, now, out),
        State::Established { .. } => established(local, state, event, now, out),
    }
}

fn unconnected(local: &Local, state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    let due = state.deadline().is_some_and(|at| at <= now);
    match (state, event) {
        (State::Idle { damping, .. }, Event::Start) => start(local, damping, now, out),
        (State::Idle { .. }, Event::Stop(_)) => State::STOPPED,
        (State::Idle { damping, .. }, Event::Tick) if due => start(local, damping, now, out),
        (State::Connect { .. }, Event::Stop(_)) => {
            out.push(Action::Close);
            State::STOPPED
        }
        (State::Active { .. }, Event::Stop(_)) => State::STOPPED,
        (State::Connect { damping, .. } | State::Active { damping, .. }, Event::Connected) => {
            out.push(Action::Send(Message::Open(local.open())));
            State::OpenSent { hold: now + LARGE_HOLD, damping }
        }
        (State::Connect { damping, .. }, Event::Lost) => {
            out.push(Action::Down(Down::Lost, None));
            wait(local, local.connect_retry, damping, now)
        }
        (State::Connect { damping, .. }, Event::Tick) if due => {
            out.push(Action::Close);
            start(local, damping, now, out)
        }
        (State::Active { damping, .. }, Event::Tick | Event::Start) if due => start(local, damping, now, out),
        (state, _) => state,
    }
}

fn open_sent(local: &Local, state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    match event {
        Event::Open(open) => open_received(local, state, &open, now, out),
        Event::Tick if state.deadline().is_some_and(|at| at <= now) => {
            send_and_end(local, state, HOLD_TIMER, now, out)
        }
        Event::Keepalive | Event::Routes => send_and_end(local, state, plain(5, 1), now, out),
        event => ended(local, state, event, now, out),
    }
}

fn open_received(local: &Local, state: State, open: &Open, now: Instant, out: &mut Vec<Action>) -> State {
    match local.negotiate(open) {
        Ok(session) => {
            out.push(Action::Send(Message::Keepalive));
            let liveness = Liveness::new(&session, now);
            State::OpenConfirm { session: Box::new(session), liveness, damping: state.damping() }
        }
        Err(refusal) => send_and_end(local, state, refusal, now, out),
    }
}

fn open_confirm(local: &Local, mut state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    match (&mut state, event) {
        (State::OpenConfirm { session, liveness, damping }, Event::Keepalive) => {
            out.push(Action::Up(session.clone()));
            liveness.heard(session, now);
            State::Established {
                session: session.clone(),
                liveness: *liveness,
                since: now,
                damping: *damping,
            }
        }
        (_, Event::Tick) => tick(local, state, now, out),
        (_, Event::Open(_) | Event::Routes) => send_and_end(local, state, plain(5, 2), now, out),
        (_, event) => ended(local, state, event, now, out),
    }
}

fn established(local: &Local, mut state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    match (&mut state, event) {
        (State::Established { session, liveness, .. }, Event::Keepalive | Event::Routes) => {
            liveness.heard(session, now);
            state
        }
        (_, Event::Tick) => tick(local, state, now, out),
        (_, Event::Open(_)) => send_and_end(local, state, plain(5, 3), now, out),
        (_, event) => ended(local, state, event, now, out),
    }
}

/// Hold and keepalive timers of OpenConfirm and Established.
fn tick(local: &Local, mut state: State, now: Instant, out: &mut Vec<Action>) -> State {
    match &mut state {
        State::OpenConfirm { session, liveness, .. } | State::Established { session, liveness, .. } => {
            if liveness.expired(now) {
                return send_and_end(local, state, HOLD_TIMER, now, out);
            }
            if liveness.keepalive_due(now) {
                out.push(Action::Send(Message::Keepalive));
                liveness.spoke(session, now);
            }
            state
        }
        _ => state,
    }
}

/// What ends a connection in the same way in each of the states that have one.
fn ended(local: &Local, state: State, event: Event, now: Instant, out: &mut Vec<Action>) -> State {
    match event {
        Event::Stop(reason) => {
            // Of two connections that collide the other goes on.
            let collision = (reason.code, reason.subcode) == (6, cease_code::COLLISION);
            let reason = if notification_bit(&state) && !collision { hard(reason) } else { reason };
            send_and_end(local, state, reason, now, out);
            State::STOPPED
        }
        Event::Fault(reason) => send_and_end(local, state, reason, now, out),
        Event::Notification(reason) => end(local, state, Down::Received(reason), now, out),
        Event::Lost => end(local, state, Down::Lost, now, out),
        Event::Replaced => end(local, state, Down::Replaced, now, out),
        _ => state,
    }
}

fn send_and_end(local: &Local, state: State, n: Notification, now: Instant, out: &mut Vec<Action>) -> State {
    out.push(Action::Send(Message::Notification(n.clone())));
    end(local, state, Down::Sent(n), now, out)
}

fn end(local: &Local, state: State, down: Down, now: Instant, out: &mut Vec<Action>) -> State {
    let damping = damping_after(&state, now);
    let error = is_error(&down);
    let session = match state {
        State::Established { session, .. } => Some(session),
        _ => None,
    };
    let pause = if session.is_some() { SOON.min(local.connect_retry) } else { local.connect_retry };
    out.push(Action::Close);
    out.push(Action::Down(down, session));
    if !error {
        return wait(local, pause, damping, now);
    }
    let damping = damping.failed();
    State::Idle { until: Some(now + damping.rest()), damping }
}

/// Errors count only while sessions do not last.
fn damping_after(state: &State, now: Instant) -> Damping {
    match state {
        State::Established { since, .. } if now.duration_since(*since) >= Damping::FORGIVEN_AFTER => {
            Damping::NONE
        }
        state => state.damping(),
    }
}

/// A lost connection or a Cease is no fault of either speaker.
fn is_error(down: &Down) -> bool {
    match down {
        Down::Sent(n) | Down::Received(n) => n.code != cease(0).code,
        Down::Lost | Down::Replaced => false,
    }
}

/// In OpenConfirm the peer may think the session up already.
const fn notification_bit(state: &State) -> bool {
    match state {
        State::OpenConfirm { session, .. } | State::Established { session, .. } => session.notification_bit,
        _ => false,
    }
}

fn start(local: &Local, damping: Damping, now: Instant, out: &mut Vec<Action>) -> State {
    if local.passive {
        return State::Active { retry: None, damping };
    }
    out.push(Action::Connect);
    State::Connect { retry: now + local.connect_retry, damping }
}

fn wait(local: &Local, pause: Duration, damping: Damping, now: Instant) -> State {
    State::Active { retry: (!local.passive).then(|| now + pause), damping }
}
