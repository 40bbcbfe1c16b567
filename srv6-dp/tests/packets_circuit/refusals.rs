//! What is refused or dropped, by what name, and what the sender is told.

use super::*;

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
