//! A pod on red1: a gateway that several circuits have, a proxy for all that is elsewhere, and the node's own connections.

use std::{net::TcpStream, thread, time::Duration};

use srv6_types::maps::circuit_flag;

use super::{link::arp, *};

const POD4: [u8; 4] = [10, 1, 0, 2];
const BRIDGE_MAC: [u8; 6] = [0x02, 0, 0, 0, 0xc0, 0x01];
const BROADCAST: [u8; 6] = [0xff; 6];
const NODE4: &str = "192.0.2.10";

/// 10.1.0.2 and its like alone are on red1, and both red circuits have the gateway.
fn pod(flags: u16) -> Pe {
    let mut pe = Pe::new();
    let red1 = pe.red1;
    for (prefix, next_hop) in [
        ("10.1.0.2/32", on(kind::CONNECTED, red1)),
        ("2001:db8:1::2/128", on(kind::CONNECTED, red1)),
        ("10.1.0.1/32", on(kind::LOCAL, 0)),
        ("2001:db8:1::1/128", on(kind::LOCAL, 0)),
        ("10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
    ] {
        pe.route(RED, prefix, next_hop);
    }
    pe.change_circuit(red1, |circuit| circuit.flags = flags);
    pe
}

fn asks(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    frame(BROADCAST, HOST, 0x0806, &arp(1, sender, [0; 6], target, HOST))
}

fn solicits(source: &str, target: &str) -> Ip {
    ip(source, "ff02::1:ff00:7").ttl(255).icmp(135, 0, 0, &octets6(target))
}

#[test]
fn a_shared_gateway_answers_on_every_circuit() {
    let mut pe = pod(0);
    for circuit in [pe.red1, pe.red2] {
        let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, [10, 1, 0, 1], HOST, POD4, RED1_MAC));
        let run = pe.run("circuit_ingress", circuit, &asks(POD4, [10, 1, 0, 1]), 0);
        assert_eq!((run.action, run.frame), (REDIRECT, reply));
        assert_eq!(pe.on_circuit(circuit, &solicits(HOST6, GATEWAY6)).action, REDIRECT);
        let pong = ip(GATEWAY4, HOST4).icmp(0, 0, 0x0007_0001, &pattern(8));
        pe.on_circuit(circuit, &ip(HOST4, GATEWAY4).echo_request(8)).assert_sent("ping", &pong);
        let nowhere = ip(HOST4, "172.16.0.1");
        pe.on_circuit(circuit, &nowhere).assert_sent("no route", &error4(3, 0, 0, &nowhere));
    }
    let run = pe.run("circuit_ingress", pe.blue1, &asks(POD4, [10, 1, 0, 1]), 0);
    assert_eq!(run.action, NEXT, "another tenant's");
}

#[test]
fn a_proxy_answers_for_all_but_its_own_hosts_and_probes() {
    let mut pe = pod(circuit_flag::PROXY);
    for target in [[10, 1, 0, 1], [10, 1, 0, 99], [10, 2, 0, 7], [172, 16, 0, 1]] {
        let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, target, HOST, POD4, RED1_MAC));
        let run = pe.run("circuit_ingress", pe.red1, &asks(POD4, target), 0);
        assert_eq!((run.action, run.frame), (REDIRECT, reply), "{target:?}");
    }
    for target in [GATEWAY6, "2001:db8:1::99", "3fff::1"] {
        let run = pe.circuit(&solicits(HOST6, target));
        let body = [&octets6(target)[..], &[2, 1], &RED1_MAC].concat();
        run.assert_sent(target, &ip(target, HOST6).ttl(255).icmp(136, 0, 0xe000_0000, &body));
    }
    for (what, action, asked) in [
        ("a probe of its own address", SHOT, asks([0; 4], POD4)),
        ("a probe of another", SHOT, asks([0; 4], [10, 1, 0, 99])),
        ("an announcement", NEXT, asks(POD4, POD4)),
        ("an announcement of another's", SHOT, asks([10, 1, 0, 99], [10, 1, 0, 99])),
        ("for itself in another's name", SHOT, asks([10, 1, 0, 99], POD4)),
    ] {
        let run = pe.run("circuit_ingress", pe.red1, &asked, 0);
        assert_eq!((run.action, run.frame), (action, asked), "{what}");
    }
    for (what, action, asked) in [
        ("duplicate address detection", SHOT, solicits("::", HOST6)),
        ("the same of another's", SHOT, solicits("::", "2001:db8:1::99")),
        ("of itself", NEXT, solicits(HOST6, HOST6)),
        ("of a link-local address", NEXT, solicits(HOST6, "fe80::99")),
        ("of one in the name of another", SHOT, solicits("2001:db8:1::99", "fe80::99")),
    ] {
        assert_eq!(pe.circuit(&asked).action, action, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::LinkScope), 7);
}

