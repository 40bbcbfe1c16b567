//! From a circuit: what is let in, what is answered, what is refused, and the ways that do not lead into the core.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use srv6_types::{
    DropReason,
    maps::{next_hop_kind as kind, vrf_counter},
};
use support::{packet::*, *};

const HOST4: &str = "10.1.0.2";
const HOST6: &str = "2001:db8:1::2";
const GATEWAY4: &str = "10.1.0.1";
const GATEWAY6: &str = "2001:db8:1::1";

fn pe() -> Pe {
    let mut pe = Pe::new();
    let (red1, red2) = (pe.red1, pe.red2);
    for (prefix, next_hop) in [
        ("10.1.0.0/24", on(kind::CONNECTED, red1)),
        ("2001:db8:1::/64", on(kind::CONNECTED, red1)),
        ("10.1.0.1/32", on(kind::LOCAL, red1)),
        ("2001:db8:1::1/128", on(kind::LOCAL, red1)),
        ("10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
        ("2001:db8:2::/48", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
        ("10.5.0.0/16", gateway(red2, "10.9.0.2")),
        ("10.50.0.0/16", gateway(red2, "2001:db8:9::2")),
        ("2001:db8:5::/48", gateway(red2, "2001:db8:9::2")),
        ("2001:db8:50::/48", gateway(red2, "10.9.0.2")),
        ("10.6.0.0/16", on(kind::UNREACHABLE, 0)),
        ("2001:db8:6::/48", on(kind::UNREACHABLE, 0)),
        ("10.7.0.0/16", on(kind::BLACKHOLE, 0)),
        ("10.8.0.0/16", leak(BLUE)),
        ("10.10.0.0/16", leak(RED)),
        ("10.13.0.0/16", on(kind::CONNECTED, 4711)),
    ] {
        pe.route(RED, prefix, next_hop);
    }
    pe.route_to_index(RED, "10.11.0.0/16", 900);
    pe.route_to_index(RED, "10.14.0.0/16", 1_000_000);
    pe
}

fn error4(kind: u8, code: u8, rest: u32, about: &Ip) -> Ip {
    let quote = about.bytes();
    ip(GATEWAY4, HOST4).class(0xc0).icmp(kind, code, rest, &quote[..quote.len().min(548)])
}

fn error6(kind: u8, code: u8, rest: u32, about: &Ip) -> Ip {
    let quote = about.bytes();
    ip(GATEWAY6, HOST6).class(0xc0).icmp(kind, code, rest, &quote[..quote.len().min(1232)])
}

/// Dropped, named, and not a word said.
fn assert_silent(pe: &mut Pe, what: &str, reason: DropReason, packet: &Ip) {
    let before = pe.drops(RED, reason);
    assert_eq!(pe.circuit(packet).action, SHOT, "{what}");
    assert_eq!(pe.drops(RED, reason), before + 1, "{what}");
}

/// Dropped, named, and answered with `error`.
fn assert_refused(pe: &mut Pe, what: &str, reason: DropReason, packet: &Ip, error: &Ip) {
    let before = pe.drops(RED, reason);
    let run = pe.circuit(packet);
    run.assert_sent(what, error);
    assert_eq!(run.frame[..12], [HOST, RED1_MAC].concat(), "{what}: MAC addresses");
    assert_eq!(pe.drops(RED, reason), before + 1, "{what}");
}

#[test]
fn refusals_say_why() {
    let mut pe = pe();
    let four = |to| ip(HOST4, to);
    let six = |to| ip(HOST6, to);
    use DropReason::*;
    for (what, reason, packet, kind, code) in [
        ("no route", NoRouteInVrf, four("172.16.0.1"), 3, 0),
        ("unreachable", RouteUnreachable, four("10.6.0.1"), 3, 13),
        ("TTL 1", TtlExpired, four("10.2.0.2").ttl(1), 11, 0),
        ("TTL 0", TtlExpired, four("10.2.0.2").ttl(0), 11, 0),
        ("UDP to the gateway", NotListening, four(GATEWAY4), 3, 3),
        ("TCP to the gateway", NotListening, four(GATEWAY4).payload(TCP, pattern(20)), 3, 2),
        ("a ping is no error", NoRouteInVrf, four("172.16.0.1").echo_request(8), 3, 0),
        ("the first fragment", NoRouteInVrf, four("172.16.0.1").fragment(0x2000), 3, 0),
        ("an odd length", NoRouteInVrf, four("172.16.0.1").udp(1, 2, 33), 3, 0),
        ("only a header", NoRouteInVrf, four("172.16.0.1").payload(253, vec![]), 3, 0),
    ] {
        assert_refused(&mut pe, what, reason, &packet, &error4(kind, code, 0, &packet));
    }
    let extended = six("3fff::1").payload(60, [&[UDP, 0, 1, 4, 0, 0, 0, 0][..], &pattern(16)].concat());
    for (what, reason, packet, kind, code) in [
        ("no route", NoRouteInVrf, six("3fff::1"), 1, 0),
        ("unreachable", RouteUnreachable, six("2001:db8:6::1"), 1, 1),
        ("hop limit 1", TtlExpired, six("2001:db8:2::2").ttl(1), 3, 0),
        ("UDP to the gateway", NotListening, six(GATEWAY6), 1, 4),
        ("a ping is no error", NoRouteInVrf, six("3fff::1").echo_request(8), 1, 0),
        ("behind options", NoRouteInVrf, extended, 1, 0),
        ("an odd length", NoRouteInVrf, six("3fff::1").udp(1, 2, 33), 1, 0),
    ] {
        assert_refused(&mut pe, what, reason, &packet, &error6(kind, code, 0, &packet));
    }
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED).0, 17);
    assert_eq!(pe.counter(RED, vrf_counter::DROPPED).0, 17);
}

/// RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e).
#[test]
fn no_errors_about_errors() {
    let mut pe = pe();
    let nowhere4 = ip(HOST4, "172.16.0.1");
    let nowhere6 = ip(HOST6, "3fff::1");
    let options = |icmp: Ip| {
        let payload = [&[ICMPV6, 0, 1, 4, 0, 0, 0, 0][..], &icmp.payload].concat();
        Ip { protocol: 60, payload, ..icmp }
    };
    let later_fragment = [&[UDP, 0, 0, 8, 0, 0, 0, 1][..], &pattern(16)].concat();
    for (what, packet) in [
        ("an ICMP error", nowhere4.clone().icmp(3, 1, 0, &pattern(28))),
        ("an ICMP redirect", nowhere4.clone().icmp(5, 1, 0, &pattern(28))),
        ("ICMP too short to tell", nowhere4.clone().payload(ICMP, vec![8, 0])),
        ("a later fragment", nowhere4.clone().fragment(10)),
        ("an ICMPv6 error", nowhere6.clone().icmp(1, 0, 0, &pattern(48))),
        ("an ICMPv6 error behind options", options(nowhere6.clone().icmp(1, 0, 0, &pattern(48)))),
        ("a later fragment, IPv6", nowhere6.clone().payload(FRAGMENT, later_fragment)),
    ] {
        assert_silent(&mut pe, what, DropReason::NoRouteInVrf, &packet);
    }
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED).0, 0);
}

#[test]
fn errors_are_rationed() {
    let mut pe = pe();
    let packet = ip(HOST4, "172.16.0.1");
    let answered = (0..2000).filter(|_| pe.circuit(&packet).action == REDIRECT).count();
    assert!((20..1000).contains(&answered), "{answered} of 2000 were answered");
    assert_eq!(pe.drops(RED, DropReason::NoRouteInVrf), 2000);
}

/// Neither in its own VRF nor by packets that are leaked into the other's.
#[test]
fn a_tenants_flood_takes_nothing_from_another() {
    let mut pe = pe();
    let nowhere = ip(HOST4, "10.8.0.1");
    for _ in 0..500 {
        pe.circuit(&nowhere);
    }
    let error = ip(GATEWAY4, HOST4).class(0xc0).icmp(3, 0, 0, &nowhere.bytes());
    pe.on_circuit(pe.blue1, &nowhere).assert_sent("an error for blue", &error);

    for _ in 0..500 {
        pe.circuit(&ip(HOST4, "10.7.0.1"));
    }
    let lost = ip(HOST4, "172.16.0.1");
    pe.on_circuit(pe.blue1, &lost);
    let told = pe.events();
    assert!(told.len() < 400, "{} of 1002 drops were told", told.len());
    assert_eq!(told.last(), Some(&(BLUE, DropReason::NoRouteInVrf, [172, 16, 0, 1])));
}

