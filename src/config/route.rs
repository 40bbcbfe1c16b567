use std::net::Ipv6Addr;

use srv6_types::maps::MAX_SEGMENTS;
use vrf_manager::intent::{StaticRoute, UnderlayRoute, Via};

use super::{
    kind::{ADDRESS, BOOL, INTERFACE, IPV6, prefix},
    list::list,
    reader::{At, Read},
};

/// A static route of a VRF.
pub(super) fn static_route(at: &At<'_>) -> Option<StaticRoute> {
    let route = at.fields(&["prefix", "via", "segments", "blackhole"])?;
    let prefix = route.required("prefix", "prefix: 10.0.0.0/8", prefix);
    let via = route.maybe("via", |at: &At<'_>| ADDRESS.read(at).map(Via::Address));
    let segments = route.maybe("segments", |at: &At<'_>| segments(at).map(Via::Segments));
    let blackhole = route.maybe("blackhole", blackhole);
    let ways = [via?, segments?, blackhole?];
    let mut ways = ways.into_iter().flatten();
    match (ways.next(), ways.next()) {
        (Some(via), None) => Some(StaticRoute { prefix: prefix?, via }),
        (None, _) => at.refuse("leads nowhere; write via: ADDRESS, segments: [SID, ...] or blackhole: true"),
        _ => at.refuse("leads to more than one place; write only one of via, segments and blackhole"),
    }
}

fn segments(at: &At<'_>) -> Option<Vec<Ipv6Addr>> {
    let segments = list(IPV6)(at)?;
    if (1..=MAX_SEGMENTS).contains(&segments.len()) {
        return Some(segments);
    }
    at.refuse(format_args!("has {} segments; write 1 to {MAX_SEGMENTS}", segments.len()))
}

fn blackhole(at: &At<'_>) -> Option<Via> {
    match BOOL.read(at)? {
        true => Some(Via::Blackhole),
        false => at.refuse("says nothing when false; write true, or leave the key out"),
    }
}

/// A static route of the underlay.
pub(super) fn underlay_route(at: &At<'_>) -> Option<UnderlayRoute> {
    let route = at.fields(&["prefix", "via", "interface"])?;
    let prefix = route.required("prefix", "prefix: \"2001:db8::/32\"", prefix);
    let via = route.required("via", "via: \"fe80::1\"", ADDRESS);
    let interface = route.maybe("interface", INTERFACE);
    Some(UnderlayRoute { prefix: prefix?, via: via?, interface: interface? })
}