/// A bridge hears it, and all that is on the bridge.
#[test]
fn behind_a_proxy_a_host_speaks_for_itself_alone() {
    let mut pe = pod(circuit_flag::PROXY);
    let says = |sender| frame(BRIDGE_MAC, HOST, 0x0806, &arp(2, sender, BRIDGE_MAC, [10, 1, 0, 1], HOST));
    let told = |target: &str, to: &str| ip(HOST6, to).ttl(255).icmp(136, 0, 0, &octets6(target));
    assert_eq!(pe.run("circuit_ingress", pe.red1, &says(POD4), 0).action, NEXT);
    for sender in [[10, 1, 0, 99], [10, 1, 0, 1], [10, 2, 0, 7]] {
        assert_eq!(pe.run("circuit_ingress", pe.red1, &says(sender), 0).action, SHOT, "{sender:?}");
    }
    for to in ["fe80::1", GATEWAY6] {
        assert_eq!(pe.circuit(&told(HOST6, to)).action, NEXT, "{to}");
        assert_eq!(pe.circuit(&told("2001:db8:1::99", to)).action, SHOT, "{to}");
    }
    assert_eq!(pe.drops(RED, DropReason::LinkScope), 5);
    let mut strange = says(POD4);
    strange[14..16].fill(9);
    assert_eq!(pe.run("circuit_ingress", pe.red1, &strange, 0).action, SHOT, "of other hardware");
}

#[test]
fn what_is_for_a_bridges_mac_address_stays_in_the_vrf() {
    let mut pe = pod(circuit_flag::PROXY);
    let remote = ip(HOST4, "10.2.0.2");
    let sent = frame(BRIDGE_MAC, HOST, 0x0800, &remote.bytes());
    let run = pe.run("circuit_ingress", pe.red1, &sent, 0);
    run.assert_encapsulated("routed", outer(NODE, REMOTE, &remote.ttl(63)));
    let nowhere = frame(BRIDGE_MAC, HOST, 0x0800, &ip(HOST4, "172.16.0.1").bytes());
    assert_eq!(pe.run("circuit_ingress", pe.red1, &nowhere, 0).action, REDIRECT, "refused with ICMP");
    for (what, to, ethertype) in [
        ("broadcast", BROADCAST, 0x0800),
        ("a group", [0x01, 0, 0x5e, 0, 0, 5], 0x0800),
        ("a bridge's own", [0x01, 0x80, 0xc2, 0, 0, 0], 0x88cc),
    ] {
        let sent = frame(to, HOST, ethertype, &ip(HOST4, "10.2.0.2").bytes());
        assert_eq!(pe.run("circuit_ingress", pe.red1, &sent, 0).action, SHOT, "{what}");
    }
}