#[test]
fn a_circuit_without_gateway_speaks_as_its_vrf() {
    let mut pe = pe();
    let packet = ip("10.9.0.2", "172.16.0.1");
    let error = ip(GATEWAY4, "10.9.0.2").class(0xc0).icmp(3, 0, 0, &packet.bytes());
    pe.on_circuit(pe.red2, &packet).assert_sent("IPv4", &error);
}

#[test]
fn silent_drops() {
    let mut pe = pe();
    use DropReason::*;
    for (what, reason, packet) in [
        ("blackhole", Blackhole, ip(HOST4, "10.7.0.1")),
        ("leaks in a circle", LeakLoop, ip(HOST4, "10.10.0.1")),
        ("an empty next hop", NoSuchNextHop, ip(HOST4, "10.11.0.1")),
        ("a next hop beyond the table", NoSuchNextHop, ip(HOST4, "10.14.0.1")),
        ("IPv6 by an IPv4 neighbour", NoSuchNextHop, ip(HOST6, "2001:db8:50::1")),
        ("an interface that is gone", NoSuchCircuit, ip(HOST4, "10.13.0.1")),
        ("to the domain", SidFromTenant, ip(HOST6, REMOTE)),
        ("to a local SID", SidFromTenant, outer(HOST6, DT46, &ip(HOST4, HOST4))),
        ("with an SRH", SidFromTenant, outer_with_routing_header(HOST6, DT46, 0, &[DT46], &ip(HOST4, HOST4))),
        ("from 0.0.0.0", BadSource, ip("0.0.0.0", "10.2.0.2")),
        ("from 127.0.0.1", BadSource, ip("127.0.0.1", "10.2.0.2")),
        ("from multicast", BadSource, ip("224.0.0.5", "10.2.0.2")),
        ("from broadcast", BadSource, ip("255.255.255.255", "10.2.0.2")),
        ("from ::", BadSource, ip("::", "2001:db8:2::2")),
        ("from ::1", BadSource, ip("::1", "2001:db8:2::2")),
        ("from a link-local address", BadSource, ip("fe80::2", "2001:db8:2::2")),
        ("from ff02::1", BadSource, ip("ff02::1", "2001:db8:2::2")),
        ("to multicast", MulticastUnsupported, ip(HOST4, "239.1.2.3")),
        ("to site multicast", MulticastUnsupported, ip(HOST6, "ff05::2")),
    ] {
        assert_silent(&mut pe, what, reason, &packet);
    }
    let discovery = |kind| ip(HOST6, REMOTE).ttl(255).icmp(kind, 0, 0, &pattern(16));
    for kind in 133..=137 {
        assert_silent(&mut pe, "discovery to the domain", SidFromTenant, &discovery(kind));
    }
    let mpls = frame(RED1_MAC, HOST, 0x8847, &[0; 60]);
    assert_eq!(pe.run("circuit_ingress", pe.red1, &mpls, 0).action, SHOT);
    assert_eq!(pe.drops(RED, NotIp), 1);
}

#[test]
fn malformed_packets() {
    let mut pe = pe();
    let four = ip(HOST4, "10.2.0.2").bytes();
    let six = ip(HOST6, "2001:db8:2::2").bytes();
    let patched = |packet: &[u8], at: usize, octet| {
        let mut packet = packet.to_vec();
        packet[at] = octet;
        packet
    };
    let cases = [
        ("IPv4, version 5", 0x0800, patched(&four, 0, 0x55)),
        ("IPv4, header of 16 octets", 0x0800, patched(&four, 0, 0x44)),
        ("IPv4, shorter than its header", 0x0800, patched(&four, 3, 19)),
        ("IPv4, longer than the frame", 0x0800, patched(&four, 2, 1)),
        ("IPv4, options beyond its length", 0x0800, patched(&patched(&four, 0, 0x4f), 3, 40)),
        ("IPv6, version 7", 0x86dd, patched(&six, 0, 0x70)),
        ("IPv6, longer than the frame", 0x86dd, patched(&six, 4, 1)),
        ("ARP cut short", 0x0806, vec![0; 20]),
    ];
    let count = cases.len() as u64;
    for (what, ethertype, packet) in cases {
        let run = pe.run("circuit_ingress", pe.red1, &frame(RED1_MAC, HOST, ethertype, &packet), 0);
        assert_eq!(run.action, SHOT, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::Malformed), count);
    let padded = [four.clone(), vec![0; 18]].concat();
    let run = pe.run("circuit_ingress", pe.red1, &frame(RED1_MAC, HOST, 0x0800, &padded), 0);
    assert_eq!(run.action, REDIRECT, "padding of Ethernet is no fault");
    let packet = [&[0x46][..], &four[1..20], &[1; 4], &four[20..]].concat();
    let packet = patched(&packet, 3, packet.len() as u8);
    let run = pe.run("circuit_ingress", pe.red1, &frame(RED1_MAC, HOST, 0x0800, &packet), 0);
    assert_eq!(run.action, REDIRECT, "options are no fault");
}

