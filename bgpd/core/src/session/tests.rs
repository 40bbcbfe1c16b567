use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use bgp_wire::{
    Family,
    capability::{Capability, GracefulRestart},
    message::{Message, Notification, Open},
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const OURS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const THEIRS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn local() -> Local {
    Local {
        asn: 65000,
        router_id: OURS,
        peer_asn: 65000,
        passive: false,
        hold_time: SECOND * 90,
        keepalive: SECOND * 30,
        connect_retry: SECOND * 5,
        families: [Family::Vpnv4, Family::Vpnv6].into(),
        graceful_restart: GracefulRestart::default(),
    }
}

fn peer_open() -> Open {
    Local { router_id: THEIRS, hold_time: SECOND * 9, ..local() }.open()
}

/// Runs events one after the other; what the last one brought about.
fn run(local: &Local, start: Instant, events: Vec<(u64, Event)>) -> (State, Vec<Action>) {
    let mut actions = Vec::new();
    let mut state = State::STOPPED;
    for (seconds, event) in events {
        actions.clear();
        state = step(local, state, event, start + SECOND * seconds as u32, &mut actions);
    }
    (state, actions)
}

fn open(open: Open) -> Event {
    Event::Open(Box::new(open))
}

fn until_open_sent() -> Vec<(u64, Event)> {
    vec![(0, Event::Start), (0, Event::Connected)]
}

fn until_established() -> Vec<(u64, Event)> {
    [until_open_sent(), vec![(0, open(peer_open())), (0, Event::Keepalive)]].concat()
}

fn sent(actions: &[Action]) -> Vec<(u8, u8)> {
    let codes = |action: &Action| match action {
        Action::Send(Message::Notification(n)) => Some((n.code, n.subcode)),
        _ => None,
    };
    actions.iter().filter_map(codes).collect()
}

#[test]
fn a_session_comes_up() {
    let start = Instant::now();
    let (state, actions) = run(&local(), start, vec![(0, Event::Start)]);
    assert_eq!((state.name(), &actions[..]), ("Connect", &[Action::Connect][..]));
    let (state, actions) = run(&local(), start, until_open_sent());
    assert_eq!(state.name(), "OpenSent");
    assert_eq!(actions, [Action::Send(Message::Open(local().open()))]);
    let (state, actions) = run(&local(), start, until_established());
    assert_eq!(state.name(), "Established");
    assert!(matches!(&actions[..], [Action::Up(session)] if session.router_id == THEIRS));
}

#[test]
fn the_lesser_hold_time_counts_and_keepalives_come_three_to_it() {
    let session = local().negotiate(&peer_open()).unwrap();
    assert_eq!((session.hold_time, session.keepalive), (SECOND * 9, SECOND * 3));
    let mut none = peer_open();
    none.hold_time = 0;
    assert_eq!(local().negotiate(&none).unwrap().hold_time, Duration::ZERO);
    let events = [until_open_sent(), vec![(0, open(none)), (0, Event::Keepalive)]].concat();
    assert_eq!(run(&local(), Instant::now(), events).0.deadline(), None, "no timer runs");
}

#[test]
fn opens_that_cannot_be_accepted_are_refused_with_the_subcode_of_the_rfc() {
    let refused = |change: fn(&mut Open)| {
        let mut offered = peer_open();
        change(&mut offered);
        let events = [until_open_sent(), vec![(0, open(offered))]].concat();
        let (state, actions) = run(&local(), Instant::now(), events);
        assert_eq!(state.name(), "Idle");
        assert!(actions.contains(&Action::Close));
        sent(&actions)
    };
    assert_eq!(refused(|o| o.capabilities = vec![Capability::FourOctetAs(65001)]), [(2, 2)]);
    assert_eq!(refused(|o| o.router_id = OURS), [(2, 3)]);
    assert_eq!(refused(|o| o.router_id = Ipv4Addr::UNSPECIFIED), [(2, 3)]);
    assert_eq!(refused(|o| o.hold_time = 2), [(2, 6)]);
}

#[test]
fn an_external_peer_may_have_our_identifier() {
    // RFC 6286 section 2.1: unique within an AS only.
    let local = Local { peer_asn: 65001, ..local() };
    let mut offered = peer_open();
    offered.router_id = OURS;
    offered.my_as = 65001;
    offered.capabilities.retain(|c| !matches!(c, Capability::FourOctetAs(_)));
    assert_eq!(local.negotiate(&offered).map(|session| session.asn), Ok(65001));
}

#[test]
fn families_are_those_of_both_and_may_be_none() {
    let mut offered = peer_open();
    offered.capabilities = vec![
        Capability::FourOctetAs(65000),
        Capability::family(Family::Vpnv4),
        Capability::family(Family::Ipv4Unicast),
        Capability::MultiProtocol { afi: 25, safi: 70 },
        Capability::ExtendedNextHop(vec![(1, 128, 2), (1, 1, 2)]),
    ];
    assert_eq!(local().negotiate(&offered).unwrap().families, [(Family::Vpnv4, true)]);
    offered.capabilities = vec![Capability::FourOctetAs(65000)];
    assert_eq!(local().negotiate(&offered).unwrap().families, [], "up all the same");
}

#[test]
fn messages_out_of_turn_are_fsm_errors() {
    let cases = [
        (until_open_sent(), Event::Keepalive, (5, 1)),
        (until_open_sent(), Event::Routes, (5, 1)),
        ([until_open_sent(), vec![(0, open(peer_open()))]].concat(), Event::Routes, (5, 2)),
        ([until_open_sent(), vec![(0, open(peer_open()))]].concat(), open(peer_open()), (5, 2)),
        (until_established(), open(peer_open()), (5, 3)),
    ];
    for (before, event, codes) in cases {
        let (state, actions) = run(&local(), Instant::now(), [before, vec![(0, event)]].concat());
        assert_eq!((state.name(), sent(&actions)), ("Idle", vec![codes]));
    }
}

#[test]
fn silence_ends_the_session_and_any_message_keeps_it() {
    let start = Instant::now();
    let silent = [until_established(), vec![(9, Event::Tick)]].concat();
    let (state, actions) = run(&local(), start, silent);
    assert_eq!((state.name(), sent(&actions)), ("Idle", vec![(4, 0)]));
    for event in [Event::Keepalive, Event::Routes] {
        let heard = [until_established(), vec![(8, event), (16, Event::Tick)]].concat();
        assert_eq!(run(&local(), start, heard).0.name(), "Established");
    }
    let never_opened = [until_open_sent(), vec![(240, Event::Tick)]].concat();
    assert_eq!(sent(&run(&local(), start, never_opened).1), [(4, 0)]);
}

#[test]
fn keepalives_go_out_in_time() {
    let start = Instant::now();
    let (state, actions) = run(&local(), start, [until_established(), vec![(2, Event::Tick)]].concat());
    assert_eq!((actions.len(), state.deadline()), (0, Some(start + SECOND * 3)));
    let (state, actions) = run(&local(), start, [until_established(), vec![(3, Event::Tick)]].concat());
    assert_eq!(actions, [Action::Send(Message::Keepalive)]);
    assert_eq!(state.deadline(), Some(start + SECOND * 6));
}

#[test]
fn errors_in_a_row_rest_longer_and_a_long_session_forgives_them() {
    let bad = Event::Fault(Notification::new(3, 1, &[]));
    let fail = |at| {
        let established =
            [(at, Event::Start), (at, Event::Connected), (at, open(peer_open())), (at, Event::Keepalive)];
        [established.to_vec(), vec![(at, bad.clone())]].concat()
    };
    let start = Instant::now();
    let rest = |events: Vec<(u64, Event)>| {
        let last = start + SECOND * events.last().unwrap().0 as u32;
        run(&local(), start, events).0.deadline().unwrap() - last
    };
    assert_eq!(rest(fail(0)), SECOND);
    assert_eq!(rest([fail(0), fail(10)].concat()), SECOND * 2);
    assert_eq!(rest([fail(0), fail(10), fail(20)].concat()), SECOND * 4);
    let mut lasting = [fail(0), fail(10)].concat();
    lasting.last_mut().unwrap().0 = 70;
    assert_eq!(rest(lasting), SECOND);
}

#[test]
fn a_lost_session_is_sought_again_soon_and_a_passive_one_waited_for() {
    let start = Instant::now();
    let lost = [until_established(), vec![(5, Event::Lost)]].concat();
    let (state, _) = run(&local(), start, lost.clone());
    assert_eq!((state.name(), state.deadline()), ("Active", Some(start + SECOND * 6)));
    let passive = Local { passive: true, ..local() };
    let (state, _) = run(&passive, start, lost);
    assert_eq!((state.name(), state.deadline()), ("Active", None));
}

#[test]
fn attempts_to_connect_are_given_up_and_repeated() {
    let start = Instant::now();
    let (state, actions) = run(&local(), start, vec![(0, Event::Start), (5, Event::Tick)]);
    assert_eq!((state.name(), &actions[..]), ("Connect", &[Action::Close, Action::Connect][..]));
    let (state, _) = run(&local(), start, vec![(0, Event::Start), (1, Event::Lost)]);
    assert_eq!((state.name(), state.deadline()), ("Active", Some(start + SECOND * 6)));
}

#[test]
fn a_stopped_session_stays_down() {
    let stopped = [until_established(), vec![(1, Event::Stop(cease(cease_code::ADMIN_SHUTDOWN)))]].concat();
    let (state, actions) = run(&local(), Instant::now(), stopped);
    assert_eq!((state, sent(&actions)), (State::STOPPED, vec![(6, 2)]));
}

#[test]
fn with_the_n_bit_a_stop_is_a_hard_reset() {
    let notification = GracefulRestart { notification: true, ..GracefulRestart::default() };
    let local = Local { graceful_restart: notification, ..local() };
    let offered = Local { router_id: THEIRS, ..local.clone() }.open();
    let stop = Event::Stop(cease(cease_code::ADMIN_SHUTDOWN));
    let events = [until_open_sent(), vec![(0, open(offered)), (0, Event::Keepalive), (0, stop)]].concat();
    let (_, actions) = run(&local, Instant::now(), events);
    assert_eq!(sent(&actions), [(6, 9)]);
    let Some(Action::Down(down, Some(_))) = actions.last() else { panic!("{actions:?}") };
    assert_eq!(down.to_string(), "sent Hard Reset: Cease (6), Administrative Shutdown (2)");
    assert!(!down.is_graceful(true));
    assert!(Down::Received(cease(4)).is_graceful(true), "any other NOTIFICATION keeps the routes");
}

/// The peer may be in Established already, and would keep the routes of a session that the operator has ended.
#[test]
fn a_stop_in_open_confirm_is_a_hard_reset_too_and_a_collision_is_none() {
    let notification = GracefulRestart { notification: true, ..GracefulRestart::default() };
    let local = Local { graceful_restart: notification, ..local() };
    let offered = Local { router_id: THEIRS, ..local.clone() }.open();
    for (subcode, told) in [(cease_code::ADMIN_SHUTDOWN, 9), (cease_code::COLLISION, 7)] {
        let stop = vec![(0, open(offered.clone())), (0, Event::Stop(cease(subcode)))];
        let (_, actions) = run(&local, Instant::now(), [until_open_sent(), stop].concat());
        assert_eq!(sent(&actions), [(6, told)]);
    }
}

#[test]
fn the_higher_identifier_keeps_the_connection_that_it_opened() {
    use Direction::{Incoming, Outgoing};
    let start = Instant::now();
    let (confirm, _) = run(&local(), start, [until_open_sent(), vec![(0, open(peer_open()))]].concat());
    let (sent, _) = run(&local(), start, until_open_sent());
    for old in [confirm, sent] {
        let rule = |local, remote, new| {
            let opposite = if new == Incoming { Outgoing } else { Incoming };
            survivor((local, 1), (remote, 1), (new, opposite), &old, start)
        };
        assert_eq!(rule(OURS, THEIRS, Incoming), Survivor::New);
        assert_eq!(rule(OURS, THEIRS, Outgoing), Survivor::Old);
        assert_eq!(rule(THEIRS, OURS, Incoming), Survivor::Old);
        assert_eq!(rule(THEIRS, OURS, Outgoing), Survivor::New);
    }
}

#[test]
fn a_new_connection_of_an_established_peer_is_a_restart_only_with_graceful_restart() {
    use Direction::{Incoming, Outgoing};
    let start = Instant::now();
    let mut graceful = peer_open();
    graceful.capabilities.push(Capability::GracefulRestart(GracefulRestart {
        restart_time: 120,
        families: vec![(1, 128, true)],
        ..GracefulRestart::default()
    }));
    graceful.capabilities.retain(|c| !matches!(c, Capability::GracefulRestart(g) if g.families.is_empty()));
    let events = [until_open_sent(), vec![(0, open(graceful)), (0, Event::Keepalive)]].concat();
    let (restartable, _) = run(&local(), start, events);
    let (plain, _) = run(&local(), start, until_established());
    let rule = |state: &State, seconds| {
        survivor((OURS, 1), (THEIRS, 1), (Incoming, Outgoing), state, start + SECOND * seconds)
    };
    assert_eq!(rule(&restartable, 10), Survivor::Restarted);
    assert_eq!(rule(&plain, 10), Survivor::Old);
    assert_eq!(rule(&restartable, 0), Survivor::Old, "connections that cross are no restart");
}

/// A peer may nest 32,000 of them in one message.
#[test]
fn hard_resets_within_hard_resets_are_not_unwrapped_to_the_end() {
    let nested = Notification::new(6, cease_code::HARD_RESET, &[6, cease_code::HARD_RESET].repeat(30_000));
    assert_eq!(describe(&nested), "Hard Reset: Cease (6), Hard Reset (9)");
}

#[test]
fn what_an_operator_wrote_cannot_forge_lines_of_the_log() {
    let shutdown = Notification::new(6, cease_code::ADMIN_SHUTDOWN, b"\x07bye\n\x1b[2J");
    assert_eq!(describe(&shutdown), r#"Cease (6), Administrative Shutdown (2): "bye\n\u{1b}[2""#);
}
