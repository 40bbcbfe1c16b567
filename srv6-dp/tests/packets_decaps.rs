//! From the core to a local SID: End.DT4, End.DT6, End.DT46 and their NEXT-C-SID flavours.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use srv6_types::{
    DropReason,
    maps::{next_hop_kind as kind, vrf_counter},
};
use support::{packet::*, *};

const FAR: &str = "fc00:0:2::";

fn pe() -> Pe {
    let mut pe = Pe::new();
    let red1 = pe.red1;
    for prefix in ["10.1.0.0/24", "2001:db8:1::/64"] {
        pe.route(RED, prefix, on(kind::CONNECTED, red1));
    }
    for prefix in ["10.1.0.1/32", "2001:db8:1::1/128"] {
        pe.route(RED, prefix, on(kind::LOCAL, red1));
    }
    for prefix in ["10.2.0.0/16", "2001:db8:2::/48"] {
        pe.route(RED, prefix, encapsulate(kind::ENCAPS_RED, &[REMOTE]));
    }
    pe
}

fn four() -> Ip {
    ip("10.2.0.2", "10.1.0.2")
}

fn six() -> Ip {
    ip("2001:db8:2::2", "2001:db8:1::2")
}

#[test]
fn every_behaviour_takes_what_it_should() {
    let mut pe = pe();
    for (what, sid, inner) in [
        ("End.DT4", DT4, four()),
        ("End.DT6", DT6, six()),
        ("End.DT46, IPv4", DT46, four()),
        ("End.DT46, IPv6", DT46, six()),
        ("uDT46, IPv4", UDT46, four()),
        ("uDT46, IPv6", UDT46, six()),
        ("no payload", DT46, four().payload(253, vec![])),
        ("one octet", DT46, six().payload(253, vec![1])),
    ] {
        pe.core(&outer(FAR, sid, &inner)).assert_sent(what, &inner.clone().ttl(63));
        let list = [sid, "fc00:0:9::"];
        let routed = outer_with_routing_header(FAR, sid, 0, &list, &inner);
        pe.core(&routed).assert_sent(&format!("{what} behind an SRH"), &inner.clone().ttl(63));
        let routed = outer_with_routing_header(FAR, sid, 0, &[sid; 50], &inner);
        pe.core(&routed).assert_sent(&format!("{what} behind a long SRH"), &inner.ttl(63));
    }
    assert_eq!(pe.counter(RED, vrf_counter::DECAPSULATED).0, 24);
    assert_eq!(pe.counter(RED, vrf_counter::DELIVERED), pe.counter(RED, vrf_counter::DECAPSULATED));
    assert_eq!(pe.sid_counter(0), (3, 3 * four().bytes().len() as u64), "End.DT4");
}

#[test]
fn every_behaviour_refuses_the_rest() {
    let mut pe = pe();
    let tcp = Ip { protocol: TCP, ..outer(FAR, DT46, &four()) };
    let hop_by_hop = Ip { protocol: 0, ..outer(FAR, DT46, &four()) };
    let cases = [
        ("IPv6 for End.DT4", outer(FAR, DT4, &six())),
        ("IPv4 for End.DT6", outer(FAR, DT6, &four())),
        ("TCP for End.DT46", tcp),
        ("ping of a SID", ip(FAR, DT46).echo_request(8)),
        ("hop-by-hop options", hop_by_hop),
        ("a behaviour that is not ours", outer(FAR, "fc00:0:1:99::", &four())),
    ];
    let count = cases.len() as u64;
    for (what, packet) in cases {
        assert_eq!(pe.core(&packet).action, SHOT, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::UpperLayerUnexpected), count);
    assert_eq!(pe.counter(RED, vrf_counter::DROPPED).0, count);
    assert_eq!(pe.counter(RED, vrf_counter::DECAPSULATED).0, 0);
}