#[test]
fn what_is_for_the_kernel_goes_on_untouched() {
    let mut pe = pe();
    let nd = |kind, to| ip("fe80::2", to).ttl(255).icmp(kind, 0, 0, &pattern(16));
    for (what, packet) in [
        ("advertisement to the kernel's address", nd(136, "fe80::1")),
        ("solicitation of the kernel's address", nd(135, "ff02::1:ff00:1")),
        ("solicitation of somebody else", nd(135, "ff02::1:ff00:99")),
    ] {
        let run = pe.circuit(&packet);
        assert_eq!((run.action, run.ip()), (NEXT, &packet.bytes()[..]), "{what}");
    }
    let packet = ip(HOST4, "10.2.0.2").bytes();
    let others = frame([2, 9, 9, 9, 9, 9], HOST, 0x0800, &packet);
    assert_eq!(pe.run("circuit_ingress", pe.red1, &others, 0).action, NEXT, "another station's");
    let strange = frame(CORE_MAC, HOST, 0x0800, &packet);
    assert_eq!(pe.run("circuit_ingress", pe.core0, &strange, 0).action, NEXT, "not a circuit");
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 0);
}

/// Whatever listens on all addresses of the node (BGP, SSH) would hear it.
#[test]
fn nothing_on_the_link_reaches_the_node() {
    let mut pe = pe();
    let nd = |kind, to| ip("fe80::2", to).ttl(255).icmp(kind, 0, 0, &pattern(16));
    for (what, packet) in [
        ("DHCP", ip("0.0.0.0", "255.255.255.255").udp(68, 67, 240)),
        ("to this host", ip(HOST4, "127.0.0.1")),
        ("to no host", ip(HOST4, "0.0.0.1")),
        ("to this host, IPv6", ip(HOST6, "::1")),
        ("to no host, IPv6", ip(HOST6, "::")),
        ("OSPF hello", ip(HOST4, "224.0.0.5").ttl(1)),
        ("mDNS", ip(HOST4, "224.0.0.251").udp(5353, 5353, 60)),
        ("TCP to the kernel's address", ip("fe80::2", "fe80::1").payload(TCP, pattern(20))),
        ("ping of the kernel's address", ip("fe80::2", "fe80::1").echo_request(8)),
        ("the same from elsewhere", ip(HOST6, "fe80::1").echo_request(8)),
        ("ping of all nodes", ip("fe80::2", "ff02::1").echo_request(8)),
        ("DHCPv6", ip("fe80::2", "ff02::1:2").udp(546, 547, 60)),
        ("MLD report", ip("fe80::2", "ff02::16").ttl(1).payload(0, pattern(28))),
        ("discovery from beyond the link", nd(136, "fe80::1").ttl(254)),
        ("router solicitation", nd(133, "ff02::2")),
        ("router advertisement", nd(134, "ff02::1")),
        ("router advertisement to us alone", nd(134, "fe80::1")),
        ("redirect", nd(137, "fe80::1")),
    ] {
        assert_silent(&mut pe, what, DropReason::LinkScope, &packet);
    }
}

fn arp(operation: u8, sender: [u8; 4], target_mac: [u8; 6], target: [u8; 4], sender_mac: [u8; 6]) -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, operation][..], &sender_mac, &sender, &target_mac, &target].concat()
}