#[test]
fn a_known_host_gets_its_packets_by_its_mac_address() {
    let mut pe = pod(circuit_flag::HOST_MAC);
    pe.change_circuit(pe.red1, |circuit| circuit.host_mac = HOST);
    for (from, to) in [("10.2.0.2", HOST4), ("2001:db8:2::2", HOST6)] {
        let packet = ip(from, to);
        for (what, run) in [
            ("circuit", pe.on_circuit(pe.red2, &packet)),
            ("core", pe.core(&outer("fc00:0:2::", DT46, &packet))),
        ] {
            run.assert_sent(what, &packet.clone().ttl(63));
            assert_eq!(run.frame[..12], [HOST, RED1_MAC].concat(), "{what}: MAC addresses");
        }
    }
}

/// A connection of the node to port 8080 of the pod that waits for an answer; its port.
fn probing() -> u16 {
    for line in [
        "ip addr add 192.0.2.10/32 dev lo",
        "ip route add 10.1.0.2/32 dev red1 src 192.0.2.10",
        "ip neigh add 10.1.0.2 lladdr 02:00:00:00:aa:01 dev red1 nud permanent",
    ] {
        run(line);
    }
    // It ends with the namespace.
    thread::spawn(|| TcpStream::connect_timeout(&([10, 1, 0, 2], 8080).into(), Duration::from_secs(60)));
    for _ in 0..500 {
        let sockets = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
        let syn_sent =
            sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|w| w[3] == "02");
        if let Some(words) = syn_sent {
            return u16::from_str_radix(words[1].split_once(':').unwrap().1, 16).unwrap();
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the node does not connect");
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

#[test]
fn answers_to_the_nodes_own_connections_are_the_nodes() {
    let mut pe = pod(circuit_flag::PROBES);
    let port = probing();
    let answer = |flags| ip(HOST4, NODE4).tcp(8080, port, flags, 0);
    for flags in [SYN | ACK, ACK, PSH | ACK, FIN | ACK, RST, RST | ACK] {
        let sent = answer(flags);
        let run = pe.circuit(&sent);
        assert_eq!((run.action, run.ip()), (NEXT, &sent.bytes()[..]), "flags {flags:#x}");
    }
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 0);
    let _listener = std::net::TcpListener::bind((NODE4, 22)).unwrap();
    for (what, sent) in [
        ("opens", answer(SYN)),
        ("opens and ends", answer(SYN | FIN)),
        ("opens, acknowledges and ends", answer(SYN | ACK | FIN)),
        ("opens and resets", answer(SYN | RST)),
        ("no flags", answer(0)),
        ("ends alone", answer(FIN)),
        ("from another port", ip(HOST4, NODE4).tcp(8081, port, ACK, 0)),
        ("to another port", ip(HOST4, NODE4).tcp(8080, port ^ 1, ACK, 0)),
        ("to who listens", ip(HOST4, NODE4).tcp(8080, 22, ACK, 0)),
        ("to another address", ip(HOST4, "192.0.2.11").tcp(8080, port, ACK, 0)),
        ("in the name of another", ip("10.1.0.3", NODE4).tcp(8080, port, ACK, 0)),
        ("a fragment", answer(ACK).fragment(0x2000)),
        ("cut short", ip(HOST4, NODE4).payload(TCP, pattern(8))),
        ("UDP", ip(HOST4, NODE4).udp(8080, port, 8)),
        ("a ping", ip(HOST4, NODE4).echo_request(8)),
    ] {
        assert_ne!(pe.circuit(&sent).action, NEXT, "{what}");
    }
    assert_eq!(pe.drops(RED, DropReason::NoRouteInVrf), 15);
    pe.change_circuit(pe.red1, |circuit| circuit.flags = 0);
    assert_ne!(pe.circuit(&answer(ACK)).action, NEXT, "without the flag");
    pe.change_circuit(pe.red1, |circuit| circuit.flags = circuit_flag::PROBES);
    let red2 = pe.red2;
    pe.change_circuit(red2, |circuit| circuit.flags = circuit_flag::PROBES);
    let elsewhere = pe.on_circuit(pe.red2, &answer(ACK));
    assert_ne!(elsewhere.action, NEXT, "on another circuit, in the host's name");
}
