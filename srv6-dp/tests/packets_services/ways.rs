//! Where packets to a VIP go, and how.

use srv6_types::maps::{service_counter, service_flag};

use super::*;

#[test]
fn requests_and_answers_between_circuits() {
    let mut lab = Lab::with_one_backend();
    for (what, request, backend) in [
        ("TCP", ip(CLIENT4, VIP4).tcp(1000, 80, SYN, 5), (BACKENDS4[0], 8080)),
        ("UDP", ip(CLIENT4, VIP4).checked_udp(1000, 80, 5), (BACKENDS4[0], 8080)),
        ("UDP without a checksum", ip(CLIENT4, VIP4).udp(1001, 80, 5), (BACKENDS4[0], 8080)),
        ("SCTP", ip(CLIENT4, VIP4).sctp(1000, 80), (BACKENDS4[0], 80)),
        ("TCP over IPv6", ip(CLIENT6, VIP6).tcp(1000, 80, SYN, 5), (BACKENDS6[0], 8080)),
        ("UDP over IPv6", ip(CLIENT6, VIP6).checked_udp(1000, 80, 5), (BACKENDS6[0], 8080)),
        ("SCTP over IPv6", ip(CLIENT6, VIP6).sctp(1000, 80), (BACKENDS6[0], 80)),
    ] {
        lab.assert_balanced(what, &request, backend);
        lab.assert_balanced(&format!("{what}, again"), &request, backend);
    }
    let counters = [service_counter::FORWARDED, service_counter::REPLIES, service_counter::FLOWS];
    // Of TCP over IPv4, the first service of all.
    assert_eq!(counters.map(|counter| lab.pe.service_counter(1, counter).0), [2, 2, 1]);
}

/// The client is behind another PE, and the answer goes back there.
#[test]
fn requests_from_the_core_and_their_answers() {
    let mut lab = Lab::with_one_backend();
    let red2 = lab.pe.red2;
    for (port, sid) in [(1000, BALANCE), (1001, DT46)] {
        for (client, vip, backend) in [(REMOTE4, VIP4, BACKENDS4[0]), (REMOTE6, VIP6, BACKENDS6[0])] {
            let request = ip(client, vip).tcp(port, 80, SYN, 5);
            let there = request.clone().between((client, port), (backend, 8080));
            lab.pe.core(&outer("fc00:0:2::", sid, &request)).assert_sent(sid, &there.clone().ttl(63));
            let answer = there.between((backend, 8080), (client, port));
            let back = answer.clone().between((vip, 80), (client, port)).ttl(63);
            lab.pe.on_circuit(red2, &answer).assert_encapsulated(sid, outer(NODE, REMOTE, &back));
        }
    }
}

/// The other PE translates, and answers the client itself.
#[test]
fn a_backend_behind_another_node_gets_packets_as_they_are() {
    let mut lab = Lab::new();
    for (client, vip, backend) in [(CLIENT4, VIP4, REMOTE4), (CLIENT6, VIP6, REMOTE6)] {
        let counter = lab.service(RED, vip, 80, TCP, &[direct(counter_of(vip), backend)]);
        for flags in [SYN, ACK, FIN_ACK] {
            let request = ip(client, vip).tcp(1000, 80, flags, 5);
            let sent = outer(NODE, REMOTE, &request.clone().ttl(63));
            lab.pe.circuit(&request).assert_encapsulated("from a circuit", sent.clone());
            let core = outer("fc00:0:3::", BALANCE, &request);
            lab.pe.core(&core).assert_encapsulated("from the core", sent);
        }
        assert_eq!(lab.pe.service_counter(counter, service_counter::FLOWS).0, 1, "{vip}");
    }
}

fn counter_of(vip: &str) -> u32 {
    vip.len() as u32
}

/// Or two nodes could go on sending a packet to each other.
#[test]
fn what_another_node_has_chosen_stays_here() {
    let mut lab = Lab::new();
    let remote = direct(1, REMOTE4);
    let counter = lab.service(RED, VIP4, 80, TCP, &[remote]);
    let request = ip(CLIENT4, VIP4).tcp(1000, 80, SYN, 5);
    assert_eq!(lab.pe.circuit(&request).ethertype(), 0x86dd, "the flow is that backend's");
    lab.pe.core(&outer("fc00:0:2::", DT46, &request));
    assert_eq!(lab.pe.drops(RED, DropReason::NoBackend), 1);
    assert_eq!(lab.pe.service_counter(counter, service_counter::REFUSED).0, 1);

    lab.service(RED, VIP4, 80, TCP, &[remote, at(2, BACKENDS4[0])]);
    let there = request.clone().between((CLIENT4, 1000), (BACKENDS4[0], 8080)).ttl(63);
    lab.pe.core(&outer("fc00:0:2::", DT46, &request)).assert_sent("the one that is here", &there);
}

#[test]
fn local_traffic_policy_prefers_what_is_here() {
    let mut lab = Lab::new();
    let (remote, here) = (direct(1, REMOTE4), at(2, BACKENDS4[0]));
    lab.set(RED, VIP4, 80, TCP, &[remote], &[here], |service| service.flags = service_flag::LOCAL);
    lab.set(RED, VIP4, 81, TCP, &[remote], &[], |service| service.flags = service_flag::LOCAL);
    let request = ip(CLIENT4, VIP4).tcp(1000, 80, SYN, 5);
    let there = request.clone().between((CLIENT4, 1000), (BACKENDS4[0], 8080)).ttl(63);
    lab.pe.circuit(&request).assert_sent("here", &there);
    let request = ip(CLIENT4, VIP4).tcp(1000, 81, SYN, 5);
    let sent = outer(NODE, REMOTE, &request.clone().ttl(63));
    lab.pe.circuit(&request).assert_encapsulated("none is here", sent);
}

/// A backend that reaches itself by its own VIP would take a packet from its own address for forged.
#[test]
fn a_backend_that_is_its_own_client() {
    let mut lab = Lab::with_one_backend();
    let red2 = lab.pe.red2;
    for (backend, vip) in [(BACKENDS4[0], VIP4), (BACKENDS6[0], VIP6)] {
        let request = ip(backend, vip).tcp(1000, 80, SYN, 5);
        let there = request.clone().between((vip, 1000), (backend, 8080));
        lab.pe.on_circuit(red2, &request).assert_sent("request", &there.clone().ttl(63));
        let answer = there.between((backend, 8080), (vip, 1000));
        let back = answer.clone().between((vip, 80), (backend, 1000)).ttl(63);
        lab.pe.on_circuit(red2, &answer).assert_sent("answer", &back);
    }
}

#[test]
fn the_program_answers_pings_to_a_vip() {
    let mut lab = Lab::with_one_backend();
    for (client, vip, answer) in [(CLIENT4, VIP4, 0), (CLIENT6, VIP6, 129)] {
        let request = ip(client, vip).echo_request(32);
        let expected = ip(vip, client).icmp(answer, 0, 0x0007_0001, &pattern(32));
        lab.pe.circuit(&request).assert_sent(vip, &expected);
    }
    let request = ip(REMOTE4, VIP4).echo_request(32);
    let expected = outer(NODE, REMOTE, &ip(VIP4, REMOTE4).icmp(0, 0, 0x0007_0001, &pattern(32)));
    lab.pe.core(&outer("fc00:0:2::", BALANCE, &request)).assert_encapsulated("from the core", expected);
}
