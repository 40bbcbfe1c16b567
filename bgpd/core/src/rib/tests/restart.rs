//! RFC 4724.

use super::*;

const P: &str = "192.0.2.0/24";
const Q: &str = "198.51.100.0/24";
const V6: &str = "2001:db8:1::/48";

fn speaker() -> Speaker {
    let mut speaker = Speaker::with([client(1), client(2)]);
    for nlri in [unicast(P), unicast(Q), unicast(V6)] {
        speaker.announce(1, nlri, &path(&[7]));
    }
    speaker.flush();
    speaker.sent.clear();
    speaker
}

fn stale(speaker: &Speaker) -> Vec<Prefix> {
    let views = speaker.rib.routes(Family::Ipv4Unicast, None);
    views.into_iter().filter(|view| view.stale).map(|view| view.prefix).collect()
}

#[test]
fn retained_routes_stay_where_they_are_and_others_go() {
    let mut speaker = speaker();
    speaker.down(1, &[Family::Ipv4Unicast]);
    speaker.flush();
    assert_eq!(speaker.at(2, V6), None);
    assert!(speaker.at(2, P).is_some());
    assert_eq!(stale(&speaker), [prefix(P), prefix(Q)]);
}

#[test]
fn a_route_announced_again_as_it_was_causes_no_message() {
    let mut speaker = speaker();
    speaker.down(1, &[Family::Ipv4Unicast, Family::Ipv6Unicast]);
    speaker.flush();
    speaker.up(client(1));
    speaker.announce(1, unicast(P), &path(&[7]));
    speaker.flush();
    assert_eq!(stale(&speaker), [prefix(Q)]);
    let to_receiver = speaker.sent.iter().filter(|(peers, _)| peers.contains(&PeerId(2))).count();
    assert_eq!(to_receiver, 0, "nothing has changed for the other peer");

    speaker.rib.sweep_stale(PeerId(1), Some(Family::Ipv4Unicast));
    speaker.flush();
    assert!(speaker.at(2, P).is_some() && speaker.at(2, V6).is_some());
    assert_eq!(speaker.at(2, Q), None);
    assert_eq!(speaker.rib.peer_counts(PeerId(1)).map(|counts| counts.accepted), [1, 1, 0, 0]);
}

/// RFC 4724 section 4.2: routes that were stale already go at the next restart.
#[test]
fn a_second_restart_ends_what_was_stale() {
    let mut speaker = speaker();
    speaker.down(1, &[Family::Ipv4Unicast]);
    speaker.up(client(1));
    speaker.announce(1, unicast(Q), &path(&[7]));
    speaker.down(1, &[Family::Ipv4Unicast]);
    speaker.flush();
    assert_eq!(speaker.holders(P), []);
    assert_eq!(stale(&speaker), [prefix(Q)]);
    speaker.rib.sweep_stale(PeerId(1), None);
    speaker.flush();
    assert_eq!(speaker.holders(Q), []);
    assert_eq!(speaker.rib.attribute_sets(), 0);
    assert!(speaker.rib.peers.keys().eq([&PeerId(2)]));
}

/// RFC 4724 section 4.1: nothing is said before all that will come is there, and then End-of-RIB follows it.
#[test]
fn a_restarted_speaker_keeps_silent_until_it_is_released() {
    let mut speaker = Speaker::new();
    speaker.rib.defer(true);
    speaker.up(client(1));
    speaker.up(client(2));
    speaker.announce(1, unicast(P), &path(&[7]));
    speaker.flush();
    assert!(speaker.sent.is_empty() && speaker.unicast.is_empty());
    speaker.rib.defer(false);
    speaker.flush();
    assert_eq!(speaker.holders(P), [2]);
    assert_eq!(speaker.ended.len(), 8);
}
