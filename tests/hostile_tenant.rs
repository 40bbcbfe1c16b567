//! A tenant who makes packets of his own to get at another tenant, at the SRv6 domain or at the node; and what
//! comes from elsewhere. RFC 8754 section 5.1. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/l3vpn.rs"]
mod l3vpn;
#[path = "support/packet.rs"]
mod packet;
#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeMap;

use l3vpn::{L3vpn, PATIENCE, SITE2, text};
use packet::*;
use wire::Capture;

/// UDP port of what must not arrive.
const ATTACK: u16 = 47111;
/// UDP port of what must.
const SENTINEL: u16 = 47112;
const OWN: &str = "fd00:1::2";

/// Listens at both of blue's hosts for anything that is not theirs.
struct BlueEars<'a> {
    l3vpn: &'a L3vpn,
    ears: [Capture; 2],
}

impl<'a> BlueEars<'a> {
    fn new(l3vpn: &'a L3vpn) -> Self {
        // Inner packets by their protocol, and whole SRv6 packets.
        let filter = "udp or (ip6 and (ip6[6] == 4 or ip6[6] == 41 or ip6[6] == 43))";
        let ear = |node| Capture::start(&l3vpn.node(node), "eth1", filter);
        Self { l3vpn, ears: [ear("blue-ce1"), ear("blue-ce2")] }
    }

    /// Blue sends to itself both ways what comes after everything else: it arrives alone.
    #[track_caller]
    fn assert_heard_nothing(&self) {
        let ways = [("blue-ce1", "pe1", "10.0.1.2", "10.0.2.2"), ("blue-ce2", "pe2", "10.0.2.2", "10.0.1.2")];
        for (node, pe, source, destination) in ways {
            let (to, from) = (self.l3vpn.mac(pe, "eth3"), self.l3vpn.mac(node, "eth1"));
            let sentinel = Packet::new(source, destination).udp(1, SENTINEL).frame(to, from);
            wire::send(&self.l3vpn.node(node), "eth1", &[sentinel]);
        }
        for ear in &self.ears {
            // Its own, and the other's.
            for frame in ear.wait(2) {
                let packet = Packet::of_frame(&frame);
                assert!(packet.payload[2..4] == SENTINEL.to_be_bytes(), "reached blue: {packet:x?}");
            }
        }
    }
}

/// Sends packets from red's host at site 1 to its PE.
fn from_red(l3vpn: &L3vpn, packets: &[Packet]) {
    let (to, from) = (l3vpn.mac("pe1", "eth2"), l3vpn.mac("red-ce1", "eth1"));
    let frames: Vec<_> = packets.iter().map(|packet| packet.frame(to, from)).collect();
    wire::send(&l3vpn.node("red-ce1"), "eth1", &frames);
}

/// Packets for blue's hosts.
fn attacks() -> [Packet; 4] {
    [("10.0.1.2", "10.0.2.2"), ("10.0.2.2", "10.0.1.2"), (OWN, "fd00:2::2"), ("fd00:2::2", OWN)]
        .map(|(source, destination)| Packet::new(source, destination).udp(1, ATTACK))
}

/// Every way to say "into this SID", from sources own and false.
fn into_sid(sid: &str) -> Vec<Packet> {
    let mut packets = Vec::new();
    for source in [OWN, "fd00:ff::2", "fd00:ff::1", "fc00:0:2::", "fe80::1"] {
        for inner in attacks() {
            packets.push(inner.inside(source, sid, 0, &[]));
            packets.push(inner.inside(source, sid, 0, &[sid]));
            packets.push(inner.inside(source, sid, 1, &[sid, sid]));
        }
    }
    packets
}

/// Nothing came as far as its VRF.
#[track_caller]
fn assert_blue_is_untouched(l3vpn: &L3vpn) {
    for pe in ["pe1", "pe2"] {
        assert_eq!(l3vpn.drops(pe, "blue"), BTreeMap::new(), "on {pe}");
    }
}

#[track_caller]
fn connects(l3vpn: &L3vpn, node: &str, address: &str) -> bool {
    let script = format!("exec 3<>/dev/tcp/{address}/179");
    l3vpn.node(node).run(["timeout", "3", "bash", "-c", &script]).status.success()
}

