//! Messages captured from FRR: each constant is decoded, and encoded again to the same octets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod frr_open;
mod frr_vpn;

use bgp_wire::{Context, Message};
use bytes::Bytes;

/// A session with 4-octet AS numbers, as all of the captures are.
fn context() -> Context {
    Context { four_octet_as: true, external: true, ..Context::default() }
}

fn bytes(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn decoded(hex: &str) -> Message {
    Message::decode(bytes(hex), &context()).expect("a captured message is well-formed")
}

fn encoded(message: &Message) -> Bytes {
    let mut out = Vec::new();
    message.encode(&context(), &mut out);
    out.into()
}
