//! Which port a host gets, and for how long.

use std::collections::BTreeSet;

use srv6_types::{
    DropReason,
    maps::{FlowEntry, egress_counter, flow_state, lifetime},
};

use super::{
    lab::*,
    support::{packet::*, *},
};

fn udp(host: &str, port: u16) -> Ip {
    ip(host, OUTSIDE4).checked_udp(port, 53, 10)
}

#[test]
fn a_host_keeps_its_port_whomever_it_speaks_to() {
    let mut lab = Lab::new();
    let first = lab.leaves(&udp(HOST4, 5000));
    for far in ["203.0.113.10", "203.0.113.11"] {
        assert_eq!(lab.leaves(&ip(HOST4, far).checked_udp(5000, 99, 0)), first);
    }
    // And whoever speaks to it reaches it, RFC 4787 section 5.
    let stranger = ip("203.0.113.77", EGRESS4).checked_udp(1, first.1, 0);
    let back = stranger.clone().between(("203.0.113.77", 1), (HOST4, 5000)).ttl(63);
    lab.answer(&stranger).assert_sent("a stranger", &back);
    assert_eq!(lab.pe.egress_counter(INDEX4, egress_counter::MAPPINGS), 1);
}

#[test]
fn a_port_of_the_hosts_own_block_stays() {
    let mut lab = Lab::new();
    let own = block(HOST4) + 77;
    assert_eq!(lab.leaves(&udp(HOST4, own)).1, own);
}

#[test]
fn hosts_with_the_same_port_do_not_meet() {
    let mut lab = Lab::new();
    // Of one block, and of another.
    let same_block = format!("10.1.{}.{}", (2 + BLOCKS) >> 8, (2 + BLOCKS) & 0xff);
    assert_eq!(block(&same_block), block(HOST4));
    let ports: Vec<_> = [HOST4, &same_block, "10.1.0.3"].map(|host| lab.leaves(&udp(host, 5000)).1).into();
    assert_eq!(
        ports,
        [first_choice(HOST4, 5000), first_choice(HOST4, 5000) + 1, first_choice("10.1.0.3", 5000)]
    );
    for (host, port) in [HOST4, &same_block, "10.1.0.3"].iter().zip(ports) {
        let answer = ip(OUTSIDE4, EGRESS4).checked_udp(53, port, 10);
        let back = answer.clone().between((OUTSIDE4, 53), (host, 5000)).ttl(63);
        lab.answer(&answer).assert_sent(host, &back);
    }
}

#[test]
fn tenants_with_equal_addresses_do_not_meet() {
    let mut lab = Lab::new();
    let (red2, blue1) = (lab.pe.red2, lab.pe.blue1);
    let red = lab.leaves(&udp(HOST4, 5000));
    let answer = ip(OUTSIDE4, EGRESS4).checked_udp(53, red.1, 10);
    let run = lab.pe.on_circuit(blue1, &answer);
    assert_eq!(
        (run.action, run.drops),
        (SHOT, vec![(BLUE, "no-mapping", 1)]),
        "blue has no such mapping yet"
    );
    assert_eq!(lab.leaves_by(blue1, &udp(HOST4, 5000)), red);
    for ifindex in [red2, blue1] {
        let back = answer.clone().between((OUTSIDE4, 53), (HOST4, 5000)).ttl(63);
        lab.pe.on_circuit(ifindex, &answer).assert_sent("answer", &back);
    }
    assert_eq!([0, 2].map(|index| lab.pe.egress_counter(index, egress_counter::MAPPINGS)), [1, 1]);
}

