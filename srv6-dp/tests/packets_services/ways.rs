//! Where packets to a VIP go, and how.

use srv6_types::maps::service_counter;

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