#[test]
fn routing_headers_that_are_wrong() {
    let mut pe = pe();
    let srh = |left, list: &[&str]| outer_with_routing_header(FAR, DT46, left, list, &four());
    let patched = |at: usize, octet| {
        let mut packet = srh(0, &[DT46]);
        packet.payload[at] = octet;
        packet
    };
    let cases = [
        ("segments left", srh(1, &[DT46, "fc00:0:9::"])),
        ("not a type 4", patched(2, 0)),
        ("last entry beyond the header", patched(4, 1)),
    ];
    let count = cases.len() as u64;
    for (what, packet) in cases {
        assert_eq!(pe.core(&packet).action, SHOT, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::BadSegmentRoutingHeader), count);
    assert_eq!(pe.core(&patched(1, 200)).action, SHOT, "longer than allowed");
    let mut cut = srh(0, &[DT46]);
    cut.payload.truncate(6);
    assert_eq!(pe.core(&cut).action, SHOT, "cut short");
    assert_eq!(pe.counter(RED, vrf_counter::DROPPED).0, count + 2);
}

#[test]
fn inner_packets_that_are_wrong() {
    let mut pe = pe();
    let upper = |protocol, payload: Vec<u8>| ip(FAR, DT46).payload(protocol, payload);
    let cases = [
        ("nothing inside", upper(IN_IPV4, vec![])),
        ("half a header", upper(IN_IPV6, six().bytes()[..20].to_vec())),
        ("IPv6 said to be IPv4", upper(IN_IPV4, six().bytes())),
        ("IPv4 said to be IPv6", upper(IN_IPV6, four().bytes())),
        ("IPv4 longer than the frame", upper(IN_IPV4, four().bytes()[..30].to_vec())),
        ("IPv6 longer than the frame", upper(IN_IPV6, six().bytes()[..60].to_vec())),
    ];
    let count = cases.len() as u64;
    for (what, packet) in cases {
        assert_eq!(pe.core(&packet).action, SHOT, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::Malformed), count);
}

#[test]
fn congestion_marks_survive_the_tunnel() {
    let mut pe = pe();
    // RFC 6040 figure 4: inner, outer, and what goes on (None: dropped). DSCP 10 inside, 0 outside.
    for (inner, outside, onwards) in [
        (0, 0, Some(0)),
        (0, 1, Some(0)),
        (0, 2, Some(0)),
        (0, 3, None),
        (1, 0, Some(1)),
        (1, 2, Some(1)),
        (1, 3, Some(3)),
        (2, 0, Some(2)),
        (2, 1, Some(1)),
        (2, 2, Some(2)),
        (2, 3, Some(3)),
        (3, 0, Some(3)),
        (3, 3, Some(3)),
    ] {
        for packet in [four(), six()] {
            let packet = packet.class(10 << 2 | inner);
            let what = format!("inner {inner}, outer {outside}");
            let run = pe.core(&outer(FAR, DT46, &packet).class(outside));
            match onwards {
                Some(mark) => run.assert_sent(&what, &packet.ttl(63).class(10 << 2 | mark)),
                None => assert_eq!(run.action, SHOT, "{what}"),
            }
        }
    }
    assert_eq!(pe.drops(RED, DropReason::CongestionNotEct), 2);
}

#[test]
fn what_is_not_ours_goes_on_to_the_next_program() {
    let mut pe = pe();
    let transit = outer(FAR, "fc00:0:7:1::", &four()).bytes();
    for (what, frame) in [
        ("transit", frame(CORE_MAC, HOST, 0x86dd, &transit)),
        ("to the node", frame(CORE_MAC, HOST, 0x86dd, &ip(FAR, NODE).payload(TCP, pattern(20)).bytes())),
        ("IPv4", frame(CORE_MAC, HOST, 0x0800, &four().bytes())),
        ("ARP", frame(CORE_MAC, HOST, 0x0806, &[0; 28])),
        ("another station's", frame([2, 9, 9, 9, 9, 9], HOST, 0x86dd, &outer(FAR, DT46, &four()).bytes())),
    ] {
        let run = pe.run("core_ingress", pe.core0, &frame, 0);
        assert_eq!(run.action, NEXT, "{what}");
        assert_eq!(run.frame, frame, "{what}: untouched");
    }
}