#[test]
fn arp_for_the_gateway_is_answered() {
    let mut pe = pe();
    let broadcast = [0xff; 6];
    let ask = |target| frame(broadcast, HOST, 0x0806, &arp(1, [10, 1, 0, 2], [0; 6], target, HOST));
    let run = pe.run("circuit_ingress", pe.red1, &ask([10, 1, 0, 1]), 0);
    let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, [10, 1, 0, 1], HOST, [10, 1, 0, 2], RED1_MAC));
    assert_eq!((run.action, run.frame), (REDIRECT, reply));
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED), (1, 28));
    for (what, ifindex, ask) in [
        ("a neighbour", pe.red1, ask([10, 1, 0, 9])),
        ("no route at all", pe.red1, ask([172, 16, 0, 1])),
        ("our address on another circuit", pe.red2, ask([10, 1, 0, 1])),
        ("another tenant, who has no such address", pe.blue1, ask([10, 1, 0, 1])),
        (
            "a reply",
            pe.red1,
            frame(RED1_MAC, HOST, 0x0806, &arp(2, [10, 1, 0, 2], HOST, [10, 1, 0, 1], HOST)),
        ),
    ] {
        let run = pe.run("circuit_ingress", ifindex, &ask, 0);
        assert_eq!((run.action, run.frame), (NEXT, ask), "{what}");
    }
}

/// The kernel asks for neighbours in the name of whatever address it has.
#[test]
fn the_kernel_asks_for_neighbours_as_the_gateway() {
    let mut pe = pe();
    let ask = |sender| frame([0xff; 6], RED1_MAC, 0x0806, &arp(1, sender, [0; 6], [10, 1, 0, 2], RED1_MAC));
    let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, [192, 0, 2, 1], HOST, [10, 1, 0, 2], RED1_MAC));
    let unspecified = u32::MAX;
    for (what, interface, sent, seen) in [
        ("in the node's name", pe.red1, ask([192, 0, 2, 1]), ask([10, 1, 0, 1])),
        ("a probe", pe.red1, ask([0; 4]), ask([10, 1, 0, 1])),
        ("on a circuit without gateway", pe.red2, ask([192, 0, 2, 1]), ask([0; 4])),
        ("elsewhere", pe.core0, ask([192, 0, 2, 1]), ask([192, 0, 2, 1])),
        ("an answer", pe.red1, reply.clone(), reply),
    ] {
        let run = pe.run("circuit_egress", interface, &sent, 0);
        assert_eq!((run.action, run.frame), (unspecified, seen), "{what}");
    }
}

#[test]
fn solicitations_for_the_gateway_are_answered() {
    let mut pe = pe();
    let target = octets6(GATEWAY6);
    let source_option = [&[1, 1][..], &HOST].concat();
    let with_option = [&target[..], &source_option].concat();
    let advertisement = |to: &str, flags: u32| {
        let body = [&target[..], &[2, 1], &RED1_MAC].concat();
        ip(GATEWAY6, to).ttl(255).icmp(136, 0, flags, &body)
    };
    for (what, ask, answer, mac) in [
        (
            "to the solicited-node group",
            ip("fe80::2", "ff02::1:ff00:1").ttl(255).icmp(135, 0, 0, &with_option),
            advertisement("fe80::2", 0xe000_0000),
            HOST,
        ),
        (
            "a unicast probe without option",
            ip(HOST6, GATEWAY6).ttl(255).icmp(135, 0, 0, &target),
            advertisement(HOST6, 0xe000_0000),
            HOST,
        ),
        (
            "duplicate address detection",
            ip("::", "ff02::1:ff00:1").ttl(255).icmp(135, 0, 0, &target),
            advertisement("ff02::1", 0xa000_0000),
            [0x33, 0x33, 0, 0, 0, 1],
        ),
    ] {
        let run = pe.circuit(&ask);
        run.assert_sent(what, &answer);
        assert_eq!(run.frame[..12], [mac, RED1_MAC].concat(), "{what}: MAC addresses");
    }
    let others = octets6("2001:db8:1::99");
    for (kind, asked) in [(133, others), (134, others), (135, others), (136, target), (137, others)] {
        let packet = ip(HOST6, GATEWAY6).ttl(255).icmp(kind, 0, 0, &asked);
        let run = pe.circuit(&packet);
        assert_ne!(run.action, NEXT, "type {kind} to our address: the kernel would route it");
    }
    assert_eq!(pe.drops(RED, DropReason::NotListening), 5);
    let elsewhere = ip(HOST6, "2001:db8:2::2").ttl(255).icmp(136, 0, 0, &target);
    let inner = elsewhere.clone().ttl(254);
    pe.circuit(&elsewhere).assert_encapsulated("stays in the VRF", outer(NODE, REMOTE, &inner));
    let routed = ip(HOST6, GATEWAY6).ttl(254).icmp(135, 0, 0, &target);
    assert_refused(
        &mut pe,
        "from beyond the link",
        DropReason::NotListening,
        &routed,
        &error6(1, 4, 0, &routed),
    );
}