#[test]
fn no_packet_of_a_tenant_reaches_a_sid() {
    let l3vpn = L3vpn::up("sid");
    let ears = BlueEars::new(&l3vpn);
    let mut sent = 0;
    for (pe, vrf) in [("pe1", "blue"), ("pe2", "blue"), ("pe1", "red"), ("pe2", "red")] {
        let packets = into_sid(&l3vpn.sid(pe, vrf));
        sent += u64::try_from(packets.len()).unwrap();
        from_red(&l3vpn, &packets);
        assert_eq!(l3vpn.dropped("pe1", "red", "sid-from-tenant"), sent, "into {vrf} on {pe}");
    }
    // Also where no SID is, and nobody says there is none.
    from_red(&l3vpn, &into_sid("fc00:0:9:9::"));
    assert_eq!(l3vpn.dropped("pe1", "red", "sid-from-tenant"), sent + 60);
    ears.assert_heard_nothing();
    assert_blue_is_untouched(&l3vpn);
}

/// Two of red's hosts work together: the packet goes to a prefix of red, and the host there follows its SRH.
#[test]
fn a_sid_behind_a_legitimate_destination_is_not_reached() {
    let l3vpn = L3vpn::up("hidden");
    let accomplice = l3vpn.node("red-ce2");
    for setting in ["all.seg6_enabled=1", "eth1.seg6_enabled=1", "all.forwarding=1"] {
        accomplice.check(["sysctl", "-w", &format!("net.ipv6.conf.{setting}")]);
    }
    accomplice.check(["ip", "-6", "route", "add", "fc00::/16", "via", "fd00:2::1"]);
    let ears = BlueEars::new(&l3vpn);
    let arrived = Capture::start(&accomplice, "eth1", "dst fd00:2::2 and ip6[6] == 43");
    let mut sent = 0;
    for pe in ["pe1", "pe2"] {
        let sid = l3vpn.sid(pe, "blue");
        let packets = attacks().map(|inner| inner.inside(OWN, "fd00:2::2", 1, &[&sid, "fd00:2::2"]));
        sent += packets.len();
        from_red(&l3vpn, &packets);
        arrived.wait(sent);
    }
    let dropped = || l3vpn.dropped("pe2", "red", "sid-from-tenant");
    assert!(lab::wait_until(PATIENCE, || dropped() >= sent as u64), "{:?}", l3vpn.drops("pe2", "red"));
    // The gateway does not follow it either.
    let gateway = attacks().map(|i| i.inside(OWN, "fd00:1::1", 1, &[&l3vpn.sid("pe1", "blue"), "fd00:1::1"]));
    from_red(&l3vpn, &gateway);
    assert_eq!(l3vpn.dropped("pe1", "red", "not-listening"), 4);
    ears.assert_heard_nothing();
}

#[test]
fn the_node_itself_is_out_of_reach() {
    let l3vpn = L3vpn::up("node");
    for underlay in ["fd00:ff::1", "fd00:c:1::1"] {
        assert!(connects(&l3vpn, "p", underlay), "BGP listens on {underlay}, or this test shows nothing");
        let before = l3vpn.dropped("pe1", "red", "no-route-in-vrf");
        assert!(!connects(&l3vpn, "red-ce1", underlay), "red connects to {underlay}");
        assert!(!l3vpn.ping("red-ce1", &format!("-c 1 -W 1 {underlay}")).status.success());
        assert!(l3vpn.dropped("pe1", "red", "no-route-in-vrf") >= before + 2);
    }
    // The gateway is an address of red's, and nothing listens there.
    for gateway in ["10.0.1.1", "fd00:1::1"] {
        assert!(!connects(&l3vpn, "red-ce1", gateway), "red connects to {gateway}");
    }
    // Link-local: the kernel's own address on the circuit.
    let address = l3vpn.link_local("pe1", "eth2");
    let before = l3vpn.dropped("pe1", "red", "link-scope");
    assert!(!connects(&l3vpn, "red-ce1", &format!("{address}%eth1")), "red connects to {address}");
    for to in [&format!("{address}%eth1"), "ff02::1%eth1", "ff02::2%eth1"] {
        // A host answers its own multicast.
        let told = text(&l3vpn.ping("red-ce1", &format!("-c 1 -W 1 {to}")));
        assert!(!told.contains(&format!("from {address}")), "{told}");
    }
    assert!(l3vpn.dropped("pe1", "red", "link-scope") >= before + 4);
    let neighbor = l3vpn.node("red-ce1").check(["ip", "neigh", "show", "to", &address.to_string()]);
    assert!(neighbor.contains("lladdr"), "neighbour discovery is for all on the link: {neighbor}");
    assert_pings_everywhere(&l3vpn);
}

#[track_caller]
fn assert_pings_everywhere(l3vpn: &L3vpn) {
    for node in ["red-ce1", "blue-ce1"] {
        for address in SITE2 {
            l3vpn.assert_pings(node, address);
        }
    }
}

