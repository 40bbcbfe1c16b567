//! What both programs share: a tenant's packet, parsed, in a VRF. Finds its next hop and sends it there.

use srv6_types::{
    DropReason,
    maps::{NextHopEntry, next_hop_kind},
};

use crate::{
    deliver, fib, guard,
    headend::encaps,
    maps::NEXT_HOPS,
    packet::{Family, Packet},
};

/// How often a packet may be leaked from VRF to VRF.
const LEAKS: u32 = 4;

/// What became of a packet that was not dropped.
pub(crate) enum Forward {
    /// It is on its way: the action to return.
    Sent(i32),
    /// It is for an address of this PE in the VRF.
    Local,
}

#[inline(always)]
pub(crate) fn forward(packet: &mut Packet) -> Result<Forward, DropReason> {
    let next_hop = resolve(packet)?;
    if next_hop.kind == next_hop_kind::LOCAL {
        return Ok(Forward::Local);
    }
    // RFC 4291 section 2.5.6: such a source may speak to us, but not through us.
    if packet.inner.family == Family::V6 && guard::is_link_local(&packet.inner.source) {
        return Err(DropReason::BadSource);
    }
    if next_hop.kind == next_hop_kind::UNREACHABLE {
        return Err(DropReason::RouteUnreachable);
    }
    if packet.inner.ttl <= 1 && !packet.own {
        return Err(DropReason::TtlExpired);
    }
    match next_hop.kind {
        next_hop_kind::ENCAPS_RED | next_hop_kind::ENCAPS => encaps::encapsulate(packet, next_hop).unpack(),
        next_hop_kind::GATEWAY | next_hop_kind::CONNECTED => deliver::deliver(packet, next_hop).unpack(),
        _ => Err(DropReason::NoSuchNextHop),
    }
    .map(Forward::Sent)
}

/// Follows leaks until a next hop that is none.
#[inline(always)]
fn resolve(packet: &mut Packet) -> Result<&'static NextHopEntry, DropReason> {
    for _ in 0..=LEAKS {
        let index = fib::lookup(packet.vrf, packet.inner.family, &packet.inner.destination)
            .ok_or(DropReason::NoRouteInVrf)?;
        let next_hop = NEXT_HOPS.get(index).ok_or(DropReason::NoSuchNextHop)?;
        match next_hop.kind {
            next_hop_kind::VRF => packet.vrf = next_hop.vrf,
            next_hop_kind::BLACKHOLE => return Err(DropReason::Blackhole),
            _ => return Ok(next_hop),
        }
    }
    Err(DropReason::LeakLoop)
}
