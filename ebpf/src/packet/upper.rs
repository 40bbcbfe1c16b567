use srv6_types::DropReason;

use super::{
    Family, Frame, Packet,
    headers::{Icmp, Ipv4, Ipv6, Tcp, UDP, protocol},
    transport::{Part, Transport},
    tuple::{Translation, Tuple},
};
use crate::flow;

/// Octets of the SCTP common header, RFC 9260 section 3.1.
const SCTP: u32 = 12;
/// Octets of a transport header that every ICMP error quotes, RFC 792: the ports are among them.
const QUOTED: u32 = 8;
const ICMP: u8 = size_of::<Icmp>() as u8;

/// Reads what stands behind the IP header into this CPU's [`Translation`], which then leaves the packet as it came. What
/// cannot be read harms only who needs it: see [`Translation::need_ports`].
#[inline(never)]
pub(crate) fn read(packet: &Packet) -> Result<(), DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let inner = &packet.inner;
    translation.came =
        Tuple { source: inner.source, destination: inner.destination, ports: [0, 0], family: inner.family };
    (translation.transport, translation.protocol) = (0, inner.protocol);
    (translation.quoted, translation.quoted_transport, translation.tcp_flags) = (0, 0, 0);
    (translation.later_fragment, translation.has_ports, translation.portless) = (0, 0, 0);
    if let Some(transport) = Transport::find(packet.skb.frame(), packet.offset(), inner.family) {
        read_part(translation, packet, transport);
    }
    translation.leaves = translation.came;
    Ok(())
}

#[inline(always)]
fn read_part(translation: &mut Translation, packet: &Packet, transport: Transport) {
    (translation.transport, translation.protocol) = (transport.offset, transport.protocol);
    if let Part::Later(identification) = transport.part {
        translation.later_fragment = 1;
        flow::recall_ports(translation, packet.vrf, identification);
        return;
    }
    let known = read_ports(translation, packet);
    translation.has_ports = known.is_some().into();
    if let Part::First(identification) = transport.part
        && known.is_some()
        && translation.quoted == 0
    {
        flow::remember_ports(translation, packet.vrf, identification);
    }
}

/// `None` when the header is not all there.
#[inline(always)]
fn read_ports(translation: &mut Translation, packet: &Packet) -> Option<()> {
    let frame = packet.skb.frame();
    let left = packet.inner.length.saturating_sub(translation.transport.into());
    let at = packet.offset() + translation.transport as usize;
    match (translation.protocol, translation.came.family) {
        (protocol::TCP, _) if left >= size_of::<Tcp>() as u32 => {
            // SAFETY: `at` has checked the bounds; the pointer is not kept. So below.
            translation.tcp_flags = unsafe { (*frame.at::<Tcp>(at).ok()?).flags };
            translation.came.ports = ports(frame, at)?;
        }
        (protocol::UDP, _) if left >= UDP as u32 => translation.came.ports = ports(frame, at)?,
        (protocol::SCTP, _) if left >= SCTP => translation.came.ports = ports(frame, at)?,
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) if left >= ICMP.into() => {
            read_icmp(translation, packet, frame, at)?;
        }
        (protocol::TCP | protocol::UDP | protocol::SCTP, _)
        | (protocol::ICMP, Family::V4)
        | (protocol::ICMPV6, Family::V6) => return None,
        _ => translation.portless = 1,
    }
    Some(())
}

#[inline(always)]
fn ports(frame: Frame, at: usize) -> Option<[u16; 2]> {
    Some(unsafe { *frame.at::<[u16; 2]>(at).ok()? })
}

#[inline(always)]
fn read_icmp(translation: &mut Translation, packet: &Packet, frame: Frame, at: usize) -> Option<()> {
    let icmp = unsafe { &*frame.at::<Icmp>(at).ok()? };
    if is_query(icmp.kind, translation.came.family) {
        translation.came.ports = identifier(icmp);
    } else if !is_error(icmp.kind, translation.came.family) || read_quote(translation, packet).is_none() {
        translation.portless = 1;
    }
    Some(())
}

/// Echo and its answer; of IPv4 timestamp, information and mask as well: an identifier stands behind the checksum.
#[inline(always)]
const fn is_query(kind: u8, family: Family) -> bool {
    match family {
        Family::V4 => matches!(kind, 0 | 8 | 13..=18),
        Family::V6 => matches!(kind, 128 | 129),
    }
}

/// What quotes a packet.
#[inline(always)]
const fn is_error(kind: u8, family: Family) -> bool {
    match family {
        Family::V4 => matches!(kind, 3 | 4 | 5 | 11 | 12),
        Family::V6 => kind < 128,
    }
}

#[inline(always)]
const fn identifier(icmp: &Icmp) -> [u16; 2] {
    let [a, b, _, _] = icmp.rest.to_ne_bytes();
    let identifier = u16::from_ne_bytes([a, b]);
    [identifier, identifier]
}

/// The flow of an ICMP error, `None` where it is nobody's: what is quoted must have come from where the error goes.
#[inline(always)]
fn read_quote(translation: &mut Translation, packet: &Packet) -> Option<()> {
    let (frame, family) = (packet.skb.frame(), packet.inner.family);
    let quoted = translation.transport.checked_add(ICMP)?;
    let at = packet.offset() + quoted as usize;
    let transport = Transport::find(frame, at, family)?;
    let octets = u32::from(quoted) + u32::from(transport.offset) + QUOTED;
    if matches!(transport.part, Part::Later(_)) || octets > packet.inner.length {
        return None;
    }
    let ports = quoted_ports(frame, at + transport.offset as usize, transport.protocol, family)?;
    let quote = quoted_tuple(frame, at, ports, family)?;
    if quote.source != packet.inner.destination {
        return None;
    }
    translation.came = quote.reversed();
    translation.protocol = transport.protocol;
    (translation.quoted, translation.quoted_transport) = (quoted, transport.offset);
    Some(())
}

#[inline(always)]
fn quoted_ports(frame: Frame, at: usize, upper: u8, family: Family) -> Option<[u16; 2]> {
    match (upper, family) {
        (protocol::TCP | protocol::UDP | protocol::SCTP, _) => ports(frame, at),
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => {
            let icmp = unsafe { &*frame.at::<Icmp>(at).ok()? };
            is_query(icmp.kind, family).then_some(identifier(icmp))
        }
        _ => None,
    }
}

#[inline(always)]
fn quoted_tuple(frame: Frame, at: usize, ports: [u16; 2], family: Family) -> Option<Tuple> {
    let (source, destination) = match family {
        Family::V4 => {
            let header = unsafe { &*frame.at::<Ipv4>(at).ok()? };
            (super::Address::v4(header.source), super::Address::v4(header.destination))
        }
        Family::V6 => {
            let header = unsafe { &*frame.at::<Ipv6>(at).ok()? };
            (header.source, header.destination)
        }
    };
    Some(Tuple { source, destination, ports, family })
}
