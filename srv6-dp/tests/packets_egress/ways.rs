//! Each protocol and family goes out under the egress address and comes back.

use srv6_types::maps::egress_counter;

use super::{
    lab::*,
    support::{packet::*, *},
};

const SYN: u8 = 0x02;

#[test]
fn tcp_and_udp_go_out_and_come_back() {
    let mut lab = Lab::new();
    for (host, outside, egress) in [(HOST4, OUTSIDE4, EGRESS4), (HOST6, OUTSIDE6, EGRESS6)] {
        let out = (egress, first_choice(host, 5000));
        lab.assert_there_and_back("TCP", &ip(host, outside).tcp(5000, 443, SYN, 0), out);
        lab.assert_there_and_back("TCP with octets", &ip(host, outside).tcp(5000, 443, 0x10, 33), out);
        lab.assert_there_and_back("UDP", &ip(host, outside).checked_udp(5000, 53, 31), out);
    }
    lab.assert_there_and_back(
        "UDP without checksum",
        &ip(HOST4, OUTSIDE4).udp(5000, 53, 8),
        (EGRESS4, first_choice(HOST4, 5000)),
    );
    let counters = |lab: &mut Lab, index| {
        [
            egress_counter::OUTBOUND,
            egress_counter::INBOUND,
            egress_counter::MAPPINGS,
            egress_counter::EXHAUSTED,
        ]
        .map(|counter| lab.pe.egress_counter(index, counter))
    };
    assert_eq!(counters(&mut lab, INDEX4), [4, 4, 2, 0]);
    assert_eq!(counters(&mut lab, INDEX6), [3, 3, 2, 0]);
}

#[test]
fn echo_keeps_an_identifier_of_its_own() {
    let mut lab = Lab::new();
    for (host, outside, egress, kinds) in
        [(HOST4, OUTSIDE4, EGRESS4, (8, 0)), (HOST6, OUTSIDE6, EGRESS6, (128, 129))]
    {
        let id = u32::from(first_choice(host, 7));
        let message =
            |source, destination, kind, id: u32| ip(source, destination).icmp(kind, 0, id << 16 | 1, b"ping");
        let request = message(host, outside, kinds.0, 7);
        lab.pe.circuit(&request).assert_sent(host, &message(egress, outside, kinds.0, id).ttl(63));
        let reply = message(outside, egress, kinds.1, id);
        lab.answer(&reply).assert_sent(host, &message(outside, host, kinds.1, 7).ttl(63));
    }
}

#[test]
fn sctp_keeps_its_port_or_is_refused() {
    let mut lab = Lab::new();
    lab.assert_there_and_back("SCTP", &ip(HOST4, OUTSIDE4).sctp(5000, 80), (EGRESS4, 5000));
    lab.assert_there_and_back("SCTP over IPv6", &ip(HOST6, OUTSIDE6).sctp(5000, 80), (EGRESS6, 5000));
    let other = lab.pe.circuit(&ip("10.1.0.3", OUTSIDE4).sctp(5000, 80));
    lab.assert_dropped("another host has the port", &other, srv6_types::DropReason::PortsExhausted);
    let low = lab.pe.circuit(&ip(HOST4, OUTSIDE4).sctp(80, 80));
    lab.assert_dropped("no port of the address", &low, srv6_types::DropReason::Untranslatable);
}

#[test]
fn a_host_behind_another_pe_comes_by_the_egress_sid() {
    let mut lab = Lab::new();
    for (host, outside, egress, sid) in
        [("10.2.0.9", OUTSIDE4, EGRESS4, EGRESS_SID), ("2001:db8:2::9", OUTSIDE6, EGRESS6, EGRESS_SID6)]
    {
        let port = first_choice(host, 5000);
        let packet = ip(host, outside).checked_udp(5000, 53, 20);
        let out = packet.clone().between((egress, port), (outside, 53)).ttl(63);
        lab.pe.core(&outer(REMOTE, sid, &packet)).assert_sent("out", &out);
        let answer = ip(outside, egress).checked_udp(53, port, 20);
        let back = answer.clone().between((outside, 53), (host, 5000)).ttl(63);
        lab.answer(&answer).assert_encapsulated("back", outer(NODE, REMOTE, &back));
        // The outside may lie behind another PE: its answers come by the egress SID as well.
        lab.pe
            .core(&outer(REMOTE, sid, &answer))
            .assert_encapsulated("back by the SID", outer(NODE, REMOTE, &back));
    }
}

