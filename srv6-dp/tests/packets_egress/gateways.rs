//! The first egress address of the policy that the VRF has a route to decides.

use srv6_types::{
    DropReason,
    maps::{circuit_flag, next_hop_kind as kind},
};

use super::{
    lab::*,
    support::{packet::*, *},
};

const FIRST: &str = "192.0.2.100";

fn packet() -> Ip {
    ip(HOST4, OUTSIDE4).checked_udp(5000, 53, 10)
}

#[test]
fn the_route_to_the_address_chooses_the_gateway() {
    let mut lab = Lab::new();
    lab.policy(RED, &[FIRST, EGRESS4]);
    let here = packet().between((EGRESS4, first_choice(HOST4, 5000)), (OUTSIDE4, 53)).ttl(63);
    lab.pe.circuit(&packet()).assert_sent("the second, for there is no route to the first", &here);

    lab.pe.route(RED, "0.0.0.0/0", encapsulate(kind::ENCAPS_RED, &[REMOTE]));
    lab.pe.circuit(&packet()).assert_sent("a default route leads to no gateway", &here);

    lab.pe.route(RED, &host_prefix(FIRST), encapsulate(kind::ENCAPS_RED, &[OTHER_SID]));
    let there = outer(NODE, OTHER_SID, &packet().ttl(63));
    lab.pe.circuit(&packet()).assert_encapsulated("the first, at its egress SID", there);

    lab.unroute(RED, FIRST.parse().unwrap());
    lab.pe.circuit(&packet()).assert_sent("the second again", &here);
}

#[test]
fn routes_that_lead_to_no_gateway_are_passed_over() {
    for next_hop in [on(kind::BLACKHOLE, 0), on(kind::UNREACHABLE, 0), on(kind::SERVICE, 0)] {
        let mut lab = Lab::new();
        lab.policy(RED, &[FIRST, EGRESS4]);
        lab.pe.route(RED, &host_prefix(FIRST), next_hop);
        assert_eq!(lab.leaves(&packet()).0.to_string(), EGRESS4);
    }
}

#[test]
fn without_any_gateway_nothing_leaves_untranslated() {
    let mut lab = Lab::new();
    lab.policy(RED, &[FIRST]);
    let run = lab.pe.circuit(&packet());
    lab.assert_refused("no route", &run, DropReason::NoEgressGateway, 0);
    let run = lab.pe.circuit(&ip(HOST6, OUTSIDE6).checked_udp(5000, 53, 10));
    lab.assert_refused("no address of the family", &run, DropReason::NoEgressGateway, 0);
}

#[test]
fn a_circuit_decides_where_no_address_does() {
    let mut lab = Lab::new();
    let stranger = ip("10.3.0.9", OUTSIDE4).checked_udp(5000, 53, 10);
    lab.circuit_class(RED);
    assert_eq!(lab.leaves(&stranger).0.to_string(), EGRESS4);
}

#[test]
fn a_pod_leaves_by_the_policy_of_its_circuit_and_hears_the_answers() {
    let mut lab = Lab::new();
    let (pod4, pod6) = ("10.9.0.9", "2001:db8:9::9");
    let red1 = lab.pe.red1;
    lab.pe.route(RED, "10.9.0.9/32", on(kind::CONNECTED, red1));
    lab.pe.route(RED, "2001:db8:9::9/128", on(kind::CONNECTED, red1));
    let packet = ip(pod4, OUTSIDE4).tcp(5000, 443, 2, 0);
    lab.pe.circuit(&packet).assert_sent("of no policy", &packet.clone().ttl(63));
    lab.circuit_class(RED);
    for flags in [0, circuit_flag::PROXY | circuit_flag::PROBES | circuit_flag::HOST_MAC] {
        lab.pe.change_circuit(red1, |circuit| circuit.flags = flags);
        for (pod, outside, egress) in [(pod4, OUTSIDE4, EGRESS4), (pod6, OUTSIDE6, EGRESS6)] {
            let out = (egress, first_choice(pod, 5000));
            lab.assert_there_and_back("TCP", &ip(pod, outside).tcp(5000, 443, 2, 0), out);
        }
    }
}
