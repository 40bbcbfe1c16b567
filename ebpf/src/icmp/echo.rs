//! Echo requests to an address of this PE, RFC 792 and RFC 4443 section 4. Nothing else listens there.

use srv6_types::DropReason;

use crate::packet::{
    Family, Packet, checksum,
    headers::{Fragment, IPV6, Icmp, Ipv4, Ipv6, protocol},
};

const TTL: u8 = 64;

/// Turns an echo request into its reply, in place. Fragments are mirrored one by one: the first holds the ICMP
/// header with the checksum over all, and the others need only their addresses swapped.
#[inline(never)]
pub(crate) fn reply(packet: &mut Packet) -> Result<(), DropReason> {
    let transport = match packet.inner.family {
        Family::V4 => transport4(packet)?,
        Family::V6 => transport6(packet)?,
    };
    if let Some(offset) = transport {
        turn(packet, offset)?;
    }
    swap_addresses(packet)?;
    (packet.own, packet.translated) = (true, false);
    Ok(())
}

/// Octets from the IP header to the ICMP header; `None` in a later fragment.
#[inline(always)]
fn transport4(packet: &Packet) -> Result<Option<usize>, DropReason> {
    match packet.inner.protocol {
        protocol::ICMP if packet.inner.later_fragment => Ok(None),
        protocol::ICMP => Ok(Some(packet.inner.transport as usize)),
        _ => Err(DropReason::NotListening),
    }
}

#[inline(always)]
fn transport6(packet: &Packet) -> Result<Option<usize>, DropReason> {
    match packet.inner.protocol {
        protocol::ICMPV6 => Ok(Some(IPV6)),
        protocol::FRAGMENT => {
            // SAFETY: `at` has checked the bounds.
            let fragment = unsafe { &*packet.skb.frame().at::<Fragment>(packet.offset() + IPV6)? };
            match (fragment.next_header, fragment.offset & Fragment::OFFSET) {
                (protocol::ICMPV6, 0) => Ok(Some(IPV6 + size_of::<Fragment>())),
                (protocol::ICMPV6, _) => Ok(None),
                _ => Err(DropReason::NotListening),
            }
        }
        _ => Err(DropReason::NotListening),
    }
}

#[inline(always)]
fn turn(packet: &Packet, offset: usize) -> Result<(), DropReason> {
    let (request, answer) = match packet.inner.family {
        Family::V4 => (8, 0),
        Family::V6 => (128, 129),
    };
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let icmp = unsafe { &mut *packet.skb.frame().at::<Icmp>(packet.offset() + offset)? };
    if icmp.kind != request || icmp.code != 0 {
        return Err(DropReason::NotListening);
    }
    let (old, new) = (u16::from_ne_bytes([request, 0]), u16::from_ne_bytes([answer, 0]));
    icmp.kind = answer;
    icmp.checksum = checksum::update(icmp.checksum, old, new);
    Ok(())
}

/// Checksums do not see the order of the addresses.
#[inline(always)]
fn swap_addresses(packet: &mut Packet) -> Result<(), DropReason> {
    let frame = packet.skb.frame();
    let inner = &mut packet.inner;
    core::mem::swap(&mut inner.source, &mut inner.destination);
    let offset = packet.room as usize + crate::packet::headers::ETHERNET;
    match inner.family {
        Family::V4 => {
            // SAFETY: as above.
            let header = unsafe { &mut *frame.at::<Ipv4>(offset)? };
            header.source = inner.source.0[0];
            header.destination = inner.destination.0[0];
            let old = u16::from_ne_bytes([header.ttl, header.protocol]);
            let new = u16::from_ne_bytes([TTL, header.protocol]);
            header.checksum = checksum::update(header.checksum, old, new);
            header.ttl = TTL;
        }
        Family::V6 => {
            // SAFETY: as above.
            let header = unsafe { &mut *frame.at::<Ipv6>(offset)? };
            header.source = inner.source;
            header.destination = inner.destination;
            header.hop_limit = TTL;
        }
    }
    inner.ttl = TTL;
    Ok(())
}
