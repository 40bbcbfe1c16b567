use super::*;

fn prefixes(count: u8) -> impl Iterator<Item = Nlri> {
    (0..count).map(|n| unicast(&format!("192.0.{n}.0/24")))
}

#[test]
fn alike_peers_share_one_encoding() {
    let mut speaker = Speaker::with([session(9, 65009), client(1), client(2), client(3), session(4, 65004)]);
    speaker.sent.clear();
    prefixes(50).for_each(|nlri| {
        speaker.announce(9, nlri, &path(&[65009]));
    });
    speaker.flush();
    let audiences: Vec<_> =
        speaker.sent.iter().map(|(peers, _)| peers.iter().map(|peer| peer.0).collect::<Vec<_>>()).collect();
    // External peers hold what the source does not: all but the source share theirs too.
    assert_eq!(audiences, [vec![4], vec![1, 2, 3]]);
    assert!(
        speaker.sent.iter().all(|(_, messages)| frame_length(messages) == Ok(Some(messages.len()))),
        "one message each"
    );
}

#[test]
fn a_late_joiner_gets_the_whole_table_and_then_what_all_get() {
    let mut speaker = Speaker::with([client(1), client(2)]);
    prefixes(10).for_each(|nlri| {
        speaker.announce(1, nlri, &path(&[7]));
    });
    speaker.flush();
    speaker.ended.clear();
    speaker.sent.clear();
    speaker.up(client(3));
    speaker.flush();
    assert_eq!(speaker.held[&PeerId(3)], speaker.held[&PeerId(2)]);
    assert_eq!(speaker.ended, Family::ALL.map(|family| (PeerId(3), family)).into());
    assert!(speaker.sent.iter().all(|(peers, _)| *peers == [PeerId(3)]), "others are not bothered");

    speaker.sent.clear();
    speaker.announce(1, unicast("203.0.113.0/24"), &path(&[8]));
    speaker.flush();
    assert_eq!(speaker.sent.len(), 1);
    assert_eq!(speaker.sent[0].0, [PeerId(2), PeerId(3)]);
}

#[test]
fn changes_reach_a_joiner_in_the_middle_of_its_dump() {
    let mut speaker = Speaker::with([client(1), client(2)]);
    prefixes(10).for_each(|nlri| {
        speaker.announce(1, nlri, &path(&[7]));
    });
    speaker.flush();
    speaker.rib.budget.dump = 3;
    speaker.up(client(3));
    assert!(speaker.flush_once());
    assert_eq!(speaker.held[&PeerId(3)].len(), 3);
    // One that it holds, one that it does not hold yet.
    speaker.withdraw(1, unicast("192.0.0.0/24"));
    speaker.withdraw(1, unicast("192.0.9.0/24"));
    speaker.announce(1, unicast("192.0.1.0/24"), &path(&[8]));
    speaker.announce(1, unicast("192.0.8.0/24"), &path(&[8]));
    speaker.flush();
    assert_eq!(speaker.held[&PeerId(3)], speaker.held[&PeerId(2)]);
    assert_eq!(speaker.held[&PeerId(3)].len(), 8);
}

/// RFC 2918.
#[test]
fn a_refresh_sends_the_family_again_to_who_asked() {
    let mut speaker = Speaker::with([client(1), client(2)]);
    prefixes(10).for_each(|nlri| {
        speaker.announce(1, nlri, &path(&[7]));
    });
    speaker.announce(1, unicast("2001:db8::/32"), &path(&[7]));
    speaker.flush();
    let before = std::mem::take(speaker.held.get_mut(&PeerId(2)).unwrap());
    speaker.rib.budget.dump = 3;
    speaker.rib.refresh(PeerId(2), Family::Ipv4Unicast);
    speaker.flush();
    let v4 = before.into_iter().filter(|((family, ..), _)| *family == Family::Ipv4Unicast).collect();
    assert_eq!(speaker.held[&PeerId(2)], v4);
}

