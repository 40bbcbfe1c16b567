//! From a circuit: what is let in, what is answered, what is refused, and the ways that do not lead into the core.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod link;
mod pods;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod ways;

use srv6_types::{
    DropReason,
    maps::{next_hop_kind as kind, vrf_counter},
};
use support::{packet::*, *};

const HOST4: &str = "10.1.0.2";
const HOST6: &str = "2001:db8:1::2";
const GATEWAY4: &str = "10.1.0.1";
const GATEWAY6: &str = "2001:db8:1::1";

fn pe() -> Pe {
    let mut pe = Pe::new();
    let (red1, red2) = (pe.red1, pe.red2);
    for (prefix, next_hop) in [
        ("10.1.0.0/24", on(kind::CONNECTED, red1)),
        ("2001:db8:1::/64", on(kind::CONNECTED, red1)),
        ("10.1.0.1/32", on(kind::LOCAL, red1)),
        ("2001:db8:1::1/128", on(kind::LOCAL, red1)),
        ("10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
        ("2001:db8:2::/48", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
        ("10.5.0.0/16", gateway(red2, "10.9.0.2")),
        ("10.50.0.0/16", gateway(red2, "2001:db8:9::2")),
        ("2001:db8:5::/48", gateway(red2, "2001:db8:9::2")),
        ("2001:db8:50::/48", gateway(red2, "10.9.0.2")),
        ("10.6.0.0/16", on(kind::UNREACHABLE, 0)),
        ("2001:db8:6::/48", on(kind::UNREACHABLE, 0)),
        ("10.7.0.0/16", on(kind::BLACKHOLE, 0)),
        ("10.8.0.0/16", leak(BLUE)),
        ("10.10.0.0/16", leak(RED)),
        ("10.13.0.0/16", on(kind::CONNECTED, 4711)),
    ] {
        pe.route(RED, prefix, next_hop);
    }
    pe.route_to_index(RED, "10.11.0.0/16", 900);
    pe.route_to_index(RED, "10.14.0.0/16", 1_000_000);
    pe
}

fn error4(kind: u8, code: u8, rest: u32, about: &Ip) -> Ip {
    let quote = about.bytes();
    ip(GATEWAY4, HOST4).class(0xc0).icmp(kind, code, rest, &quote[..quote.len().min(548)])
}

fn error6(kind: u8, code: u8, rest: u32, about: &Ip) -> Ip {
    let quote = about.bytes();
    ip(GATEWAY6, HOST6).class(0xc0).icmp(kind, code, rest, &quote[..quote.len().min(1232)])
}

/// Dropped, named, and not a word said.
fn assert_silent(pe: &mut Pe, what: &str, reason: DropReason, packet: &Ip) {
    let before = pe.drops(RED, reason);
    assert_eq!(pe.circuit(packet).action, SHOT, "{what}");
    assert_eq!(pe.drops(RED, reason), before + 1, "{what}");
}

/// Dropped, named, and answered with `error`.
fn assert_refused(pe: &mut Pe, what: &str, reason: DropReason, packet: &Ip, error: &Ip) {
    let before = pe.drops(RED, reason);
    let run = pe.circuit(packet);
    run.assert_sent(what, error);
    assert_eq!(run.frame[..12], [HOST, RED1_MAC].concat(), "{what}: MAC addresses");
    assert_eq!(pe.drops(RED, reason), before + 1, "{what}");
}
