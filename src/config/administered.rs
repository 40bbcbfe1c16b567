//! Route targets and route distinguishers: `administrator:number`, six octets for both (RFC 4360, RFC 4364).

use std::net::Ipv4Addr;

use bgp_wire::{attribute::RouteTarget, nlri::RouteDistinguisher};

use super::{
    kind::{Kind, word},
    reader::{At, Read},
};

pub(super) fn route_target(at: &At<'_>) -> Option<RouteTarget> {
    const KIND: Kind<RouteTarget> =
        word("a route target", "AS:number (65000:70000) or IPv4:number (10.0.0.1:7)", |text| {
            text.parse().ok()
        });
    read(&KIND, at)
}

/// `None` inside: one is made from the router id.
pub(super) fn route_distinguisher(at: &At<'_>) -> Option<Option<RouteDistinguisher>> {
    const KIND: Kind<Option<RouteDistinguisher>> =
        word("a route distinguisher", "AS:number (65000:101), IPv4:number (10.0.0.1:7) or auto", |text| {
            if text == "auto" { Some(None) } else { text.parse().ok().map(Some) }
        });
    read(&KIND, at)
}

fn read<T>(kind: &Kind<T>, at: &At<'_>) -> Option<T> {
    match at.scalar().and_then(|text| text.split_once(':')) {
        Some((administrator, number)) if is_wide(administrator) && is_above_16_bits(number) => {
            at.refuse(format_args!(
                "\"{administrator}:{number}\" is too long, {administrator} leaves 16 bits to the number; \
                 write {administrator}:0 to {administrator}:65535"
            ))
        }
        _ => kind.read(at),
    }
}

/// Whether it takes four of the six octets.
fn is_wide(administrator: &str) -> bool {
    administrator.parse::<Ipv4Addr>().is_ok()
        || administrator.parse().is_ok_and(|asn: u32| asn > u16::MAX.into())
}

fn is_above_16_bits(number: &str) -> bool {
    number.parse().is_ok_and(|number: u64| number > u16::MAX.into())
}