/// VID 0 is a priority and no VLAN: the kernel would take the packet as untagged, and route it itself.
#[test]
fn a_priority_tag_is_no_way_past_the_vrf() {
    let l3vpn = L3vpn::up("tag");
    let ears = BlueEars::new(&l3vpn);
    let (to, from) = (l3vpn.mac("pe1", "eth2"), l3vpn.mac("red-ce1", "eth1"));
    let tagged = |packet: &Packet, tags: usize| {
        let untagged = packet.frame(to, from);
        let tags = [0x81, 0x00, 0xe0, 0x00].repeat(tags);
        [&untagged[..12], &tags, &untagged[12..]].concat()
    };
    let on_core = Capture::start(&l3vpn.node("p"), "eth1", "src fd00:1::2");
    let listening = Capture::start(&l3vpn.node("red-ce2"), "eth1", "udp dst port 47112");
    let send = |frames: &[Vec<u8>]| wire::send(&l3vpn.node("red-ce1"), "eth1", frames);
    let sid = l3vpn.sid("pe2", "blue");
    let attack = &attacks()[0];
    for tags in [1, 2] {
        let before = l3vpn.drops("pe1", "red");
        let dropped = |reason| l3vpn.dropped("pe1", "red", reason) - before.get(reason).unwrap_or(&0);
        send(&[tagged(&attack.inside(OWN, &sid, 0, &[]), tags)]);
        assert_eq!(dropped("sid-from-tenant"), 1, "{tags} tags");
        send(&[tagged(&Packet::new(OWN, "fd00:ff::9").udp(1, ATTACK), tags)]);
        assert_eq!(dropped("no-route-in-vrf"), 1, "{tags} tags");
        // And a host that means no harm is served.
        send(&[tagged(&Packet::new("10.0.1.2", "10.0.2.2").udp(1, SENTINEL), tags)]);
        listening.wait(tags);
    }
    ears.assert_heard_nothing();
    assert_eq!(on_core.frames(), Vec::<Vec<u8>>::new(), "went into the core as it was");
}

fn arp(operation: u8, mac: [u8; 6], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let arp = [&[0, 1, 8, 0, 6, 4, 0, operation][..], &mac, &sender, &[0; 6], &target].concat();
    [&[0xff; 6][..], &mac, &[0x08, 0x06], &arp].concat()
}

/// Claims to be the gateway, the neighbour's twin in blue, and the far host.
#[test]
fn false_neighbours_harm_nobody_else() {
    let l3vpn = L3vpn::up("spoof");
    let (to, mac) = (l3vpn.mac("pe1", "eth2"), l3vpn.mac("red-ce1", "eth1"));
    let mut frames = Vec::new();
    for claimed in [[10, 0, 1, 1], [10, 0, 1, 3], [10, 0, 2, 2]] {
        frames.extend([1, 2].map(|operation| arp(operation, mac, claimed, claimed)));
        frames.push(arp(2, mac, claimed, [10, 0, 1, 1]));
    }
    for claimed in ["fd00:1::1", "fd00:1::3", "fd00:2::2"] {
        let address: std::net::Ipv6Addr = claimed.parse().unwrap();
        let body = [&address.octets()[..], &[2, 1], &mac].concat();
        for destination in ["ff02::1", "fd00:1::1"] {
            let claim =
                Packet { ttl: 255, ..Packet::new(claimed, destination).icmp6(136, 0x2000_0000, &body) };
            frames.push(claim.frame(to, mac));
        }
    }
    wire::send(&l3vpn.node("red-ce1"), "eth1", &frames);
    for node in ["red-ce1", "blue-ce1", "red-ce2", "blue-ce2"] {
        l3vpn.node(node).check(["ip", "neigh", "flush", "dev", "eth1"]);
    }
    assert_pings_everywhere(&l3vpn);
    for (node, pe, interface, gateways) in [
        ("red-ce1", "pe1", "eth2", ["10.0.1.1", "fd00:1::1"]),
        ("blue-ce1", "pe1", "eth3", ["10.0.1.1", "fd00:1::1"]),
        ("red-ce2", "pe2", "eth2", ["10.0.2.1", "fd00:2::1"]),
    ] {
        let mac = l3vpn.mac(pe, interface).map(|octet| format!("{octet:02x}")).join(":");
        for gateway in gateways {
            l3vpn.assert_pings(node, gateway);
            let neighbor = l3vpn.node(node).check(["ip", "neigh", "show", "to", gateway]);
            assert!(neighbor.contains(&mac), "{node} takes {gateway} to be at {neighbor}");
        }
    }
}