#[test]
fn in_our_locator_but_no_sid() {
    let mut pe = pe();
    assert_eq!(pe.core(&outer(FAR, "fc00:0:1:777::", &four())).action, SHOT);
    assert_eq!(pe.core(&ip(FAR, "fc00:0:1:46::1")).action, SHOT, "a SID with an argument is another");
    assert_eq!(pe.drops(0, DropReason::NoSuchSid), 2);
}

#[test]
fn hairpin_rewrites_the_outer_header_in_place() {
    let mut pe = pe();
    let inner = ip("10.2.0.2", "10.2.9.9").class(46 << 2);
    let expected = outer(NODE, REMOTE, &inner.clone().ttl(63));
    pe.core(&outer(FAR, DT46, &inner)).assert_encapsulated("same length", expected.clone());
    let srh = outer_with_routing_header(FAR, DT46, 0, &[DT46, "fc00:0:9::"], &inner);
    pe.core(&srh).assert_encapsulated("shorter", expected);
    pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:2:e1::", "fc00:0:2:e2::", REMOTE]));
    let inner = ip("2.2.2.2", "10.3.0.1");
    let list = [REMOTE, "fc00:0:2:e2::"];
    let expected = outer_with_routing_header(NODE, "fc00:0:2:e1::", 2, &list, &inner.clone().ttl(63));
    pe.core(&outer(FAR, DT46, &inner)).assert_encapsulated("longer", expected);
}

#[test]
fn errors_go_back_through_the_vrf() {
    let mut pe = pe();
    let error4 = |kind, code, rest, about: &Ip| {
        let error = ip("10.1.0.1", "10.2.0.2").class(0xc0).icmp(kind, code, rest, &about.bytes());
        outer(NODE, REMOTE, &error)
    };
    let error6 = |kind, code, rest, about: &Ip| {
        let error = ip("2001:db8:1::1", "2001:db8:2::2").class(0xc0).icmp(kind, code, rest, &about.bytes());
        outer(NODE, REMOTE, &error)
    };
    let nowhere = ip("10.2.0.2", "172.16.0.1");
    pe.core(&outer(FAR, DT46, &nowhere)).assert_encapsulated("no route", error4(3, 0, 0, &nowhere));
    let nowhere = ip("2001:db8:2::2", "3fff::1");
    pe.core(&outer(FAR, DT46, &nowhere)).assert_encapsulated("no route, 6", error6(1, 0, 0, &nowhere));
    assert_eq!(pe.drops(RED, DropReason::NoRouteInVrf), 2);

    pe.core(&outer(FAR, DT46, &four().ttl(1))).assert_encapsulated("TTL", error4(11, 0, 0, &four().ttl(1)));
    pe.core(&outer(FAR, DT46, &six().ttl(1))).assert_encapsulated("TTL, 6", error6(3, 0, 0, &six().ttl(1)));
    let behind_srh = outer_with_routing_header(FAR, DT46, 0, &[DT46, "fc00:0:9::"], &four().ttl(1));
    pe.core(&behind_srh).assert_encapsulated("TTL behind an SRH", error4(11, 0, 0, &four().ttl(1)));
    assert_eq!(pe.drops(RED, DropReason::TtlExpired), 3);
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED).0, 5);
}

