//! What tenants' packets meet on their way through the L3VPN, all links at MTU 1500 and nothing tuned. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/l3vpn.rs"]
mod l3vpn;
#[path = "support/packet.rs"]
mod packet;
#[path = "support/wire.rs"]
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::Child,
    time::{Duration, Instant},
};

use l3vpn::{L3vpn, SITE2, text};
use packet::*;
use serde_json::Value;
use wire::Capture;

const SITE1: [&str; 2] = ["10.0.1.2", "fd00:1::2"];
/// What passes the P router from PE1 for tenants: IPv4 or IPv6 in IPv6, or an SRH.
const TUNNEL: &str = "src fd00:ff::1 and (ip6[6] == 4 or ip6[6] == 41 or ip6[6] == 43)";

/// iperf3 from the first site of red to the second; what the client reports.
fn iperf(l3vpn: &L3vpn, arguments: &str) -> Value {
    let mut server = iperf_server(l3vpn);
    let words = ["iperf3", "-J"].into_iter().chain(arguments.split_whitespace());
    let output = l3vpn.node("red-ce1").run(words);
    let _ = server.kill();
    let _ = server.wait();
    assert!(output.status.success(), "iperf3 {arguments}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One that listens. It may fail to begin on a busy machine: the next is tried, and what the last one said is told.
fn iperf_server(l3vpn: &L3vpn) -> Child {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut server = l3vpn.node("red-ce2").spawn(["iperf3", "-s", "-1", "--forceflush"]).unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        if lines.any(|line| line.contains("Server listening")) {
            return server;
        }
        let ended = server.wait_with_output().unwrap();
        assert!(Instant::now() < deadline, "iperf3 does not serve ({}): {}", ended.status, text(&ended));
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn tcp_crosses_in_super_packets() {
    const OCTETS: u64 = 300_000_000;
    let l3vpn = L3vpn::up("tcp");
    for (address, way) in [(SITE2[0], ""), (SITE2[1], ""), (SITE2[0], "-R"), (SITE2[1], "-R")] {
        let (packets, octets) = if way.is_empty() {
            ("encapsulated", "bytesEncapsulated")
        } else {
            ("decapsulated", "bytesDecapsulated")
        };
        let count = || (l3vpn.counter("pe1", "red", packets), l3vpn.counter("pe1", "red", octets));
        let before = count();
        let report = iperf(&l3vpn, &format!("-c {address} -n {OCTETS} {way}"));
        let after = count();
        let end = &report["end"];
        let rate = end["sum_received"]["bits_per_second"].as_f64().unwrap() / 1e6;
        let again = end["sum_sent"]["retransmits"].as_u64().unwrap();
        println!("TCP to {address} {way}: {rate:.0} Mbit/s, {again} retransmits");
        // What was on the way at the end is not counted.
        assert!(end["sum_received"]["bytes"].as_u64().unwrap() >= OCTETS / 10 * 9, "{end}");
        assert!(again < OCTETS / 1400 / 50, "{again} of {} segments were sent again", OCTETS / 1400);
        let (packets, octets) = (after.0 - before.0, after.1 - before.1);
        assert!(octets > OCTETS / 10 * 9, "{octets} octets were counted");
        // Were they cut before the tunnel, a packet would hold 1460 octets at most.
        assert!(octets / packets > 5000, "to {address} {way}: {octets} octets in {packets} packets");
    }
    assert_eq!(l3vpn.dropped("pe1", "red", "adjust-room-failed"), 0);
}

#[test]
fn path_mtu_is_told_by_the_gateway_and_heeded() {
    let l3vpn = L3vpn::up("mtu");
    for (node, address, fills, gateway) in [
        ("red-ce1", SITE2[0], 1472, "10.0.1.1"),
        ("red-ce1", SITE2[1], 1452, "fd00:1::1"),
        ("red-ce2", SITE1[0], 1472, "10.0.2.1"),
        ("red-ce2", SITE1[1], 1452, "fd00:2::1"),
    ] {
        let told = text(&l3vpn.ping(node, &format!("-c 1 -W 5 -M do -s {fills} {address}")));
        let line = told.lines().find(|line| line.starts_with(&format!("From {gateway} "))).expect(&told);
        assert!(line.contains("mtu = 1460") || line.contains("mtu=1460"), "{told}");
        // 40 octets of outer header are all that it costs: this fits to the octet.
        l3vpn.assert_pings(node, &format!("-M do -s {} {address}", fills - 40));
        let refused = text(&l3vpn.ping(node, &format!("-c 1 -W 5 -M do -s {} {address}", fills - 39)));
        assert!(refused.contains("mtu=1460") || refused.contains("mtu: 1460"), "it was forgotten: {refused}");
    }
    // UDP as large as fits, and larger: the sender now fragments what is too large. Slowly, so that a busy machine's
    // socket buffers hold it.
    for address in SITE2 {
        for way in ["", "-R"] {
            for octets in [1412, 1472, 4000] {
                let report = iperf(&l3vpn, &format!("-c {address} -u -b 2M -l {octets} -k 50 {way}"));
                let lost = report["end"]["sum_received"]["lost_packets"].as_u64();
                assert!(lost.is_some_and(|lost| lost < 5), "UDP of {octets} to {address} {way}: {report}");
            }
        }
    }
}

/// A circuit behind the tunnel that takes less: the error comes back through the core.
#[test]
fn the_egress_pe_tells_of_a_smaller_circuit() {
    let l3vpn = L3vpn::up("egress");
    l3vpn.node("pe2").check(["ip", "link", "set", "eth2", "mtu", "1300"]);
    for (address, fits, gateway) in [(SITE2[0], 1272, "10.0.2.1"), (SITE2[1], 1252, "fd00:2::1")] {
        let told = text(&l3vpn.ping("red-ce1", &format!("-c 1 -W 5 -M do -s {} {address}", fits + 1)));
        let line = told.lines().find(|line| line.starts_with(&format!("From {gateway} "))).expect(&told);
        assert!(line.contains("mtu = 1300") || line.contains("mtu=1300"), "{told}");
        l3vpn.assert_pings("red-ce1", &format!("-M do -s {fits} {address}"));
    }
    assert_eq!(l3vpn.dropped("pe2", "red", "too-big"), 2);
}

#[test]
fn each_pe_is_a_hop_with_the_tenants_own_address() {
    let l3vpn = L3vpn::up("hops");
    for (node, ttl, target, hop) in [
        ("red-ce1", 1, SITE2[0], "10.0.1.1"),
        ("red-ce1", 2, SITE2[0], "10.0.2.1"),
        ("red-ce1", 1, SITE2[1], "fd00:1::1"),
        ("red-ce1", 2, SITE2[1], "fd00:2::1"),
        ("blue-ce2", 1, SITE1[0], "10.0.2.1"),
        ("blue-ce2", 2, SITE1[0], "10.0.1.1"),
        ("blue-ce2", 1, SITE1[1], "fd00:2::1"),
        ("blue-ce2", 2, SITE1[1], "fd00:1::1"),
    ] {
        let told = text(&l3vpn.ping(node, &format!("-c 1 -W 5 -t {ttl} {target}")));
        let line = told.lines().find(|line| line.contains("exceeded")).unwrap_or_else(|| panic!("{told}"));
        assert!(line.contains(hop), "{node}, hop {ttl} to {target}: {line}");
    }
    for target in SITE2 {
        l3vpn.assert_pings("red-ce1", &format!("-t 3 {target}"));
    }
    assert_eq!(l3vpn.dropped("pe1", "red", "ttl-expired"), 2);
    assert_eq!(l3vpn.dropped("pe2", "red", "ttl-expired"), 2);
}

#[test]
fn the_gateway_answers_for_itself_and_for_what_it_cannot_reach() {
    let l3vpn = L3vpn::up("gateway");
    let ce = l3vpn.node("red-ce1");
    ce.check(["ip", "neigh", "flush", "dev", "eth1"]);
    let mac = l3vpn.mac("pe1", "eth2").map(|octet| format!("{octet:02x}")).join(":");
    for gateway in ["10.0.1.1", "fd00:1::1"] {
        l3vpn.assert_pings("red-ce1", gateway);
        let neighbor = ce.check(["ip", "neigh", "show", "to", gateway]);
        assert!(neighbor.contains(&mac), "{gateway} is at {neighbor}, not at {mac}");
        l3vpn.assert_pings("red-ce1", &format!("-s 1400 {gateway}"));
        l3vpn.assert_pings("red-ce1", &format!("-s 8000 {gateway}"));
    }
    // The far gateway, through the tunnel.
    for gateway in ["10.0.2.1", "fd00:2::1"] {
        l3vpn.assert_pings("red-ce1", &format!("-s 1400 {gateway}"));
    }
    let told = text(&l3vpn.ping("red-ce1", "-c 1 -W 5 10.77.0.1"));
    assert!(told.contains("From 10.0.1.1 ") && told.contains("Net Unreachable"), "{told}");
    let told = text(&l3vpn.ping("red-ce1", "-c 1 -W 5 fd00:77::1"));
    assert!(told.contains("From fd00:1::1 ") && told.contains("No route"), "{told}");
    assert_eq!(l3vpn.dropped("pe1", "red", "no-route-in-vrf"), 2);
}

/// A node has addresses of its own, which are no tenant's business; and a host that checks the way back (RFC 3704)
/// answers nobody else than its gateway.
#[test]
fn hosts_are_asked_for_by_their_gateway() {
    let l3vpn = L3vpn::up("arp");
    let (pe, ce) = (l3vpn.node("pe2"), l3vpn.node("red-ce2"));
    pe.check(["ip", "address", "add", "192.0.2.55/24", "dev", "eth1"]);
    ce.check(["sysctl", "-w", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.eth1.rp_filter=1"]);
    let asked = Capture::start(&ce, "eth1", "arp[6:2] = 1");
    pe.check(["ip", "neigh", "flush", "dev", "eth2"]);
    l3vpn.assert_pings("red-ce1", SITE2[0]);
    let requests = asked.wait(1);
    let mac = l3vpn.mac("pe2", "eth2");
    let from_pe: Vec<_> = requests.iter().filter(|frame| frame[6..12] == mac).collect();
    assert!(!from_pe.is_empty());
    // Sender protocol address, RFC 826.
    assert!(from_pe.iter().all(|frame| frame[28..32] == [10, 0, 2, 1]), "{from_pe:x?}");
}

/// Larger than any link, in fragments that the host made.
#[test]
fn fragments_arrive() {
    let l3vpn = L3vpn::up("fragments");
    for address in SITE2 {
        // Both ends have to learn the path MTU first.
        l3vpn.meet(&["red-ce1"], &[&format!("-s 4000 {address}")]);
        let seen = Capture::start(&l3vpn.node("red-ce2"), "eth1", "ip[6:2] & 0x3fff != 0 or ip6[6] == 44");
        l3vpn.assert_pings("red-ce1", &format!("-s 4000 {address}"));
        // Three pings of three fragments each, and as many back.
        assert!(seen.wait(18).iter().all(|frame| frame.len() <= 1474));
    }
}

/// UDP from PE1's side of red, `copies` of each, and how they crossed the P router: source port and outer header.
fn flows(l3vpn: &L3vpn, packets: &[Packet]) -> Vec<(u16, Packet)> {
    let capture = Capture::start(&l3vpn.node("p"), "eth1", TUNNEL);
    let (to, from) = (l3vpn.mac("pe1", "eth2"), l3vpn.mac("red-ce1", "eth1"));
    let frames: Vec<_> = packets.iter().map(|packet| packet.frame(to, from)).collect();
    wire::send(&l3vpn.node("red-ce1"), "eth1", &frames);
    let seen = capture.wait(frames.len());
    let outer = seen.iter().map(|frame| Packet::of_frame(frame));
    outer.filter(|outer| outer.inner().protocol == UDP).map(|o| (o.inner().source_port(), o)).collect()
}

#[test]
fn a_flow_has_one_flow_label_and_flows_differ() {
    const FLOWS: usize = 64;
    let l3vpn = L3vpn::up("labels");
    for (source, destination) in [("10.0.1.2", "10.0.2.2"), ("fd00:1::2", "fd00:2::2")] {
        let packets = (0..FLOWS * 3).map(|n| {
            let port = 2000 + u16::try_from(n % FLOWS).unwrap();
            Packet::new(source, destination).udp(port, 9)
        });
        let mut labels: BTreeMap<u16, BTreeSet<u32>> = BTreeMap::new();
        for (port, outer) in flows(&l3vpn, &packets.collect::<Vec<_>>()) {
            labels.entry(port).or_default().insert(outer.flow_label);
        }
        assert_eq!(labels.len(), FLOWS);
        assert!(labels.values().all(|labels| labels.len() == 1), "a flow is torn apart: {labels:?}");
        let distinct: BTreeSet<u32> = labels.into_values().flatten().collect();
        assert!(!distinct.contains(&0), "a flow label of 0 is none");
        // 64 of 2^20: two of the same are rare already.
        assert!(distinct.len() >= FLOWS - 2, "{} labels for {FLOWS} flows", distinct.len());
    }
}

/// The SRH of a packet on the wire: segments left, and how many are listed.
fn segments(packet: &Packet) -> Option<(u8, u8)> {
    (packet.protocol == ROUTING).then(|| (packet.payload[3], packet.payload[4] + 1))
}

/// H.Encaps one way, H.Encaps.Red the other, through an End SID that the kernel of the P router implements; and an SRH
/// with nothing left to do.
#[test]
fn segment_lists_lead_through_the_kernels_end() {
    let l3vpn = L3vpn::start("tests/topologies/segments.clab.yml", "segments");
    l3vpn.meet(&["ce1"], &["10.0.2.2", "fd00:2::2", "10.0.22.1", "fd00:22::1"]);
    let p = l3vpn.node("p");
    let captures =
        ["eth1", "eth2"].map(|link| Capture::start(&p, link, "src net fd00:ff::/64 and ip6[6] == 43"));
    for address in ["10.0.2.2", "fd00:2::2"] {
        l3vpn.assert_pings("ce1", address);
    }
    // (PE2 has left the first segment out: End finds the only listed one next.)
    for (capture, expected) in captures.iter().zip([
        [("fd00:ff::1", Some((1, 2))), ("fd00:ff::2", Some((0, 1)))],
        [("fd00:ff::1", Some((0, 2))), ("fd00:ff::2", Some((1, 1)))],
    ]) {
        for frame in capture.wait(12) {
            let packet = Packet::of_frame(&frame);
            let source = packet.source.to_string();
            assert!(expected.contains(&(source.as_str(), segments(&packet))), "{packet:?}");
        }
    }
    let direct = Capture::start(&p, "eth1", "src fd00:ff::1 and ip6[6] == 43");
    for address in ["10.0.22.1", "fd00:22::1"] {
        l3vpn.assert_pings("ce1", address);
    }
    assert!(direct.wait(6).iter().all(|frame| segments(&Packet::of_frame(frame)) == Some((0, 1))));
    // 40 of IPv6, 8 of SRH, 16 for each segment.
    for (node, address, mtu, headers) in [
        ("ce1", "10.0.2.2", 1420, 28),
        ("ce1", "fd00:2::2", 1420, 48),
        ("ce2", "10.0.1.2", 1436, 28),
        ("ce2", "fd00:1::2", 1436, 48),
        ("ce1", "10.0.22.1", 1436, 28),
        ("ce1", "fd00:22::1", 1436, 48),
    ] {
        let size = mtu - headers;
        let told = text(&l3vpn.ping(node, &format!("-c 1 -W 5 -M do -s {} {address}", size + 1)));
        assert!(told.contains(&format!("mtu={mtu}")) || told.contains(&format!("mtu = {mtu}")), "{told}");
        l3vpn.assert_pings(node, &format!("-M do -s {size} {address}"));
    }
}

/// RFC 2983 (uniform model), RFC 6040 (normal mode): the outer header shows DSCP and ECN, the far CE gets them back,
/// and hears of congestion on the way.
#[test]
fn dscp_ecn_and_ttl_arrive() {
    const EF: u8 = 46 << 2;
    const AF41: u8 = 34 << 2;
    let l3vpn = L3vpn::up("classes");
    let classes = [0, EF, AF41 | 1, EF | 2, 3];
    for (source, destination) in [("10.0.1.2", "10.0.2.2"), ("fd00:1::2", "fd00:2::2")] {
        let packets = classes.iter().enumerate().map(|(n, class)| Packet {
            class: *class,
            ttl: 40,
            ..Packet::new(source, destination).udp(3000 + u16::try_from(n).unwrap(), 9)
        });
        let arrived = Capture::start(&l3vpn.node("red-ce2"), "eth1", "udp dst port 9");
        for (port, outer) in flows(&l3vpn, &packets.collect::<Vec<_>>()) {
            let class = classes[usize::from(port - 3000)];
            assert_eq!((outer.class, outer.inner().class), (class, class), "on the core, of {class:#x}");
            assert_eq!((outer.ttl, outer.inner().ttl), (64, 39), "{outer:?}");
        }
        for frame in arrived.wait(classes.len()) {
            let packet = Packet::of_frame(&frame);
            let class = classes[usize::from(packet.source_port() - 3000)];
            assert_eq!((packet.class, packet.ttl), (class, 38), "at the far CE, of {class:#x}");
        }
        // A router of the core that is congested: (sent, at the far CE); a packet without ECN is lost instead.
        let arrived = Capture::start(&l3vpn.node("red-ce2"), "eth1", "udp dst port 10");
        let sid = l3vpn.sid("pe2", "red");
        let (to, from) = (l3vpn.mac("pe2", "eth1"), l3vpn.mac("p", "eth2"));
        let marked = [(EF, None), (EF | 1, Some(EF | 3)), (EF | 2, Some(EF | 3)), (EF | 3, Some(EF | 3))];
        let frames: Vec<_> = (4000..)
            .zip(marked)
            .map(|(port, (class, _))| {
                let inner = Packet { class, ..Packet::new(source, destination).udp(port, 10) };
                let outer = inner.inside("fd00:ff::1", &sid, 0, &[]);
                Packet { class: class | 3, ..outer }.frame(to, from)
            })
            .collect();
        let before = l3vpn.dropped("pe2", "red", "congestion-not-ect");
        wire::send(&l3vpn.node("p"), "eth2", &frames);
        for frame in arrived.wait(3) {
            let packet = Packet::of_frame(&frame);
            let (_, expected) = marked[usize::from(packet.source_port() - 4000)];
            assert_eq!(Some(packet.class), expected);
        }
        assert_eq!(l3vpn.dropped("pe2", "red", "congestion-not-ect"), before + 1);
    }
}