/// An interface of the node that is neither core nor circuit, and SIDs near and far behind it.
#[test]
fn an_outside_interface_is_no_way_into_the_domain() {
    let l3vpn = L3vpn::up("outside");
    let pe = l3vpn.node("pe1");
    for line in [
        "ip link add out0 type veth peer name out1",
        "ip link set out0 up",
        "ip link set out1 up",
        "ip -6 address add 2001:db8:0:1::1/64 dev out0 nodad",
    ] {
        pe.check(line.split(' '));
    }
    let ears = BlueEars::new(&l3vpn);
    let on_core = Capture::start(&l3vpn.node("p"), "eth1", "src 2001:db8:0:1::2");
    let (to, from) = (l3vpn.mac("pe1", "out0"), l3vpn.mac("pe1", "out1"));
    let mut frames = Vec::new();
    for pe in ["pe1", "pe2"] {
        for vrf in ["blue", "red"] {
            let sid = l3vpn.sid(pe, vrf);
            for inner in attacks() {
                frames.push(inner.inside("2001:db8:0:1::2", &sid, 0, &[]).frame(to, from));
                frames.push(inner.inside("2001:db8:0:1::2", &sid, 0, &[&sid]).frame(to, from));
            }
        }
    }
    wire::send(&pe, "out1", &frames);
    ears.assert_heard_nothing();
    assert_eq!(on_core.frames().len(), 0, "passed through the node into the domain");
    assert_blue_is_untouched(&l3vpn);

    let own_rules = || pe.check(["ip", "-6", "rule"]).matches("proto 161").count();
    pe.kill_main(lab::Signal::SIGKILL).unwrap();
    assert_eq!(own_rules(), 4, "the fence stands without the agent, as the dataplane does");
    pe.check(["sixedge", "cleanup"]);
    assert_eq!(own_rules(), 0);
}

/// What is wrong and comes from the core is dropped under the name of what is wrong with it.
#[test]
fn malformed_packets_from_the_core_are_counted_by_name() {
    let l3vpn = L3vpn::up("malformed");
    let (to, from) = (l3vpn.mac("pe1", "eth1"), l3vpn.mac("p", "eth1"));
    let sid = l3vpn.sid("pe1", "red");
    let inner = Packet::new("10.0.2.2", "10.0.1.2").udp(1, ATTACK);
    let outer = |protocol, payload: Vec<u8>| Packet::new("fd00:ff::2", &sid).payload(protocol, payload);
    let with_srh = |left, patch: Option<(usize, u8)>| {
        let mut packet = inner.inside("fd00:ff::2", &sid, left, &[&sid]);
        if let Some((at, octet)) = patch {
            packet.payload[at] = octet;
        }
        packet
    };
    let cases = [
        (
            "SRH cut short",
            "red",
            "malformed",
            outer(ROUTING, routing_header(IN_IPV4, 0, &[&sid])[..6].to_vec()),
        ),
        ("SRH beyond the packet", "red", "malformed", with_srh(0, Some((1, 60)))),
        ("SRH longer than allowed", "red", "bad-srh", with_srh(0, Some((1, 255)))),
        ("segments left", "red", "bad-srh", with_srh(1, None)),
        ("last entry beyond the SRH", "red", "bad-srh", with_srh(0, Some((4, 9)))),
        ("routing type 0", "red", "bad-srh", with_srh(0, Some((2, 0)))),
        ("nothing inside", "red", "malformed", outer(IN_IPV4, vec![])),
        ("half an IPv4 header", "red", "malformed", outer(IN_IPV4, inner.bytes()[..10].to_vec())),
        ("IPv6 that is IPv4", "red", "malformed", outer(IN_IPV6, inner.bytes())),
        ("TCP to the SID", "red", "upper-layer-unexpected", outer(TCP, vec![0; 20])),
        ("ping of the SID", "red", "upper-layer-unexpected", outer(ICMPV6, vec![128, 0, 0, 0, 0, 0, 0, 1])),
        ("no such host's prefix", "red", "no-route-in-vrf", {
            Packet::new("10.0.2.2", "10.77.0.1").udp(1, ATTACK).inside("fd00:ff::2", &sid, 0, &[])
        }),
        ("no such SID", "-", "no-such-sid", inner.inside("fd00:ff::2", "fc00:0:1:ff::", 0, &[])),
    ];
    for (what, vrf, reason, packet) in cases {
        let before = l3vpn.drops("pe1", vrf);
        wire::send(&l3vpn.node("p"), "eth1", &[packet.frame(to, from)]);
        let mut expected = before.clone();
        *expected.entry(reason.to_owned()).or_default() += 1;
        assert_eq!(l3vpn.drops("pe1", vrf), expected, "{what}");
    }
    assert_pings_everywhere(&l3vpn);
}
