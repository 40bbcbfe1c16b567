//! From a circuit into the core: H.Encaps and H.Encaps.Red.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use srv6_types::{
    DropReason,
    maps::{next_hop_kind as kind, vrf_counter},
};
use support::{packet::*, *};

const PATH: [&str; 4] = ["fc00:0:2:e1::", "fc00:0:2:e2::", "fc00:0:2:e3::", REMOTE];

fn pe() -> Pe {
    let mut pe = Pe::new();
    for prefix in ["10.2.0.0/16", "2001:db8:2::/48"] {
        pe.route(RED, prefix, encapsulate(kind::ENCAPS_RED, &[REMOTE]));
    }
    pe
}

#[test]
fn one_segment_needs_no_routing_header() {
    let mut pe = pe();
    for (what, packet) in [
        ("IPv4", ip("10.1.0.2", "10.2.0.2")),
        ("IPv6", ip("2001:db8:1::2", "2001:db8:2::2")),
        ("IPv4, DSCP 46 and ECT(0)", ip("10.1.0.2", "10.2.0.2").class(46 << 2 | 2)),
        ("IPv6, CE", ip("2001:db8:1::2", "2001:db8:2::2").class(3)),
        ("IPv4, fragment", ip("10.1.0.2", "10.2.0.2").fragment(0x2010)),
        ("IPv4, only a header", ip("10.1.0.2", "10.2.0.2").payload(253, vec![])),
        ("TTL 2", ip("10.1.0.2", "10.2.0.2").ttl(2)),
    ] {
        let inner = packet.clone().ttl(packet.ttl - 1);
        pe.circuit(&packet).assert_encapsulated(what, outer(NODE, REMOTE, &inner));
    }
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 7);
    assert_eq!(pe.counter(RED, vrf_counter::ENCAPSULATED), pe.counter(RED, vrf_counter::FROM_CIRCUIT));
    assert_eq!(pe.counter(BLUE, vrf_counter::FROM_CIRCUIT), (0, 0));
}

#[test]
fn paths_of_every_length_in_both_forms() {
    let mut pe = pe();
    let packet = ip("10.1.0.2", "10.3.0.2");
    let inner = packet.clone().ttl(63);
    for count in 1..=4 {
        let path = &PATH[4 - count..];
        let reversed: Vec<&str> = path.iter().rev().copied().collect();
        let left = (count - 1) as u8;
        pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS, path));
        let whole = outer_with_routing_header(NODE, path[0], left, &reversed, &inner);
        pe.circuit(&packet).assert_encapsulated(&format!("H.Encaps, {count}"), whole);
        if count > 1 {
            pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, path));
            let reduced = outer_with_routing_header(NODE, path[0], left, &reversed[..count - 1], &inner);
            pe.circuit(&packet).assert_encapsulated(&format!("H.Encaps.Red, {count}"), reduced);
        }
    }
}

#[test]
fn flow_label_follows_the_flow() {
    let mut pe = pe();
    let mut label = |packet: &Ip| pe.circuit(packet).flow_label();
    let flow = ip("10.1.0.2", "10.2.0.2");
    let base = label(&flow);
    assert_eq!(label(&flow.clone().udp(1000, 2000, 99)), base, "same flow, other length");
    assert_eq!(label(&flow.clone().ttl(9).class(8)), base, "same flow, other TTL and DSCP");
    assert_ne!(label(&flow.clone().udp(1001, 2000, 32)), base, "other source port");
    assert_ne!(label(&flow.clone().udp(1000, 2001, 32)), base, "other destination port");
    assert_ne!(label(&ip("10.1.0.3", "10.2.0.2")), base, "other source");
    assert_ne!(label(&ip("10.1.0.2", "10.2.0.3")), base, "other destination");
    let first = label(&flow.clone().fragment(0x2000));
    assert_eq!(label(&flow.clone().fragment(0x2000 | 99)), first, "fragments of one packet");
    assert_eq!(label(&flow.udp(5, 5, 8).fragment(99)), first, "the last of them");
    let six = ip("2001:db8:1::2", "2001:db8:2::2");
    let labelled = Ip { flow_label: 7, ..six.clone() };
    assert_ne!(label(&six), label(&labelled), "IPv6 flow label");
}