#[test]
fn gateway_answers_pings() {
    let mut pe = pe();
    for octets in [0, 1, 56, 1400] {
        let what = format!("{octets} octets");
        let pong = ip(GATEWAY4, HOST4).icmp(0, 0, 0x0007_0001, &pattern(octets));
        pe.circuit(&ip(HOST4, GATEWAY4).ttl(1).echo_request(octets)).assert_sent(&what, &pong);
        let pong = ip(GATEWAY6, HOST6).icmp(129, 0, 0x0007_0001, &pattern(octets));
        pe.circuit(&ip(HOST6, GATEWAY6).ttl(255).echo_request(octets)).assert_sent(&what, &pong);
    }
    let pong = ip(GATEWAY6, "fe80::2").icmp(129, 0, 0x0007_0001, &pattern(8));
    pe.circuit(&ip("fe80::2", GATEWAY6).echo_request(8)).assert_sent("a link-local asker", &pong);
    let request = ip(HOST4, GATEWAY4).echo_request(16);
    let first = request.clone().fragment(0x2000);
    let reply = ip(GATEWAY4, HOST4).icmp(0, 0, 0x0007_0001, &pattern(16)).fragment(0x2000);
    pe.circuit(&first).assert_sent("first fragment", &reply);
    let later = request.fragment(3).payload(ICMP, pattern(16));
    let mirrored = ip(GATEWAY4, HOST4).fragment(3).payload(ICMP, pattern(16));
    pe.circuit(&later).assert_sent("later fragment", &mirrored);
    assert_silent(
        &mut pe,
        "an error",
        DropReason::NotListening,
        &ip(HOST4, GATEWAY4).icmp(3, 3, 0, &[0; 28]),
    );
}

#[test]
fn between_circuits() {
    let mut pe = pe();
    for (what, packet) in [
        ("gateway", ip(HOST4, "10.5.0.1")),
        ("gateway, IPv6", ip(HOST6, "2001:db8:5::1")),
        ("IPv4 by an IPv6 neighbour", ip(HOST4, "10.50.0.1")),
        ("connected", ip("10.9.0.2", "10.1.0.9")),
    ] {
        pe.circuit(&packet).assert_sent(what, &packet.clone().ttl(63));
    }
    assert_eq!(pe.counter(RED, vrf_counter::DELIVERED).0, 4);
    let big = ip(HOST4, "10.5.0.1").udp(1, 2, 1400 - 28 + 1).fragment(0x4000);
    assert_refused(&mut pe, "too big", DropReason::TooBig, &big, &error4(3, 4, 1400, &big));
    // Short by its own account, but the frame would go out as long as it came in.
    let short = ip(HOST4, "10.5.0.1");
    let long = [short.bytes(), vec![0; 1400]].concat();
    let run = pe.run("circuit_ingress", pe.red1, &frame(RED1_MAC, HOST, 0x0800, &long), 0);
    run.assert_sent("a long tail", &error4(3, 4, 1400, &short));
    let big = ip(HOST6, "2001:db8:5::1").udp(1, 2, 1400 - 48 + 1);
    assert_refused(&mut pe, "too big, IPv6", DropReason::TooBig, &big, &error6(2, 0, 1400, &big));
}

