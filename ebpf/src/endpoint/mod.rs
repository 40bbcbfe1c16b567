//! What a SID of ours does, RFC 8986 section 4.
//!
//! The outer headers are only parsed here. They stay in front of the inner packet until it is known where that goes: to a
//! circuit they are stripped, back into the core they are overwritten in place.

mod dt4;
mod dt46;
mod dt6;

use srv6_types::{Behavior, DropReason, maps::SidEntry};

use crate::packet::{
    Family, Frame, Inner, Packet, Skb, ecn,
    headers::{ETHERNET, IPV6, Ipv6, SegmentRouting, protocol},
};

/// Octets of outer headers that we go along with.
const MAX_ROOM: u32 = 1024;

/// Checks the outer headers against the SID's behaviour and parses the inner packet.
#[inline(always)]
pub(crate) fn decapsulate(skb: Skb, sid: &SidEntry) -> Result<Packet, DropReason> {
    let frame = skb.frame();
    // SAFETY: `at` has checked the bounds.
    let outer = unsafe { *frame.at::<Ipv6>(ETHERNET)? };
    let (upper, room) = match outer.next_header {
        protocol::ROUTING => routing_header(frame)?,
        upper => (upper, IPV6 as u32),
    };
    if room > MAX_ROOM {
        return Err(DropReason::BadSegmentRoutingHeader);
    }
    let family = upper_layer(sid, upper)?;
    let available = skb.len().checked_sub(ETHERNET as u32 + room).ok_or(DropReason::Malformed)?;
    skb.pull_headers(room);
    let mut inner = Inner::parse(skb.frame(), ETHERNET + room as usize, family, available)?;
    let outer_class = (u32::from_be(outer.version_class_flow) >> 20) as u8;
    inner.class = ecn::decapsulated(inner.class, outer_class)?;
    Ok(Packet { skb, inner, vrf: sid.vrf, room, own: false, translated: false, mtu: 0 })
}

/// RFC 8986 section 4.8: all of these end the path. Returns the upper layer and the octets in front of it.
#[inline(always)]
fn routing_header(frame: Frame) -> Result<(u8, u32), DropReason> {
    // SAFETY: `at` has checked the bounds.
    let header = unsafe { &*frame.at::<SegmentRouting>(ETHERNET + IPV6)? };
    let length = (u32::from(header.length) + 1) * 8;
    let listed = (u32::from(header.last_entry) + 1) * size_of::<[u8; 16]>() as u32;
    let fits = listed + size_of::<SegmentRouting>() as u32 <= length;
    if header.kind != SegmentRouting::KIND || header.segments_left != 0 || !fits {
        return Err(DropReason::BadSegmentRoutingHeader);
    }
    Ok((header.next_header, IPV6 as u32 + length))
}

/// RFC 8986 sections 4.6 to 4.8. The NEXT-C-SID flavours (RFC 9800) end the same way: the SID table matches all 128
/// bits, so nothing is left in the argument.
#[inline(always)]
fn upper_layer(sid: &SidEntry, upper: u8) -> Result<Family, DropReason> {
    match Behavior(sid.behavior as u16) {
        Behavior::END_DT4 | Behavior::END_DT4_NEXT => dt4::upper_layer(upper),
        Behavior::END_DT6 | Behavior::END_DT6_NEXT => dt6::upper_layer(upper),
        Behavior::END_DT46 | Behavior::END_DT46_NEXT => dt46::upper_layer(upper),
        _ => None,
    }
    .ok_or(DropReason::UpperLayerUnexpected)
}
