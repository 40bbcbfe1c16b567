//! Who may not have what.

use srv6_types::DropReason;

use super::{
    lab::*,
    support::{packet::*, *},
};

#[test]
fn what_no_host_has_asked_for_is_dropped_in_silence() {
    let mut lab = Lab::new();
    for (what, packet) in [
        ("UDP", ip(OUTSIDE4, EGRESS4).checked_udp(53, 5000, 10)),
        ("port 0", ip(OUTSIDE4, EGRESS4).checked_udp(53, 0, 10)),
        ("TCP", ip(OUTSIDE4, EGRESS4).tcp(53, 5000, 2, 0)),
        ("ping", ip(OUTSIDE4, EGRESS4).echo_request(8)),
        ("ping over IPv6", ip(OUTSIDE6, EGRESS6).echo_request(8)),
        (
            "an error about nothing",
            ip(OUTSIDE4, EGRESS4).icmp(3, 1, 0, &ip(EGRESS4, OUTSIDE4).udp(1, 2, 8).bytes()),
        ),
    ] {
        let run = lab.answer(&packet);
        lab.assert_dropped(what, &run, DropReason::NoMapping);
    }
}

#[test]
fn nobody_has_an_egress_address_for_its_own() {
    let mut lab = Lab::new();
    for (host, far, egress, sid) in
        [(HOST4, OUTSIDE4, EGRESS4, EGRESS_SID), (HOST6, OUTSIDE6, EGRESS6, EGRESS_SID6)]
    {
        let claimed = ip(egress, far).checked_udp(5000, 53, 10);
        let run = lab.pe.circuit(&claimed);
        lab.assert_dropped("from a host", &run, DropReason::BadSource);
        let run = lab.answer(&ip(egress, host).checked_udp(5000, 53, 10));
        lab.assert_dropped("from outside", &run, DropReason::BadSource);
        let run = lab.pe.core(&outer(REMOTE, sid, &claimed));
        lab.assert_dropped("by the egress SID", &run, DropReason::BadSource);
    }
}

#[test]
fn what_cannot_be_translated_does_not_leave() {
    let mut lab = Lab::new();
    for (what, packet) in [
        ("ESP", ip(HOST4, OUTSIDE4).payload(50, vec![0; 24])),
        ("a message for the link", ip(HOST4, OUTSIDE4).icmp(9, 0, 0, b"")),
    ] {
        let run = lab.pe.circuit(&packet);
        lab.assert_dropped(what, &run, DropReason::Untranslatable);
    }
    let run = lab.pe.circuit(&ip(HOST4, OUTSIDE4).payload(UDP, vec![1, 2, 3]));
    lab.assert_dropped("truncated", &run, DropReason::Malformed);
    let run = lab.pe.core(&outer(REMOTE, EGRESS_SID, &ip("2001:db8:2::9", OUTSIDE6).checked_udp(1, 2, 0)));
    lab.assert_dropped("the other family", &run, DropReason::Untranslatable);
    let error = ip(HOST4, OUTSIDE4).icmp(3, 1, 0, &ip(OUTSIDE4, HOST4).udp(1, 2, 8).bytes());
    let run = lab.pe.circuit(&error);
    lab.assert_dropped("an error makes no mapping", &run, DropReason::NoMapping);
}

#[test]
fn an_egress_sid_without_address_or_flow_table_lets_nothing_through() {
    let mut lab = Lab::new();
    let packet = outer(REMOTE, EGRESS_SID, &ip("10.2.0.9", OUTSIDE4).checked_udp(5000, 53, 10));
    lab.pe.vrf(RED, srv6_types::maps::vrf_flag::EXISTS, 0);
    let run = lab.pe.core(&packet);
    assert!(
        run.action == REDIRECT && source(run.ip(), 0).0.to_string() == EGRESS4,
        "the table is still there"
    );
    lab.pe.array(
        "EGRESS",
        INDEX4,
        srv6_types::maps::EgressEntry {
            address: [0; 16],
            vrf: 0,
            family: 0,
            first_port: 0,
            block_size: 0,
            blocks: 0,
            reserved: [0; 3],
        },
    );
    let run = lab.pe.core(&packet);
    lab.assert_dropped("no address", &run, DropReason::NoEgressGateway);
}
