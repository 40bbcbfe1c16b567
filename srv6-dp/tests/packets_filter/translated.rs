//! Request and answer mirror each other for a filter, whatever is translated between its circuit and the far end.

use super::{
    Verdict::Passes,
    egress_lab,
    services_lab::{
        self, BACKENDS4, BACKENDS6, CLIENT4, CLIENT6, OTHER_VIP4, REMOTE4, SYN_ACK, VIP4, VIP6, at, direct,
    },
    *,
};

/// The client may only go where rules say, and nobody opens anything to it.
const CLIENT: &str = "
    in 10.9.0.0/24 tcp 8080 accept the-backends
    in 2001:db8:9::/64 tcp 8080 accept the-backends6
    in 0.0.0.0/0 any any drop no-exit
    in ::/0 any any drop no-exit6
    out 0.0.0.0/0 any any drop no-entry
    out ::/0 any any drop no-entry6";

/// A backend answers clients, and opens nothing.
const BACKEND: &str = "
    out 10.1.0.0/16 tcp 8080 accept clients
    out 10.2.0.0/16 tcp 8080 accept far-clients
    out 2001:db8:1::/64 tcp 8080 accept clients6
    out 0.0.0.0/0 any any drop others
    out ::/0 any any drop others6
    in 0.0.0.0/0 any any drop no-exit
    in ::/0 any any drop no-exit6";

fn filter_both(pe: &mut Pe, red1: &str, red2: &str) {
    set_filter(pe, 1, 1, red1);
    set_filter(pe, 2, 2, red2);
    put_on_circuit(pe, 1, "red1");
    put_on_circuit(pe, 2, "red2");
}

fn from_red2(pe: &mut Pe, packet: &Ip) -> Verdict {
    Verdict::of(pe, |pe| pe.on_circuit(pe.red2, packet))
}

#[test]
fn through_a_vip_rules_see_the_backend_and_the_client() {
    let mut lab = services_lab::Lab::with_one_backend();
    filter_both(&mut lab.pe, CLIENT, BACKEND);
    for (client, vip, backend) in [(CLIENT4, VIP4, BACKENDS4[0]), (CLIENT6, VIP6, BACKENDS6[0])] {
        let unasked = ip(backend, client).tcp(8080, 1000, ACK, 5);
        assert!(matches!(from_red2(&mut lab.pe, &unasked), Verdict::Denied(_)), "{vip}");
        // Without SYN, for it sends the answer with the same flags.
        lab.assert_balanced(vip, &ip(client, vip).tcp(1000, 80, ACK, 5), (backend, 8080));
        lab.assert_balanced("again", &ip(client, vip).tcp(1000, 80, ACK, 5), (backend, 8080));
        let other = ip(backend, client).tcp(8080, 1001, ACK, 5);
        assert!(matches!(from_red2(&mut lab.pe, &other), Verdict::Denied(_)), "another port");
        // The error quotes what the backend was sent.
        let (kind, code) = if client == CLIENT4 { (3, 4) } else { (2, 0) };
        let sent = ip(client, backend).tcp(1000, 8080, ACK, 5);
        let error = ip(backend, client).icmp(kind, code, 1400, &sent.bytes());
        assert_eq!(from_red2(&mut lab.pe, &error), Passes, "an error about it");
    }
}

/// Two connections from one port meet at a backend: one of them has another port there.
#[test]
fn through_two_vips_with_one_backend() {
    let mut lab = services_lab::Lab::new();
    for vip in [VIP4, OTHER_VIP4] {
        lab.service(RED, vip, 80, TCP, &[at(1, BACKENDS4[0])]);
    }
    filter_both(&mut lab.pe, CLIENT, BACKEND);
    for vip in [VIP4, OTHER_VIP4] {
        let request = ip(CLIENT4, vip).tcp(1000, 80, SYN, 5);
        let run = lab.pe.circuit(&request);
        assert_eq!(run.action, REDIRECT, "{vip}: {:?}", run.drops);
        let port = u16::from_be_bytes([run.ip()[20], run.ip()[21]]);
        assert_eq!(port == 1000, vip == VIP4);
        let answer = ip(BACKENDS4[0], CLIENT4).tcp(8080, port, SYN_ACK, 5);
        assert_eq!(from_red2(&mut lab.pe, &answer), Passes, "{vip}");
    }
}

