//! H.Encaps and H.Encaps.Red, RFC 8986 sections 5.1 and 5.2.

use srv6_types::{
    DropReason,
    maps::{MAX_SEGMENTS, NextHopEntry, NodeConfig, next_hop_kind, vrf_counter},
};

use crate::{
    counters,
    maps::NODE,
    outcome::{Outcome, Packed},
    packet::{
        Address, Family, Frame, Packet,
        headers::{ETHERNET, Ethernet, IPV6, Ipv6, SegmentRouting, ethertype, protocol},
    },
    underlay,
};

const HOP_LIMIT: u8 = 64;
const SEGMENT: usize = size_of::<Address>();

/// The outer headers to be. Addresses stay in their maps until they are written: the stack is short.
struct Outer<'a> {
    node: &'a NodeConfig,
    next_hop: &'a NextHopEntry,
    version_class_flow: u32,
    payload_length: u16,
    upper: u8,
    /// Segments in the SRH; without any there is no SRH (RFC 8986 section 5.2).
    listed: usize,
    segment_count: usize,
}

impl<'a> Outer<'a> {
    #[inline(always)]
    fn new(
        packet: &mut Packet,
        next_hop: &'a NextHopEntry,
        node: &'a NodeConfig,
    ) -> Result<Self, DropReason> {
        let segment_count = next_hop.segment_count as usize;
        if segment_count == 0 || segment_count > MAX_SEGMENTS {
            return Err(DropReason::NoSuchNextHop);
        }
        let reduced = next_hop.kind == next_hop_kind::ENCAPS_RED;
        let listed = if reduced { segment_count - 1 } else { segment_count };
        let routing_header = routing_header_length(listed) as u32;
        let Ok(payload_length) = u16::try_from(packet.inner.length + routing_header) else {
            return Err(packet.too_big_for(u32::from(u16::MAX) - routing_header));
        };
        Ok(Self {
            node,
            next_hop,
            // DSCP as in the uniform model of RFC 2983, ECN as in the normal mode of RFC 6040.
            version_class_flow: Ipv6::version_class_flow(packet.inner.class, packet.inner.entropy()),
            payload_length,
            upper: if packet.inner.family == Family::V4 { protocol::IPV4 } else { protocol::IPV6 },
            listed,
            segment_count,
        })
    }

    #[inline(always)]
    fn source(&self) -> Address {
        Address::from_octets(&self.node.source)
    }

    #[inline(always)]
    fn destination(&self) -> Address {
        Address::from_octets(&self.next_hop.segments[0])
    }

    #[inline(always)]
    fn room(&self) -> u32 {
        (IPV6 + routing_header_length(self.listed)) as u32
    }

    #[inline(always)]
    fn write(&self, frame: Frame) -> Result<(), DropReason> {
        let next_header = if self.listed == 0 { self.upper } else { protocol::ROUTING };
        // SAFETY: `at` has checked the bounds; so in the other writes.
        unsafe {
            (*frame.at::<Ethernet>(0)?).ethertype = ethertype::IPV6;
            *frame.at::<Ipv6>(ETHERNET)? = Ipv6 {
                version_class_flow: self.version_class_flow,
                payload_length: self.payload_length.to_be(),
                next_header,
                hop_limit: if self.node.hop_limit == 0 { HOP_LIMIT } else { self.node.hop_limit as u8 },
                source: self.source(),
                destination: self.destination(),
            };
        }
        if self.listed == 0 { Ok(()) } else { self.write_routing_header(frame) }
    }

    /// RFC 8754 section 2: the segments stand in reverse order.
    #[inline(always)]
    fn write_routing_header(&self, frame: Frame) -> Result<(), DropReason> {
        const AT: usize = ETHERNET + IPV6;
        let header = SegmentRouting {
            next_header: self.upper,
            length: (self.listed * SEGMENT / 8) as u8,
            kind: SegmentRouting::KIND,
            segments_left: (self.segment_count - 1) as u8,
            last_entry: (self.listed - 1) as u8,
            flags: 0,
            tag: 0,
        };
        unsafe { *frame.at::<SegmentRouting>(AT)? = header };
        for entry in 0..MAX_SEGMENTS {
            if entry >= self.listed {
                break;
            }
            let segment = &self.next_hop.segments[(self.segment_count - 1 - entry) % MAX_SEGMENTS];
            let at = AT + size_of::<SegmentRouting>() + entry * SEGMENT;
            unsafe { *frame.at::<Address>(at)? = Address::from_octets(segment) };
        }
        Ok(())
    }
}

#[inline(always)]
const fn routing_header_length(segments: usize) -> usize {
    if segments == 0 { 0 } else { size_of::<SegmentRouting>() + segments * SEGMENT }
}

/// Pushes the outer headers and sends the packet into the underlay.
#[inline(never)]
pub(crate) fn encapsulate(packet: &mut Packet, next_hop: &NextHopEntry) -> Packed {
    Packed::pack(push(packet, next_hop))
}

#[inline(always)]
fn push(packet: &mut Packet, next_hop: &NextHopEntry) -> Outcome {
    let node = NODE.get(0).ok_or(DropReason::NoUnderlayRoute)?;
    let outer = Outer::new(packet, next_hop, node)?;
    let room = outer.room();
    let flow_label = outer.version_class_flow & Ipv6::FLOW_LABEL.to_be();
    let route = underlay::route(packet, outer.source(), outer.destination(), flow_label, room)?;
    if packet.room == 0 {
        packet.skb.encapsulate(room, packet.inner.family)?;
    } else if packet.room != room {
        packet.skb.adjust(room as i32 - packet.room as i32)?;
    }
    let frame = packet.skb.frame();
    outer.write(frame)?;
    packet.room = room;
    packet.rewrite(frame, ETHERNET + room as usize)?;
    counters::count(packet.vrf, vrf_counter::ENCAPSULATED, packet.inner.length);
    Ok(route.send())
}
