//! Strategies: every message and attribute that is well-formed.
#![allow(dead_code, unreachable_pub, reason = "each test file takes what it needs")]

pub mod attributes;
pub mod messages;

use std::collections::BTreeSet;

use bgp_wire::{
    Context, Family,
    nlri::{Nlri, Prefix, Prefix4, Prefix6, RouteDistinguisher},
};
use bytes::Bytes;
use proptest::{collection::btree_set, prelude::*, sample::select};
use srv6_types::Label;

pub fn contexts() -> impl Strategy<Value = Context> {
    (any::<bool>(), btree_set(families(), 0..4), any::<bool>(), any::<bool>()).prop_map(
        |(four_octet_as, add_path, extended_message, external): (_, BTreeSet<Family>, _, _)| Context {
            four_octet_as,
            add_path,
            extended_message,
            external,
        },
    )
}

pub fn families() -> impl Strategy<Value = Family> {
    select(&Family::ALL[..])
}

pub fn octets(most: usize) -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..=most).prop_map(Bytes::from)
}

pub fn prefixes(family: Family) -> BoxedStrategy<Prefix> {
    match family.is_ipv4() {
        true => (any::<[u8; 4]>(), 0..=32u8)
            .prop_map(|(addr, len)| Prefix::V4(Prefix4::new(addr, len).unwrap()))
            .boxed(),
        false => (any::<[u8; 16]>(), 0..=128u8)
            .prop_map(|(addr, len)| Prefix::V6(Prefix6::new(addr, len).unwrap()))
            .boxed(),
    }
}

pub fn routes(family: Family, add_path: bool, withdraw: bool) -> impl Strategy<Value = Nlri> {
    let labels = (0..1u32 << 20).prop_map(|value| Label::new(value).unwrap());
    (any::<u32>(), distinguishers(), labels, prefixes(family)).prop_map(
        move |(path_id, rd, label, prefix)| Nlri {
            path_id: if add_path { path_id } else { 0 },
            rd: family.is_vpn().then_some(rd),
            label: (family.is_vpn() && !withdraw).then_some(label),
            prefix,
        },
    )
}

/// Of the three known types: another decoder refuses the rest.
fn distinguishers() -> impl Strategy<Value = RouteDistinguisher> {
    (0..3u8, any::<[u8; 6]>())
        .prop_map(|(kind, [a, b, c, d, e, f])| RouteDistinguisher([0, kind, a, b, c, d, e, f]))
}

pub fn encoded_routes(routes: &[Nlri], family: Family, add_path: bool, withdraw: bool) -> Bytes {
    let mut out = Vec::new();
    routes.iter().for_each(|route| route.encode(family, add_path, withdraw, &mut out));
    out.into()
}