#[test]
fn a_full_block_is_a_reason_to_drop_and_harms_nobody_else() {
    let mut lab = Lab::with_ports(FIRST_PORT, 8, 2);
    let (host, other) = ("10.1.0.2", "10.1.0.3");
    let all: Vec<_> = (0..8).map(|number| lab.leaves(&udp(host, 5000 + 3 * number)).1).collect();
    assert_eq!(BTreeSet::from_iter(all.clone()), (1024..1032).collect(), "all of the block is used");
    let refused = lab.pe.circuit(&udp(host, 6000));
    assert_eq!(refused.drops, [(RED, "ports-exhausted", 1)]);
    assert_eq!(lab.pe.egress_counter(INDEX4, egress_counter::EXHAUSTED), 1);
    let again: Vec<_> = (0..8).map(|number| lab.leaves(&udp(host, 5000 + 3 * number)).1).collect();
    assert_eq!(again, all, "those that have a port go on");
    assert!((1032..1040).contains(&lab.leaves(&udp(other, 6000)).1), "the next host has a block of its own");
    let tcp = lab.leaves(&ip(host, OUTSIDE4).tcp(6000, 80, 2, 0)).1;
    assert!((1024..1032).contains(&tcp), "TCP has ports of its own");
}

#[test]
fn a_flood_of_one_tenant_costs_another_no_mapping() {
    let mut lab = Lab::with_ports(1024, 64_512, 1);
    let (red1, blue1) = (lab.pe.red1, lab.pe.blue1);
    let kept = lab.leaves_by(blue1, &udp(HOST4, 5000));
    for port in 1..10_000 {
        lab.leaves_by(red1, &udp(HOST4, 1024 + port));
    }
    assert_eq!(lab.leaves_by(blue1, &udp(HOST4, 5000)), kept);
    let answer = ip(OUTSIDE4, EGRESS4).checked_udp(53, kept.1, 10);
    lab.pe
        .on_circuit(blue1, &answer)
        .assert_sent("blue", &answer.clone().between((OUTSIDE4, 53), (HOST4, 5000)).ttl(63));
}

#[test]
fn what_the_owner_of_a_port_does_not_know_is_mapped_anew() {
    let mut lab = Lab::new();
    let port = lab.leaves(&udp(HOST4, 5000)).1;
    // As if the table had forgotten the owner, and another host had got the port.
    let entry = lab.entry(port, UDP);
    let (_, address) = octets("10.1.0.99");
    lab.set_entry(port, UDP, FlowEntry { address, ports: [0, 0, 0, 1], ..entry });
    let anew = lab.leaves(&udp(HOST4, 5000)).1;
    assert_eq!(anew, port + 1);
    let answer = ip(OUTSIDE4, EGRESS4).checked_udp(53, port, 10);
    let back = answer.clone().between((OUTSIDE4, 53), ("10.1.0.99", 1)).ttl(63);
    lab.answer(&answer).assert_sent("to the new owner alone", &back);
}

#[test]
fn a_connection_after_a_closed_one_has_the_port_again() {
    let mut lab = Lab::new();
    let tcp = |flags| ip(HOST4, OUTSIDE4).tcp(5000, 443, flags, 0);
    let port = lab.leaves(&tcp(0x02)).1;
    for flags in [0x10, 0x11, 0x02, 0x10] {
        assert_eq!(lab.leaves(&tcp(flags)).1, port);
    }
    assert_eq!(lab.entry(port, TCP).state, flow_state::OPENING);
}

#[test]
fn idle_mappings_give_way() {
    let mut lab = Lab::with_ports(FIRST_PORT, 1, 1);
    assert_eq!(lab.leaves(&udp(HOST4, 5000)).1, 1024);
    let refused = lab.pe.circuit(&udp("10.1.0.3", 5000));
    lab.assert_dropped("in use", &refused, DropReason::PortsExhausted);
    let entry = lab.entry(1024, UDP);
    lab.set_entry(
        1024,
        UDP,
        FlowEntry { seen: entry.seen - lifetime(UDP, entry.state) - 1_000_000_000, ..entry },
    );
    let late = lab.answer(&ip(OUTSIDE4, EGRESS4).checked_udp(53, 1024, 0));
    lab.assert_dropped("idle for too long", &late, DropReason::NoMapping);
    assert_eq!(lab.leaves(&udp("10.1.0.3", 5000)).1, 1024);
}