#[test]
fn a_flap_between_two_flushes_is_not_told() {
    let mut speaker = Speaker::with([client(1), client(2)]);
    speaker.announce(1, unicast("192.0.2.0/24"), &path(&[7]));
    speaker.flush();
    speaker.sent.clear();
    speaker.withdraw(1, unicast("192.0.2.0/24"));
    speaker.announce(1, unicast("192.0.2.0/24"), &path(&[7]));
    speaker.announce(1, unicast("198.51.100.0/24"), &path(&[7]));
    speaker.withdraw(1, unicast("198.51.100.0/24"));
    speaker.flush();
    assert!(speaker.sent.is_empty());
    assert_eq!(speaker.rib.attribute_sets(), 1);
}

#[test]
fn families_that_were_not_negotiated_are_neither_taken_nor_sent() {
    let mut v4 = client(1);
    v4.families.truncate(1);
    let mut speaker = Speaker::with([v4, client(2)]);
    speaker.announce(2, unicast("2001:db8::/32"), &path(&[7]));
    speaker.announce(1, unicast("2001:db8:9::/48"), &path(&[7]));
    speaker.flush();
    assert!(speaker.held.values().all(|held| held.is_empty()));
    assert_eq!(speaker.unicast.len(), 1);
}

/// RFC 8950: an IPv6 next hop for IPv4 only where the peer can take it.
#[test]
fn no_next_hop_that_the_peer_cannot_take() {
    let mut plain = client(2);
    plain.families = vec![(Family::Ipv4Unicast, false)];
    let mut speaker = Speaker::with([client(1), plain, client(3)]);
    let v6 = NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local: None };
    speaker.announce_via(1, unicast("192.0.2.0/24"), v6, &path(&[7]));
    speaker.flush();
    assert_eq!(speaker.holders("192.0.2.0/24"), [3]);
    assert_eq!(speaker.at(3, "192.0.2.0/24").unwrap().next_hop, v6);
    speaker.withdraw(1, unicast("192.0.2.0/24"));
    speaker.flush();
}

/// RFC 8654 section 4: what a peer cannot take is not sent, and what it held before does not stay.
#[test]
fn attributes_that_fit_in_no_message_end_the_route() {
    let mut big = client(1);
    big.receive.extended_message = true;
    let mut also_big = client(3);
    also_big.send.extended_message = true;
    let mut speaker = Speaker::with([big.clone(), client(2), also_big]);
    let nlri = unicast("192.0.2.0/24");
    speaker.announce(1, nlri, &path(&[7]));
    speaker.flush();
    assert_eq!(speaker.holders("192.0.2.0/24"), [2, 3]);

    let communities = (0..2000).map(bgp_wire::attribute::Community).collect();
    let (mut octets, mut message) = (Vec::new(), Vec::new());
    Attributes { communities, ..path(&[7]) }.encode(None, &big.receive, &mut octets);
    let writer = UpdateWriter::new(Family::Ipv4Unicast, &big.receive);
    writer.announce(next_hop_of(1), &octets, [nlri], &mut message).unwrap();
    speaker.receive(1, message);
    speaker.flush();
    assert_eq!(speaker.holders("192.0.2.0/24"), [3]);
}

#[test]
fn an_empty_table_gives_its_memory_back() {
    let mut speaker = Speaker::with([client(1), client(2)]);
    for round in 0..2 {
        prefixes(10).for_each(|nlri| {
            speaker.announce(1, nlri, &path(&[7 + round]));
        });
        speaker.flush();
        assert_eq!(speaker.held[&PeerId(2)].len(), 10);
        prefixes(10).for_each(|nlri| {
            speaker.withdraw(1, nlri);
        });
        speaker.flush();
        assert_eq!(speaker.rib.tables.iter().map(|table| table.end()).sum::<u32>(), 0);
    }
}
