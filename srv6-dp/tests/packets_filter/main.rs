//! Filters of circuits: what passes, which rule says so, and what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod answers;
mod cost;
#[path = "../packets_egress/lab.rs"]
#[allow(dead_code, unreachable_pub, reason = "used in part, and no interface")]
mod egress_lab;
mod errors;
mod filters;
mod fragments;
mod rules;
#[path = "../packets_services/lab.rs"]
#[allow(dead_code, unreachable_pub, reason = "used in part, and no interface")]
mod services_lab;
#[path = "../support/mod.rs"]
mod support;
mod translated;

use filters::*;
use srv6_types::{DropReason, maps::next_hop_kind as kind};
use support::{packet::*, *};

const FAR: &str = "fc00:0:2::";
const HOST4: &str = "10.1.0.2";
const HOST6: &str = "2001:db8:1::2";
const FAR4: &str = "10.2.0.2";
const FAR6: &str = "2001:db8:2::2";
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Hosts of red behind red1 and red2 and far away, hosts of blue with the same addresses behind blue1 and far away.
fn pe() -> Pe {
    let mut pe = Pe::new();
    let (red1, red2, blue1) = (pe.red1, pe.red2, pe.blue1);
    for (vrf, circuit) in [(RED, red1), (BLUE, blue1)] {
        for prefix in ["10.1.0.0/24", "2001:db8:1::/64"] {
            pe.route(vrf, prefix, on(kind::CONNECTED, circuit));
        }
        for prefix in ["10.2.0.0/16", "172.16.0.0/12", "2001:db8:2::/48", "3fff::/32"] {
            pe.route(vrf, prefix, encapsulate(kind::ENCAPS_RED, &[REMOTE]));
        }
        look_at_flows(&mut pe, vrf);
    }
    pe.route(RED, "10.9.0.0/24", on(kind::CONNECTED, red2));
    pe.route(RED, "10.1.0.1/32", on(kind::LOCAL, red1));
    pe
}

/// A PE with `rules` on red1, and no flow tables.
fn forgetful(rules: &str) -> Pe {
    let mut pe = pe();
    set_filter(&mut pe, 1, 1, rules);
    put_on_circuit(&mut pe, 1, "red1");
    pe
}

/// A PE with `rules` on red1, and nothing elsewhere.
fn filtered(rules: &str) -> Pe {
    let mut pe = forgetful(rules);
    for vrf in [RED, BLUE] {
        remember_flows(&mut pe, vrf);
    }
    pe
}

/// From the host behind red1.
fn sends(pe: &mut Pe, packet: &Ip) -> Verdict {
    Verdict::of(pe, |pe| pe.circuit(packet))
}

/// To it.
fn gets(pe: &mut Pe, packet: &Ip) -> Verdict {
    Verdict::of(pe, |pe| pe.core(&outer(FAR, DT46, packet)))
}

fn tcp(source: &str, destination: &str, ports: (u16, u16), flags: u8) -> Ip {
    let head = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    let rest = [0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
    ip(source, destination).payload(TCP, [head, rest.to_vec(), pattern(8)].concat())
}

fn udp(source: &str, destination: &str, from: u16, to: u16) -> Ip {
    ip(source, destination).udp(from, to, 8)
}

/// Echo request, or its answer, with an identifier.
fn echo(source: &str, destination: &str, request: bool, identifier: u16) -> Ip {
    let packet = ip(source, destination);
    let kind = match (packet.source.is_ipv4(), request) {
        (true, true) => 8,
        (true, false) => 0,
        (false, true) => 128,
        (false, false) => 129,
    };
    packet.icmp(kind, 0, u32::from(identifier) << 16 | 1, &pattern(8))
}