#[test]
fn errors_belong_to_the_mapping_in_both_directions() {
    let mut lab = Lab::new();
    for (host, outside, egress, router, unreachable) in
        [(HOST4, OUTSIDE4, EGRESS4, "203.0.113.1", 3), (HOST6, OUTSIDE6, EGRESS6, "2001:db8:ffff::1", 1)]
    {
        let port = first_choice(host, 5000);
        let packet = ip(host, outside).checked_udp(5000, 53, 20);
        let out = packet.clone().between((egress, port), (outside, 53)).ttl(63);
        lab.pe.circuit(&packet).assert_sent("out", &out);
        let error = ip(router, egress).icmp(unreachable, 1, 0, &out.bytes());
        let quoted = packet.clone().ttl(63).bytes();
        let told = ip(router, host).icmp(unreachable, 1, 0, &quoted).ttl(63);
        lab.answer(&error).assert_sent("error to the host", &told);

        let answer = ip(outside, egress).checked_udp(53, port, 20);
        let back = answer.clone().between((outside, 53), (host, 5000));
        lab.answer(&answer).assert_sent("back", &back.clone().ttl(63));
        let error = ip(host, outside).icmp(unreachable, 1, 0, &back.bytes());
        let told = ip(egress, outside).icmp(unreachable, 1, 0, &answer.bytes()).ttl(63);
        lab.pe.circuit(&error).assert_sent("error from the host", &told);
    }
}

#[test]
fn fragments_follow_the_first_one() {
    let mut lab = Lab::new();
    let first = ip(HOST4, OUTSIDE4).udp(5000, 53, 24).fragment(0x2000);
    let later = ip(HOST4, OUTSIDE4).payload(UDP, pattern(16)).fragment(4);
    let early = lab.pe.circuit(&later);
    lab.assert_dropped("before the first", &early, srv6_types::DropReason::FragmentBeforeFirst);
    let port = first_choice(HOST4, 5000);
    lab.pe
        .circuit(&first)
        .assert_sent("first", &first.clone().between((EGRESS4, port), (OUTSIDE4, 53)).ttl(63));
    let mut out = later.clone().ttl(63);
    out.source = EGRESS4.parse().unwrap();
    lab.pe.circuit(&later).assert_sent("later", &out);
}

#[test]
fn a_host_reaches_another_by_its_egress_address() {
    let mut lab = Lab::new();
    let (other, asked) = ("10.1.0.3", first_choice("10.1.0.3", 80));
    lab.leaves(&ip(other, OUTSIDE4).checked_udp(80, 9, 0));
    // Its policy excepts the sender: the answer would not come under the address if the sender did not have it, too.
    let request = ip(HOST4, EGRESS4).checked_udp(5000, asked, 10);
    let port = first_choice(HOST4, 5000);
    let there = request.clone().between((EGRESS4, port), (other, 80)).ttl(63);
    lab.pe.circuit(&request).assert_sent("request", &there);
    let answer = ip(other, EGRESS4).checked_udp(80, port, 10);
    let back = answer.clone().between((EGRESS4, asked), (HOST4, 5000)).ttl(63);
    lab.pe.circuit(&answer).assert_sent("answer", &back);
    // A query has one identifier for both ends.
    lab.leaves(&ip(other, OUTSIDE4).icmp(8, 0, 0x0007_0001, b"ping"));
    let id = u32::from(first_choice(other, 7));
    let ping = lab.pe.circuit(&ip(HOST4, EGRESS4).icmp(8, 0, id << 16 | 1, b"ping"));
    lab.assert_dropped("ping", &ping, srv6_types::DropReason::Untranslatable);
}

#[test]
fn what_a_policy_does_not_hold_leaves_as_it_is() {
    let mut lab = Lab::new();
    let except = ip(HOST4, "10.2.0.9").checked_udp(5000, 53, 10);
    lab.pe.circuit(&except).assert_encapsulated("an exception", outer(NODE, REMOTE, &except.clone().ttl(63)));
    let stranger = ip("10.3.0.9", OUTSIDE4).checked_udp(5000, 53, 10);
    lab.pe.circuit(&stranger).assert_sent("no host of the policy", &stranger.clone().ttl(63));
}
