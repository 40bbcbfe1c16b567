//! Errors about packets of services, ours and others'.

use super::*;

const GATEWAY4: &str = "10.1.0.1";
const GATEWAY6: &str = "2001:db8:1::1";

fn unreachable(about: &Ip, kind: u8, code: u8) -> Ip {
    let gateway = if about.source.is_ipv4() { GATEWAY4 } else { GATEWAY6 };
    ip(gateway, &about.source.to_string()).class(0xc0).icmp(kind, code, 0, &about.bytes())
}

#[test]
fn who_is_refused_is_told() {
    let mut lab = Lab::with_one_backend();
    lab.service(RED, VIP4, 443, TCP, &[]);
    lab.service(RED, VIP6, 443, TCP, &[]);
    let mut refused = |reason, request: &Ip, kind, code| {
        let before = lab.pe.drops(RED, reason);
        let what = format!("{reason} {}", request.destination);
        lab.pe.circuit(request).assert_sent(&what, &unreachable(request, kind, code));
        assert_eq!(lab.pe.drops(RED, reason), before + 1, "{what}");
    };
    for (client, vip, kind, code) in [(CLIENT4, VIP4, 3, 3), (CLIENT6, VIP6, 1, 4)] {
        refused(DropReason::NoBackend, &ip(client, vip).tcp(1000, 443, SYN, 5), kind, code);
        refused(DropReason::NoSuchService, &ip(client, vip).tcp(1000, 22, SYN, 5), kind, code);
        refused(DropReason::NoSuchService, &ip(client, vip).udp(1000, 53, 5), kind, code);
        refused(DropReason::NoSuchService, &ip(client, vip).udp(1000, 0, 5), kind, code);
        refused(DropReason::NoSuchService, &ip(client, vip).payload(47, vec![0; 16]), kind, code);
    }
}

#[test]
fn errors_of_ours_go_back_through_the_core() {
    let mut lab = Lab::with_one_backend();
    let request = ip(REMOTE4, VIP4).tcp(1000, 22, SYN, 5);
    let run = lab.pe.core(&outer("fc00:0:2::", BALANCE, &request));
    let error = ip(GATEWAY4, REMOTE4).class(0xc0).icmp(3, 3, 0, &request.bytes());
    run.assert_encapsulated("port unreachable", outer(NODE, REMOTE, &error));
}

/// The client has to recognise what it has sent.
#[test]
fn too_big_for_the_way_to_the_backend() {
    let mut lab = Lab::with_one_backend();
    for (client, vip, header, kind, code) in [(CLIENT4, VIP4, 40, 3, 4), (CLIENT6, VIP6, 60, 2, 0)] {
        let big = ip(client, vip).tcp(1000, 80, ACK, 1400 - header + 1);
        let gateway = if header == 40 { GATEWAY4 } else { GATEWAY6 };
        let bytes = big.bytes();
        let quote = &bytes[..bytes.len().min(if header == 40 { 548 } else { 1232 })];
        let error = ip(gateway, client).class(0xc0).icmp(kind, code, 1400, quote);
        lab.pe.circuit(&big).assert_sent(vip, &error);
        let fits = ip(client, vip).tcp(1000, 80, ACK, 1400 - header);
        assert_eq!(lab.pe.circuit(&fits).action, REDIRECT, "{vip}: to the octet");
    }
    let late = ip(CLIENT4, VIP4).tcp(1000, 80, ACK, 5).ttl(1);
    lab.pe.circuit(&late).assert_sent("TTL", &unreachable(&late, 11, 0));
}

/// A router between a client and us says that what the VIP has sent is too big, or a client that nothing listens.
#[test]
fn errors_to_a_vip_reach_the_backend_of_the_flow() {
    for (client, router, vip, backends, kind, code) in
        [(CLIENT4, "10.1.0.254", VIP4, BACKENDS4, 3, 4), (CLIENT6, "2001:db8:1::ff", VIP6, BACKENDS6, 2, 0)]
    {
        let mut lab = Lab::new();
        let all = [at(1, backends[0]), at(2, backends[1]), at(3, backends[2])];
        lab.service(RED, vip, 80, TCP, &all);
        for port in 1000..1020 {
            let backend = lab.backend_of(&ip(client, vip).tcp(port, 80, SYN, 5)).to_string();
            let said = ip(vip, client).tcp(80, port, ACK, 100);
            let quoted = said.clone().between((&backend, 8080), (client, port));
            for from in [client, router] {
                let error = ip(from, vip).icmp(kind, code, 1300, &said.bytes()[..68]);
                let there = ip(from, &backend).icmp(kind, code, 1300, &quoted.bytes()[..68]);
                lab.pe.circuit(&error).assert_sent(from, &there.ttl(63));
            }
        }
        // Another table: the flow's entry decides, and an error makes none.
        let counter = lab.service(RED, vip, 80, TCP, &[at(4, backends[2])]);
        let said = ip(vip, client).tcp(80, 4000, ACK, 100);
        let error = ip(router, vip).icmp(kind, code, 1300, &said.bytes()[..68]);
        let quoted = said.between((backends[2], 8080), (client, 4000));
        let there = ip(router, backends[2]).icmp(kind, code, 1300, &quoted.bytes()[..68]);
        lab.pe.circuit(&error).assert_sent("of no flow that we know", &there.ttl(63));
        assert_eq!(lab.pe.service_counter(counter, srv6_types::maps::service_counter::FLOWS).0, 0);
    }
}

/// From the backend itself, which nobody knows, and from a router before it, which may be who it is.
#[test]
fn errors_from_behind_a_vip_are_the_vips() {
    let mut lab = Lab::with_one_backend();
    let red2 = lab.pe.red2;
    for (client, router, vip, backend, kind, code) in [
        (CLIENT4, "10.9.0.254", VIP4, BACKENDS4[0], 3, 3),
        (CLIENT6, "2001:db8:9::ff", VIP6, BACKENDS6[0], 1, 4),
    ] {
        let request = ip(client, vip).checked_udp(1000, 80, 100);
        let there = request.clone().between((client, 1000), (backend, 8080)).ttl(63);
        lab.pe.circuit(&request).assert_sent(vip, &there);
        let (quote, known) = (there.bytes(), request.ttl(63).bytes());
        for (from, to_be) in [(backend, vip), (router, router)] {
            let error = ip(from, client).icmp(kind, code, 0, &quote);
            let back = ip(to_be, client).icmp(kind, code, 0, &known).ttl(63);
            lab.pe.on_circuit(red2, &error).assert_sent(from, &back);
        }
    }
}

/// What is quoted must have come from where the error goes, or it is nobody's.
#[test]
fn errors_that_quote_what_they_cannot_know() {
    let mut lab = Lab::with_one_backend();
    let said = ip("10.100.0.9", CLIENT4).tcp(80, 1000, ACK, 5).bytes();
    for (what, quote) in
        [("another's", said.clone()), ("half a header", said[..14].to_vec()), ("none", vec![])]
    {
        let run = lab.pe.circuit(&ip(CLIENT4, VIP4).icmp(3, 4, 1300, &quote));
        assert_eq!(run.action, SHOT, "{what}");
    }
    assert_eq!(lab.pe.drops(RED, DropReason::NotListening), 3);
}
