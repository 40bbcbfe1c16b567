use aya_ebpf::bindings::__sk_buff;
use srv6_types::DropReason;

use super::{
    Address, Family, Frame, Packet, Skb,
    frame::bounded,
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
#[inline(always)]
pub(crate) fn read(packet: &Packet) -> Result<(), DropReason> {
    let inner = &packet.inner;
    let (offset, family) = (packet.offset() as u32, inner.family as u32);
    match read_upper(packet.skb.raw(), packet.vrf, offset, family, inner.length) {
        0 => Err(DropReason::Malformed),
        _ => Ok(()),
    }
}

/// Exported: see [`crate::outcome`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn read_upper(skb: *mut __sk_buff, vrf: u32, offset: u32, family: u32, octets: u32) -> u64 {
    let family = if family == Family::V4 as u32 { Family::V4 } else { Family::V6 };
    let frame = Skb::from_raw(skb).frame();
    let unread = Unread { frame, vrf, offset: bounded(offset) as usize, family, octets };
    unread.read().is_some().into()
}

/// A packet of which no more than its family and length are known.
struct Unread {
    frame: Frame,
    vrf: u32,
    offset: usize,
    family: Family,
    octets: u32,
}

impl Unread {
    #[inline(always)]
    fn read(&self) -> Option<()> {
        let translation = Translation::of_this_packet()?;
        translation.came = tuple(self.frame, self.offset, [0, 0], self.family)?;
        translation.octets = self.octets;
        (translation.transport, translation.protocol) = (0, 0);
        (translation.quoted, translation.quoted_transport, translation.from_host) = (0, 0, 0);
        (translation.later_fragment, translation.has_ports) = (0, 0);
        (translation.portless, translation.tcp_flags) = (0, 0);
        if let Some(transport) = Transport::find(self.frame, self.offset, self.family) {
            self.read_part(translation, transport);
        }
        translation.leaves = translation.came;
        Some(())
    }

    #[inline(always)]
    fn read_part(&self, translation: &mut Translation, transport: Transport) {
        (translation.transport, translation.protocol) = (transport.offset, transport.protocol);
        if let Part::Later(identification) = transport.part {
            translation.later_fragment = 1;
            flow::recall_ports(translation, self.vrf, identification);
            return;
        }
        let known = self.read_ports(translation, transport);
        translation.has_ports = known.is_some().into();
        if let Part::First(identification) = transport.part
            && known.is_some()
            && translation.quoted == 0
        {
            flow::remember_ports(translation, self.vrf, identification);
        }
    }

    /// `None` when the header is not all there.
    #[inline(always)]
    fn read_ports(&self, translation: &mut Translation, transport: Transport) -> Option<()> {
        let left = self.octets.saturating_sub(transport.offset.into());
        let at = self.offset + transport.offset as usize;
        match (transport.protocol, self.family) {
            (protocol::TCP, _) if left >= size_of::<Tcp>() as u32 => {
                // SAFETY: `at` has checked the bounds; the pointer is not kept. So below.
                translation.tcp_flags = unsafe { (*self.frame.at::<Tcp>(at).ok()?).flags };
                translation.came.ports = ports(self.frame, at)?;
            }
            (protocol::UDP, _) if left >= UDP as u32 => translation.came.ports = ports(self.frame, at)?,
            (protocol::SCTP, _) if left >= SCTP => translation.came.ports = ports(self.frame, at)?,
            (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) if left >= ICMP.into() => {
                self.read_icmp(translation, transport, at)?;
            }
            (protocol::TCP | protocol::UDP | protocol::SCTP, _)
            | (protocol::ICMP, Family::V4)
            | (protocol::ICMPV6, Family::V6) => return None,
            _ => translation.portless = 1,
        }
        Some(())
    }

    #[inline(always)]
    fn read_icmp(&self, translation: &mut Translation, transport: Transport, at: usize) -> Option<()> {
        let icmp = unsafe { &*self.frame.at::<Icmp>(at).ok()? };
        if is_query(icmp.kind, self.family) {
            translation.came.ports = identifier(icmp);
        } else if !is_error(icmp.kind, self.family) || self.read_quote(translation, transport).is_none() {
            translation.portless = 1;
        }
        Some(())
    }

    /// The flow of an ICMP error, `None` where it is nobody's: what is quoted must have come from where the error goes.
    #[inline(always)]
    fn read_quote(&self, translation: &mut Translation, icmp: Transport) -> Option<()> {
        let quoted = icmp.offset.checked_add(ICMP)?;
        let at = self.offset + quoted as usize;
        let transport = Transport::find(self.frame, at, self.family)?;
        let octets = u32::from(quoted) + u32::from(transport.offset) + QUOTED;
        if matches!(transport.part, Part::Later(_)) || octets > self.octets {
            return None;
        }
        let upper = at + transport.offset as usize;
        let ports = quoted_ports(self.frame, upper, transport.protocol, self.family)?;
        let quote = tuple(self.frame, at, ports, self.family)?;
        if quote.source != translation.came.destination {
            return None;
        }
        translation.from_host = (quote.destination == translation.came.source).into();
        translation.came = quote.reversed();
        translation.protocol = transport.protocol;
        (translation.quoted, translation.quoted_transport) = (quoted, transport.offset);
        Some(())
    }
}

#[inline(always)]
fn ports(frame: Frame, at: usize) -> Option<[u16; 2]> {
    Some(unsafe { *frame.at::<[u16; 2]>(at).ok()? })
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

/// The addresses of the packet at `at`, with ports that are known already.
#[inline(always)]
pub(crate) fn tuple(frame: Frame, at: usize, ports: [u16; 2], family: Family) -> Option<Tuple> {
    let (source, destination) = match family {
        Family::V4 => {
            let header = unsafe { &*frame.at::<Ipv4>(at).ok()? };
            (Address::v4(header.source), Address::v4(header.destination))
        }
        Family::V6 => {
            let header = unsafe { &*frame.at::<Ipv6>(at).ok()? };
            (header.source, header.destination)
        }
    };
    Some(Tuple { source, destination, ports, family })
}