/// RFC 1812 section 5.3.4: or every station on the link would be answered with an error.
#[test]
fn what_came_by_broadcast_is_not_routed() {
    let mut pe = pe();
    for (mac, packet) in [
        ([0xff; 6], ip(HOST4, "10.2.0.2")),
        ([0x33, 0x33, 0, 0, 0, 1], ip(HOST6, "2001:db8:2::2")),
        ([0x01, 0, 0x5e, 0, 0, 1], ip(HOST4, "172.16.0.1")),
    ] {
        let ethertype = if packet.source.is_ipv4() { 0x0800 } else { 0x86dd };
        let frame = frame(mac, HOST, ethertype, &packet.bytes());
        assert_eq!(pe.run("circuit_ingress", pe.red1, &frame, 0).action, SHOT, "{mac:?}");
    }
    assert_eq!(pe.drops(RED, DropReason::MulticastUnsupported), 3);
}

/// An interface that goes over to another tenant is that tenant's before the last route has left it.
#[test]
fn no_route_leads_out_of_another_tenants_circuit() {
    let mut pe = pe();
    let blue1 = pe.blue1;
    pe.route(RED, "10.20.0.0/16", on(kind::CONNECTED, blue1));
    pe.route(RED, "10.21.0.0/16", gateway(blue1, "10.1.0.2"));
    assert_silent(&mut pe, "connected", DropReason::NoSuchCircuit, &ip(HOST4, "10.20.0.1"));
    assert_silent(&mut pe, "gateway", DropReason::NoSuchCircuit, &ip(HOST4, "10.21.0.1"));
}

#[test]
fn leaked_into_another_vrf() {
    let mut pe = pe();
    let blue1 = pe.blue1;
    pe.route(BLUE, "10.8.0.0/16", on(kind::CONNECTED, blue1));
    let packet = ip(HOST4, "10.8.0.1");
    pe.circuit(&packet).assert_sent("delivered there", &packet.clone().ttl(63));
    assert_eq!(pe.counter(BLUE, vrf_counter::DELIVERED).0, 1);
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 1);
}

#[test]
fn path_mtu_of_the_underlay() {
    let mut pe = pe();
    let fits = |target: &str, header: usize, mtu: usize| {
        ip(if header == 28 { HOST4 } else { HOST6 }, target).udp(1, 2, mtu - header)
    };
    let packet = fits("10.2.0.2", 28, 1460);
    pe.circuit(&packet).assert_encapsulated("to the octet", outer(NODE, REMOTE, &packet.clone().ttl(63)));
    let big = fits("10.2.0.2", 28, 1461).fragment(0x4000);
    assert_refused(&mut pe, "interface MTU", DropReason::TooBig, &big, &error4(3, 4, 1460, &big));
    let big = fits("2001:db8:2::2", 48, 1461);
    assert_refused(&mut pe, "interface MTU, IPv6", DropReason::TooBig, &big, &error6(2, 0, 1460, &big));

    pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:3:46::"]));
    let big = fits("10.3.0.2", 28, 1261);
    assert_refused(&mut pe, "route MTU, without DF", DropReason::TooBig, &big, &error4(3, 4, 1260, &big));
    pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:2:e::", "fc00:0:2:f::", REMOTE]));
    let big = fits("10.3.0.2", 28, 1421);
    assert_refused(&mut pe, "with an SRH of 40", DropReason::TooBig, &big, &error4(3, 4, 1420, &big));
}

#[test]
fn super_packets_are_measured_by_their_segments() {
    let mut pe = pe();
    let tcp = |octets: usize| {
        [&[0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x10, 0xff, 0xff][..], &pattern(16 + octets)].concat()
    };
    let packet = ip(HOST4, "10.2.0.2").payload(TCP, tcp(3000));
    let bytes = frame(RED1_MAC, HOST, 0x0800, &packet.bytes());
    // 20 of IPv4, 32 of TCP: 1409 is one more than fits.
    let run = pe.run("circuit_ingress", pe.red1, &bytes, 1409);
    run.assert_sent("too big", &error4(3, 4, 1460, &packet));
    assert_eq!(pe.drops(RED, DropReason::TooBig), 1);
    // BPF_PROG_TEST_RUN gives the buffer no GSO type, and the kernel refuses to grow it: beyond the check it is.
    assert_eq!(pe.run("circuit_ingress", pe.red1, &bytes, 1408).action, SHOT);
    assert_eq!(pe.drops(RED, DropReason::AdjustRoomFailed), 1);
}