/// As from a circuit: what no router forwards, whichever PE let it in.
#[test]
fn what_no_router_forwards() {
    let mut pe = pe();
    let red1 = pe.red1;
    for prefix in ["0.0.0.0/0", "::/0"] {
        pe.route(RED, prefix, on(kind::CONNECTED, red1));
    }
    use DropReason::*;
    for (what, reason, inner) in [
        ("to broadcast", LinkScope, ip("10.2.0.2", "255.255.255.255")),
        ("to this host", LinkScope, ip("10.2.0.2", "127.0.0.1")),
        ("to a link-local address", LinkScope, ip("2001:db8:2::2", "fe80::2")),
        ("to multicast", MulticastUnsupported, ip("10.2.0.2", "239.0.0.1")),
        ("to multicast, IPv6", MulticastUnsupported, ip("2001:db8:2::2", "ff05::2")),
        ("from multicast", BadSource, ip("224.0.0.5", "10.1.0.2")),
        ("a ping from this host", BadSource, ip("127.0.0.1", "10.1.0.1").echo_request(8)),
        ("a ping from ::1", BadSource, ip("::1", "2001:db8:1::1").echo_request(8)),
    ] {
        let before = pe.drops(RED, reason);
        assert_eq!(pe.core(&outer(FAR, DT46, &inner)).action, SHOT, "{what}");
        assert_eq!(pe.drops(RED, reason), before + 1, "{what}");
    }
    let group = frame([0x33, 0x33, 0, 0, 0, 1], HOST, 0x86dd, &outer(FAR, DT46, &four()).bytes());
    assert_eq!(pe.run("core_ingress", pe.core0, &group, 0).action, NEXT, "by a multicast of the link");
}

#[test]
fn larger_than_the_circuit() {
    let mut pe = pe();
    let red2 = pe.red2;
    pe.route(RED, "10.9.0.0/24", on(kind::CONNECTED, red2));
    pe.route(RED, "2001:db8:9::/64", on(kind::CONNECTED, red2));
    let big = ip("10.2.0.2", "10.9.0.2").udp(1, 2, 1400 - 28 + 1);
    let error = ip("10.1.0.1", "10.2.0.2").class(0xc0).icmp(3, 4, 1400, &big.bytes()[..548]);
    pe.core(&outer(FAR, DT46, &big)).assert_encapsulated("frag-needed", outer(NODE, REMOTE, &error));
    let big = ip("2001:db8:2::2", "2001:db8:9::2").udp(1, 2, 1400 - 48 + 1);
    let error = ip("2001:db8:1::1", "2001:db8:2::2").class(0xc0).icmp(2, 0, 1400, &big.bytes()[..1232]);
    pe.core(&outer(FAR, DT46, &big)).assert_encapsulated("too big", outer(NODE, REMOTE, &error));
    assert_eq!(pe.drops(RED, DropReason::TooBig), 2);
    let fits = ip("10.2.0.2", "10.9.0.2").udp(1, 2, 1400 - 28);
    pe.core(&outer(FAR, DT46, &fits)).assert_sent("to the octet", &fits.clone().ttl(63));
}

#[test]
fn gateway_address_answers_the_far_side() {
    let mut pe = pe();
    let ping = ip("10.2.0.2", "10.1.0.1").echo_request(56);
    let pong = ip("10.1.0.1", "10.2.0.2").icmp(0, 0, 0x0007_0001, &pattern(56));
    pe.core(&outer(FAR, DT46, &ping)).assert_encapsulated("IPv4", outer(NODE, REMOTE, &pong));
    pe.core(&outer(FAR, DT46, &ping.ttl(1))).assert_encapsulated("the last hop", outer(NODE, REMOTE, &pong));
    let ping = ip("2001:db8:2::2", "2001:db8:1::1").echo_request(1200);
    let pong = ip("2001:db8:1::1", "2001:db8:2::2").icmp(129, 0, 0x0007_0001, &pattern(1200));
    pe.core(&outer(FAR, DT46, &ping)).assert_encapsulated("IPv6", outer(NODE, REMOTE, &pong));
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED).0, 3);
    let udp = ip("10.2.0.2", "10.1.0.1");
    let error = ip("10.1.0.1", "10.2.0.2").class(0xc0).icmp(3, 3, 0, &udp.bytes());
    pe.core(&outer(FAR, DT46, &udp)).assert_encapsulated("nothing listens", outer(NODE, REMOTE, &error));
    assert_eq!(pe.drops(RED, DropReason::NotListening), 1);
}
