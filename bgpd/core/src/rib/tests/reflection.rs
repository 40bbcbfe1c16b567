use std::net::Ipv4Addr;

use bgp_wire::attribute::{Attributes, Community, PrefixSid, PrefixSidTlv, UnknownAttribute};

use super::*;
use crate::rib::UpdateVerdict;

const P: &str = "192.0.2.0/24";

/// Clients 1 and 2, non-clients 3 and 4, external 5 and 6.
fn six() -> Speaker {
    Speaker::with([
        client(1),
        client(2),
        session(3, AS),
        session(4, AS),
        session(5, 65005),
        session(6, 65006),
    ])
}

/// RFC 4456 section 6.
#[test]
fn who_is_told_depends_on_who_told_us() {
    for (from, told) in [(1, vec![2, 3, 4, 5, 6]), (3, vec![1, 2, 5, 6]), (5, vec![1, 2, 3, 4, 6])] {
        let mut speaker = six();
        speaker.announce(from, unicast(P), &path(&[7]));
        speaker.flush();
        assert_eq!(speaker.holders(P), told, "told by {from}");
        speaker.withdraw(from, unicast(P));
        speaker.flush();
        assert_eq!(speaker.holders(P), [], "withdrawn by {from}");
    }
}

/// RFC 4456 section 8.
#[test]
fn a_reflected_route_says_where_it_has_been() {
    let mut speaker = six();
    speaker.announce(1, unicast(P), &path(&[7]));
    speaker.flush();
    let held = &speaker.at(3, P).unwrap();
    assert_eq!(held.attributes.originator_id, Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(held.attributes.cluster_list, [Ipv4Addr::new(10, 9, 9, 9)]);
    assert_eq!(held.attributes.local_pref, Some(100));
    assert_eq!(held.attributes.as_path, AsPath::sequence([7]));
    assert_eq!(held.next_hop, next_hop_of(1));
}

/// RFC 4271 sections 5.1.2 to 5.1.5.
#[test]
fn another_as_sees_our_as_and_next_hop_and_no_internals() {
    let mut speaker = six();
    let originator_id = Some(Ipv4Addr::new(1, 1, 1, 1));
    let attributes = Attributes {
        med: Some(5),
        local_pref: Some(200),
        originator_id,
        cluster_list: vec![Ipv4Addr::LOCALHOST],
        ..path(&[7])
    };
    speaker.announce(1, unicast(P), &attributes);
    speaker.flush();
    let held = speaker.at(5, P).unwrap();
    assert_eq!(held.attributes, path(&[AS, 7]));
    assert_eq!(held.next_hop, next_hop_of(254));
}

#[test]
fn next_hop_self_within_the_as_and_nothing_else_changes() {
    let mut speaker = Speaker::with([
        session(5, 65005),
        PeerSession { next_hop_self: true, ..session(1, AS) },
        session(2, AS),
    ]);
    speaker.announce(5, unicast(P), &Attributes { med: Some(5), ..path(&[65005]) });
    speaker.flush();
    assert_eq!(speaker.at(1, P).unwrap().next_hop, next_hop_of(254));
    assert_eq!(speaker.at(2, P).unwrap().next_hop, next_hop_of(5));
    assert_eq!(speaker.at(1, P).unwrap().attributes, speaker.at(2, P).unwrap().attributes);
    assert_eq!(speaker.at(2, P).unwrap().attributes.med, Some(5));
}

#[test]
fn what_has_been_here_is_kept_out_and_ends_what_was_held() {
    let ours = Ipv4Addr::new(10, 0, 0, 254);
    let cluster = Ipv4Addr::new(10, 9, 9, 9);
    for looped in [
        path(&[7, AS]),
        Attributes { originator_id: Some(ours), ..path(&[7]) },
        Attributes { cluster_list: vec![Ipv4Addr::LOCALHOST, cluster], ..path(&[7]) },
    ] {
        let mut speaker = six();
        speaker.announce(1, unicast(P), &path(&[7]));
        speaker.flush();
        let outcome = speaker.announce(1, unicast(P), &looped);
        assert_eq!(outcome.verdict, UpdateVerdict::Accepted);
        speaker.flush();
        assert_eq!(speaker.holders(P), []);
        let counts = speaker.rib.peer_counts(PeerId(1))[0];
        assert_eq!((counts.received, counts.accepted, counts.looped), (2, 0, 1));
    }
}

/// RFC 1997.
#[test]
fn well_known_communities_are_honoured() {
    for (community, told) in [
        (Community::NO_EXPORT, vec![2, 3, 4]),
        (Community::NO_EXPORT_SUBCONFED, vec![2, 3, 4]),
        (Community::NO_ADVERTISE, vec![]),
    ] {
        let mut speaker = six();
        speaker.announce(1, unicast(P), &path(&[7]));
        speaker.flush();
        speaker.announce(
            1,
            unicast(P),
            &Attributes { communities: vec![Community(7), community], ..path(&[7]) },
        );
        speaker.flush();
        assert_eq!(speaker.holders(P), told, "{community:?}");
    }
}

/// RFC 4271 section 5.
#[test]
fn unknown_attributes_go_on_when_transitive_and_then_are_partial() {
    let unknown = |flags, code| UnknownAttribute { flags, code, value: Bytes::from_static(b"opaque") };
    let mut speaker = six();
    speaker.announce(
        1,
        unicast(P),
        &Attributes { unknown: vec![unknown(0x80, 99), unknown(0xc0, 200)], ..path(&[7]) },
    );
    speaker.flush();
    for n in [2, 5] {
        assert_eq!(speaker.at(n, P).unwrap().attributes.unknown, [unknown(0xe0, 200)]);
    }
}

/// The best path moves from peer to peer: each must forget ours when it has the best itself.
#[test]
fn the_peer_that_becomes_best_is_told_to_forget() {
    let mut speaker = six();
    speaker.announce(1, unicast(P), &path(&[7, 8]));
    speaker.flush();
    assert_eq!(speaker.holders(P), [2, 3, 4, 5, 6]);
    speaker.announce(2, unicast(P), &path(&[7]));
    speaker.flush();
    assert_eq!(speaker.holders(P), [1, 3, 4, 5, 6]);
    speaker.withdraw(2, unicast(P));
    speaker.flush();
    assert_eq!(speaker.holders(P), [2, 3, 4, 5, 6]);
    let advertised = [1, 2, 3].map(|n| speaker.rib.peer_counts(PeerId(n))[0].advertised);
    assert_eq!(advertised, [0, 1, 1]);
}

#[test]
fn a_bad_attribute_withdraws_the_routes_it_stands_with() {
    let mut speaker = six();
    speaker.announce(1, unicast(P), &path(&[7]));
    speaker.flush();
    let (mut attributes, mut message) = (Vec::new(), Vec::new());
    path(&[7]).encode(None, &context(false), &mut attributes);
    attributes[3] = 9; // ORIGIN
    UpdateWriter::new(Family::Ipv4Unicast, &context(false))
        .announce(next_hop_of(1), &attributes, [unicast(P)], &mut message)
        .unwrap();
    let outcome = speaker.receive(1, message);
    assert_eq!(outcome.verdict, UpdateVerdict::TreatedAsWithdraw);
    assert_eq!(outcome.faults.len(), 1);
    speaker.flush();
    assert_eq!(speaker.holders(P), []);
    assert_eq!(speaker.rib.attribute_sets(), 0);
}

/// RFC 7606 section 5.2: the routes that the fault stands with may have gone unseen.
#[test]
fn a_bad_attribute_beside_withdrawn_routes_resets_the_session() {
    let mut speaker = six();
    speaker.announce(1, unicast(P), &path(&[7]));
    let update = |attribute: &[u8]| {
        let length = 23 + 4 + attribute.len() as u8;
        let withdrawn = [0, 4, 24, 192, 0, 2, 0, attribute.len() as u8];
        [&[0xff; 16][..], &[0, length, 2], &withdrawn, attribute].concat()
    };
    let outcome = speaker.receive(1, update(&[0x40, 1, 1, 9]));
    assert!(matches!(outcome.verdict, UpdateVerdict::Reset(_)), "{outcome:?}");
    let outcome = speaker.receive(1, update(&[0x40, 1, 1, 0]));
    assert_eq!(outcome.verdict, UpdateVerdict::Accepted);
    assert_eq!(speaker.rib.routes(Family::Ipv4Unicast, None), []);
}

/// RFC 8326 section 4.1.
#[test]
fn a_route_that_is_about_to_go_is_the_last_resort_in_the_whole_as() {
    let mut speaker = six();
    let leaving = Attributes { communities: vec![Community::GRACEFUL_SHUTDOWN], ..path(&[65005]) };
    speaker.announce(5, unicast(P), &leaving);
    speaker.flush();
    assert_eq!(speaker.at(1, P).unwrap().attributes.local_pref, Some(0));
    speaker.announce(6, unicast(P), &path(&[65006, 1, 2, 3]));
    speaker.flush();
    assert_eq!(speaker.at(1, P).unwrap().attributes.as_path, AsPath::sequence([65006, 1, 2, 3]));
}

/// RFC 8669 section 4.
#[test]
fn a_prefix_sid_from_another_domain_goes_no_further() {
    let mut speaker = six();
    let label_index = PrefixSidTlv::Other { kind: 1, value: vec![0; 7].into() };
    let attributes = Attributes { prefix_sid: Some(PrefixSid { tlvs: vec![label_index] }), ..path(&[7]) };
    speaker.announce(5, unicast(P), &attributes);
    speaker.flush();
    assert_eq!(speaker.at(1, P).unwrap().attributes.prefix_sid, None);
    speaker.withdraw(5, unicast(P));
    speaker.announce(1, unicast(P), &attributes);
    speaker.flush();
    let holds = |n: u32| speaker.at(n, P).unwrap().attributes.prefix_sid.is_some();
    assert_eq!([holds(2), holds(5)], [true, false]);
}

/// RFC 4271 section 5.1.3.
#[test]
fn a_route_that_leads_to_us_is_kept_out() {
    let mut speaker = six();
    for next_hop in ["10.0.0.254", "0.0.0.0", "224.0.0.5"].map(|text| NextHop::V4(text.parse().unwrap())) {
        speaker.announce_via(1, unicast(P), next_hop, &path(&[7]));
        assert_eq!(speaker.rib.routes(Family::Ipv4Unicast, None), []);
    }
    for mapped in ["::ffff:10.0.0.254", "::ffff:0.0.0.0", "::"] {
        let next_hop = NextHop::V6 { global: mapped.parse().unwrap(), link_local: None };
        speaker.announce_via(1, unicast("2001:db8:1::/48"), next_hop, &path(&[7]));
        assert_eq!(speaker.rib.routes(Family::Ipv6Unicast, None), []);
    }
}

/// RFC 2545 section 3.
#[test]
fn a_link_local_next_hop_is_used_here_and_not_passed_on() {
    let (global, link_local) = ("2001:db8::1".parse().unwrap(), "fe80::1".parse().unwrap());
    let mut speaker = six();
    let next_hop = NextHop::V6 { global, link_local: Some(link_local) };
    speaker.announce_via(1, unicast("2001:db8:1::/48"), next_hop, &path(&[7]));
    speaker.flush();
    assert_eq!(speaker.unicast[&prefix("2001:db8:1::/48")].next_hop, IpAddr::V6(link_local));
    assert_eq!(speaker.at(2, "2001:db8:1::/48").unwrap().next_hop, NextHop::V6 { global, link_local: None });
}