/// Told apart by the MTU: what fits the one is too big for the other.
#[test]
fn flows_spread_over_paths_of_the_same_cost() {
    let mut pe = pe();
    for line in [
        "ip link add core1 mtu 1400 type veth peer name far-core1",
        "ip link set core1 up",
        "ip link set far-core1 up",
        "ip addr add fc00:fe::1/64 dev core1 nodad",
        "ip -6 route add fc00:0:4::/48 nexthop via fc00:ff::2 dev core0 nexthop via fc00:fe::2 dev core1",
    ] {
        run(line);
    }
    pe.route(RED, "10.4.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:4:46::"]));
    let mut by_core0 = |port| {
        let flow = ip("10.1.0.2", "10.4.0.2").udp(port, 2000, 1400);
        let first = pe.circuit(&flow).ethertype();
        assert_eq!(pe.circuit(&flow).ethertype(), first, "a flow keeps its path");
        first == 0x86dd
    };
    let wide = (1000..1020).filter(|port| by_core0(*port)).count();
    assert!((3..=17).contains(&wide), "{wide} of 20 flows by core0");
}

#[test]
fn hop_limit_of_the_node() {
    let mut pe = pe();
    let source = octets6(NODE);
    pe.array("NODE", 0, srv6_types::maps::NodeConfig { source, hop_limit: 17, ..Default::default() });
    let packet = ip("10.1.0.2", "10.2.0.2");
    let expected = outer(NODE, REMOTE, &packet.clone().ttl(63)).ttl(17);
    pe.circuit(&packet).assert_encapsulated("hop limit", expected);
}

#[test]
fn overlapping_tenants_go_their_own_ways() {
    let mut pe = pe();
    pe.route(BLUE, "10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:2:b::"]));
    let packet = ip("10.1.0.2", "10.2.0.2");
    let inner = packet.clone().ttl(63);
    pe.circuit(&packet).assert_encapsulated("red", outer(NODE, REMOTE, &inner));
    pe.on_circuit(pe.blue1, &packet).assert_encapsulated("blue", outer(NODE, "fc00:0:2:b::", &inner));
    assert_eq!(pe.counter(RED, vrf_counter::ENCAPSULATED), pe.counter(BLUE, vrf_counter::ENCAPSULATED));
}

#[test]
fn what_the_underlay_cannot_carry() {
    let mut pe = pe();
    pe.route(RED, "10.12.0.0/16", encapsulate(kind::ENCAPS_RED, &["2001:db8:dead::"]));
    let packet = ip("10.1.0.2", "10.12.0.2");
    let error = ip("10.1.0.1", "10.1.0.2").class(0xc0).icmp(3, 0, 0, &packet.bytes());
    pe.circuit(&packet).assert_sent("no route in the underlay", &error);
    assert_eq!(pe.drops(RED, DropReason::NoUnderlayRoute), 1);
    run("sysctl -qw net.ipv6.conf.all.forwarding=0");
    assert_eq!(pe.circuit(&ip("10.1.0.2", "10.2.0.2")).action, SHOT, "forwarding off");
    assert_eq!(pe.drops(RED, DropReason::UnderlayForwardingOff), 1);
}

/// The same packet in two VRFs, hence with the same flow label, to two nodes. Their addresses share the word that the
/// programs hash, so that the answers of the underlay take turns in one slot. Told apart by the MTU.
#[test]
fn an_answer_of_the_underlay_serves_its_destination_alone() {
    let mut pe = pe();
    pe.route(BLUE, "10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:3:46:1::"]));
    let short = ip("10.1.0.2", "10.2.0.2").udp(1000, 2000, 100);
    let long = ip("10.1.0.2", "10.2.0.2").udp(1000, 2000, 1300);
    let blue1 = pe.blue1;
    for _ in 0..20 {
        for packet in [&short, &long] {
            assert_eq!(pe.circuit(packet).ethertype(), 0x86dd, "red");
        }
        assert_eq!(pe.on_circuit(blue1, &short).ethertype(), 0x86dd, "blue");
        assert_eq!(pe.on_circuit(blue1, &long).ethertype(), 0x0800, "blue, too long");
    }
    assert_eq!(pe.drops(BLUE, DropReason::TooBig), 20);
    assert_eq!(pe.drops(RED, DropReason::TooBig), 0);
}