#[test]
fn where_another_pe_chooses_the_vip_is_the_far_end() {
    let mut lab = services_lab::Lab::new();
    lab.service(RED, VIP4, 80, TCP, &[direct(1, REMOTE4)]);
    filter_both(
        &mut lab.pe,
        "in 10.100.0.0/24 tcp 80 accept vips\nin 0.0.0.0/0 any any drop no-exit\nout 0.0.0.0/0 any any drop no-entry",
        BACKEND,
    );
    let answer = outer(FAR, DT46, &ip(VIP4, CLIENT4).tcp(80, 1000, SYN_ACK, 5));
    assert_eq!(Verdict::of(&mut lab.pe, |pe| pe.core(&answer)), denied("no-entry"));
    assert_eq!(sends(&mut lab.pe, &ip(CLIENT4, VIP4).tcp(1000, 80, SYN, 5)), Passes);
    assert_eq!(Verdict::of(&mut lab.pe, |pe| pe.core(&answer)), Passes);
}

/// Direct server return: the client is behind the PE that the request came from.
#[test]
fn at_the_pe_of_the_backend_the_client_is_the_far_end() {
    let mut lab = services_lab::Lab::with_one_backend();
    filter_both(&mut lab.pe, CLIENT, BACKEND);
    let request = outer(FAR, DT46, &ip(REMOTE4, VIP4).tcp(1000, 80, SYN, 5));
    let answer = ip(BACKENDS4[0], REMOTE4).tcp(8080, 1000, SYN_ACK, 5);
    assert_eq!(from_red2(&mut lab.pe, &answer), denied("no-exit"));
    assert_eq!(Verdict::of(&mut lab.pe, |pe| pe.core(&request)), Passes);
    assert_eq!(from_red2(&mut lab.pe, &answer), Passes);
}

#[test]
fn behind_an_egress_address_the_host_is_the_far_end() {
    use egress_lab::{EGRESS4, HOST4, OUTSIDE4};
    let mut lab = egress_lab::Lab::new();
    filter_both(
        &mut lab.pe,
        "out 0.0.0.0/0 any any drop no-entry",
        "out 10.1.0.2/32 any any accept that-host\nout 0.0.0.0/0 any any drop others\nin 0.0.0.0/0 any any drop no-exit",
    );
    for packet in [ip(HOST4, OUTSIDE4).tcp(5000, 80, SYN, 5), ip(HOST4, OUTSIDE4).checked_udp(5000, 53, 5)] {
        let (address, port) = lab.leaves(&packet);
        assert_eq!(address.to_string(), EGRESS4);
        let far = if packet.protocol == TCP { 80 } else { 53 };
        let answer = |from: &str, flags| match packet.protocol {
            TCP => ip(from, EGRESS4).tcp(far, port, flags, 5),
            _ => ip(from, EGRESS4).checked_udp(far, port, 5),
        };
        assert_eq!(from_red2(&mut lab.pe, &answer(OUTSIDE4, SYN_ACK)), Passes);
        let stranger = answer("203.0.113.10", ACK);
        assert_eq!(from_red2(&mut lab.pe, &stranger), denied("no-exit"), "a mapping is no permission");
    }
    let ping = echo(HOST4, OUTSIDE4, true, 7);
    let (_, identifier) = lab.leaves(&ping);
    assert_eq!(from_red2(&mut lab.pe, &echo(OUTSIDE4, EGRESS4, false, identifier)), Passes);
    let other = ip("10.1.0.3", OUTSIDE4).checked_udp(5000, 53, 5);
    assert_eq!(sends(&mut lab.pe, &other), denied("others"), "another host of the same egress address");
}
