//! What is forged, broken or too much, and tenants that look alike.

use srv6_types::maps::vrf_flag;

use super::*;

fn request(port: u16) -> Ip {
    ip(CLIENT4, VIP4).tcp(port, 80, SYN, 5)
}

/// Equal VIPs, clients, ports and backends.
#[test]
fn tenants_that_are_alike_never_meet() {
    let mut lab = Lab::new();
    let blue1 = lab.pe.blue1;
    lab.service(RED, VIP4, 80, TCP, &[at(1, BACKENDS4[0])]);
    lab.service(BLUE, VIP4, 80, TCP, &[At { port: 9090, ..at(2, BACKENDS4[0]) }]);
    let there = |port| request(1000).between((CLIENT4, 1000), (BACKENDS4[0], port));
    lab.pe.circuit(&request(1000)).assert_sent("red", &there(8080).ttl(63));
    // Blue's backend has the port that red's has not: no answer of red's flow is one there.
    let answer = there(8080).between((BACKENDS4[0], 8080), (CLIENT4, 1000));
    lab.pe.on_circuit(blue1, &answer).assert_sent("no flow of blue's", &answer.clone().ttl(63));
    lab.pe.on_circuit(blue1, &request(1000)).assert_sent("blue", &there(9090).ttl(63));
    lab.assert_balanced("red, again", &request(1000), (BACKENDS4[0], 8080));
    assert_eq!([1, 2].map(|service| lab.pe.service_counter(service, 0).0), [2, 1]);
}

/// Each has a table of its own: whoever fills one loses flows of his own.
#[test]
fn a_flood_of_one_tenant_costs_another_no_flow() {
    let mut lab = Lab::new();
    lab.pe.flow_table(RED, 128);
    let blue1 = lab.pe.blue1;
    let both = [at(1, BACKENDS4[0])];
    lab.service(RED, VIP4, 80, TCP, &both);
    lab.service(BLUE, VIP4, 80, TCP, &both);
    assert_eq!(lab.pe.on_circuit(blue1, &request(1000)).action, REDIRECT);
    for port in 1000..6000 {
        assert_eq!(lab.pe.circuit(&request(port)).action, REDIRECT, "{port}: a full table takes new flows");
    }
    lab.service(BLUE, VIP4, 80, TCP, &[At { generation: 1, ..at(2, BACKENDS4[1]) }]);
    let there = request(1000).between((CLIENT4, 1000), (BACKENDS4[0], 8080));
    lab.pe.on_circuit(blue1, &request(1000)).assert_sent("blue's flow is still there", &there.ttl(63));
}

#[test]
fn without_a_flow_table_nothing_is_balanced() {
    let mut lab = Lab::new();
    lab.pe.vrf(7, vrf_flag::EXISTS | vrf_flag::SERVICES, 1024);
    let circuit = srv6_types::maps::CircuitEntry {
        vrf: 7,
        mtu: 1500,
        gateway4: [10, 1, 0, 1],
        mac: RED1_MAC,
        flags: 0,
        gateway6: [0; 16],
        filter: 0,
        egress: 0,
        host_mac: [0; 6],
        reserved: [0; 2],
    };
    let (red1, red2) = (lab.pe.red1, lab.pe.red2);
    lab.pe.hash("CIRCUITS", red1, circuit);
    lab.pe.hash("CIRCUITS", red2, circuit);
    lab.pe.route(7, "10.9.0.0/24", on(srv6_types::maps::next_hop_kind::CONNECTED, red2));
    lab.service(7, VIP4, 80, TCP, &[at(1, BACKENDS4[0])]);
    assert_eq!(lab.pe.circuit(&request(1000)).action, SHOT);
    assert_eq!(lab.pe.drops(7, DropReason::NoFlowTable), 1);
    let plain = ip(CLIENT4, "10.9.0.9");
    lab.pe.circuit(&plain).assert_sent("what needs no table", &plain.clone().ttl(63));
}

/// Only the program speaks for a VIP.
#[test]
fn a_host_that_forges_a_vip() {
    let mut lab = Lab::with_one_backend();
    let red2 = lab.pe.red2;
    assert_eq!(lab.pe.circuit(&request(1000)).action, REDIRECT);
    for forged in [
        ip(VIP4, CLIENT4).tcp(80, 1000, SYN_ACK, 5),
        ip(VIP4, "10.9.0.9").udp(80, 1000, 5),
        ip(VIP6, CLIENT6).tcp(80, 1000, SYN_ACK, 5),
        ip(VIP4, VIP4).tcp(80, 80, SYN, 5),
    ] {
        let before = lab.pe.drops(RED, DropReason::BadSource);
        assert_eq!(lab.pe.on_circuit(red2, &forged).action, SHOT);
        assert_eq!(lab.pe.drops(RED, DropReason::BadSource), before + 1);
    }
    // What the other PE has translated comes by the core.
    let answer = ip(VIP4, CLIENT4).tcp(80, 1000, SYN_ACK, 5);
    let run = lab.pe.core(&outer("fc00:0:2::", DT46, &answer));
    run.assert_sent("from the core", &answer.ttl(63));
}

#[test]
fn ports_that_are_zero() {
    let mut lab = Lab::with_one_backend();
    lab.assert_balanced("source port", &request(0), (BACKENDS4[0], 8080));
    assert_ne!(lab.pe.circuit(&ip(CLIENT4, VIP4).tcp(1000, 0, SYN, 5)).ip()[9], TCP);
    assert_eq!(lab.pe.drops(RED, DropReason::NoSuchService), 1);
}

/// Harms what needs the ports, and that alone.
#[test]
fn transport_headers_that_are_not_all_there() {
    let mut lab = Lab::with_one_backend();
    let mut malformed = 0;
    for (protocol, whole) in [(TCP, 20), (UDP, 8), (SCTP, 12)] {
        for octets in [0, 1, whole - 1] {
            let short = ip(CLIENT4, VIP4).payload(protocol, pattern(octets));
            assert_eq!(lab.pe.circuit(&short).action, SHOT, "{protocol}, {octets} octets");
            // By its own account, though the frame goes on.
            let long = frame(RED1_MAC, HOST, 0x0800, &[short.bytes(), vec![0; 40]].concat());
            let red1 = lab.pe.red1;
            assert_eq!(lab.pe.run("circuit_ingress", red1, &long, 0).action, SHOT, "{protocol}, {octets}");
            malformed += 2;
        }
    }
    for protocol in [TCP, UDP, SCTP, ICMP] {
        let plain = ip(CLIENT4, "10.9.0.9").payload(protocol, pattern(7));
        lab.pe.circuit(&plain).assert_sent("not for a VIP", &plain.clone().ttl(63));
    }
    assert_eq!(lab.pe.drops(RED, DropReason::Malformed), malformed);
    let endless: Vec<_> = (0..8).flat_map(|_| [60, 0, 1, 4, 0, 0, 0, 0]).collect();
    lab.pe.circuit(&ip(CLIENT6, VIP6).payload(60, endless.clone()));
    assert_eq!(lab.pe.drops(RED, DropReason::Malformed), malformed + 1, "too many extension headers");
    let plain = ip(CLIENT6, "2001:db8:9::9").payload(60, endless);
    lab.pe.circuit(&plain).assert_sent("not for a VIP", &plain.clone().ttl(63));
}
