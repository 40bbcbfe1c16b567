//! Later fragments have no ports: they follow the first.

use super::*;

const MORE: u16 = 0x2000;

/// A datagram in two: 24 octets, and the rest.
fn fragments4(identification: u8) -> [Vec<u8>; 2] {
    let whole = ip(CLIENT4, VIP4).checked_udp(1000, 80, 100);
    let (first, rest) = whole.payload.split_at(24);
    [(first, MORE), (rest, 3)].map(|(part, fragment)| {
        let mut bytes = whole.clone().fragment(fragment).payload(UDP, part.to_vec()).bytes();
        bytes[5] = identification;
        bytes[10..12].fill(0);
        let sum = checksum(&bytes[..20]);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes
    })
}

fn fragments6(identification: u8) -> [Ip; 2] {
    let whole = ip(CLIENT6, VIP6).checked_udp(1000, 80, 100);
    let (first, rest) = whole.payload.split_at(24);
    [(first, 1), (rest, 24)].map(|(part, place)| {
        let header = [UDP, 0, 0, place, 0, 0, 0, identification];
        whole.clone().payload(FRAGMENT, [&header[..], part].concat())
    })
}

fn pass(lab: &mut Lab, bytes: &[u8]) -> Run {
    let (red1, ethertype) = (lab.pe.red1, if bytes[0] >> 4 == 4 { 0x0800 } else { 0x86dd });
    lab.pe.run("circuit_ingress", red1, &frame(RED1_MAC, HOST, ethertype, bytes), 0)
}

#[test]
fn the_datagram_is_whole_again_at_the_backend() {
    let mut lab = Lab::with_one_backend();
    let [first, later] = fragments4(1).map(|fragment| pass(&mut lab, &fragment));
    let payload = [&first.ip()[20..], &later.ip()[20..]].concat();
    let whole = ip(CLIENT4, BACKENDS4[0]).checked_udp(1000, 8080, 100);
    assert_eq!(payload, whole.payload);
    for run in [first, later] {
        assert_eq!(run.ip()[16..20], [10, 9, 0, 2]);
        assert_eq!(checksum(&run.ip()[..20]), 0);
    }

    let [first, later] = fragments6(1).map(|fragment| lab.pe.circuit(&fragment));
    let payload = [&first.ip()[48..], &later.ip()[48..]].concat();
    let whole = ip(CLIENT6, BACKENDS6[0]).checked_udp(1000, 8080, 100);
    assert_eq!(payload, whole.payload);
    for run in [first, later] {
        assert_eq!(run.ip()[24..40], octets6(BACKENDS6[0]));
    }
}

#[test]
fn a_later_fragment_before_the_first_is_dropped_by_name() {
    let mut lab = Lab::with_one_backend();
    let [first, later] = fragments4(7);
    assert_eq!(pass(&mut lab, &later).action, SHOT);
    assert_eq!(pass(&mut lab, &first).action, REDIRECT);
    assert_eq!(pass(&mut lab, &fragments4(8)[1]).action, SHOT, "of another datagram");
    assert_eq!(pass(&mut lab, &later).action, REDIRECT);
    let [first, later] = fragments6(7);
    assert_eq!(lab.pe.circuit(&later).action, SHOT);
    assert_eq!(lab.pe.circuit(&first).action, REDIRECT);
    assert_eq!(lab.pe.circuit(&later).action, REDIRECT);
    assert_eq!(lab.pe.drops(RED, DropReason::FragmentBeforeFirst), 3);
}

/// They need no ports of anybody.
#[test]
fn fragments_that_are_not_for_a_vip_go_their_way() {
    let mut lab = Lab::with_one_backend();
    let later = ip(CLIENT4, "10.9.0.9").fragment(3);
    lab.pe.circuit(&later).assert_sent("later", &later.clone().ttl(63));
    let header = [UDP, 0, 0, 24, 0, 0, 0, 9];
    let later = ip(CLIENT6, "2001:db8:9::9").payload(FRAGMENT, [&header[..], &pattern(16)].concat());
    lab.pe.circuit(&later).assert_sent("later, IPv6", &later.clone().ttl(63));
}

#[test]
fn a_fragmented_ping_to_a_vip_is_answered() {
    let mut lab = Lab::with_one_backend();
    let whole = ip(CLIENT4, VIP4).echo_request(100);
    let (first, rest) = whole.payload.split_at(24);
    for (part, fragment) in [(first, MORE), (rest, 3)] {
        let part = whole.clone().fragment(fragment).payload(ICMP, part.to_vec());
        assert_eq!(lab.pe.circuit(&part).action, REDIRECT, "{fragment:x}");
    }
}
