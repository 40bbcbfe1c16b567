//! Which ICMP error a drop deserves, RFC 792 and RFC 1812 sections 4.3.3 and 5.2.7.

use srv6_types::DropReason;

use super::Error;
use crate::packet::{
    Packet,
    headers::{Icmp, protocol},
};

const UNREACHABLE: u8 = 3;
const TIME_EXCEEDED: u8 = 11;

/// `None` when nothing may be said about this packet, RFC 1122 section 3.2.2.
#[inline(always)]
pub(super) fn of(packet: &Packet, reason: DropReason) -> Option<Error> {
    let (kind, code, rest) = match reason {
        DropReason::NoRouteInVrf | DropReason::NoUnderlayRoute => (UNREACHABLE, 0, 0),
        DropReason::NotListening if packet.inner.protocol == protocol::UDP => (UNREACHABLE, 3, 0),
        DropReason::NotListening => (UNREACHABLE, 2, 0),
        DropReason::NoSuchService | DropReason::NoBackend => (UNREACHABLE, 3, 0),
        // Also without DF, for we do not fragment: hosts take it as the path MTU and fragment themselves.
        DropReason::TooBig => (UNREACHABLE, 4, packet.mtu & 0xffff),
        DropReason::RouteUnreachable => (UNREACHABLE, 13, 0),
        DropReason::TtlExpired => (TIME_EXCEEDED, 0, 0),
        _ => return None,
    };
    let source = u32::from_be(packet.inner.source.0[0]) >> 24;
    let destination = u32::from_be(packet.inner.destination.0[0]) >> 24;
    let nobody = source == 0 || source == 127 || source >= 224 || destination >= 224;
    if nobody || packet.inner.later_fragment || is_error(packet) {
        return None;
    }
    Some(Error { kind, code, rest: rest.to_be() })
}

/// An ICMP error, or ICMP that cannot be told from one.
#[inline(always)]
fn is_error(packet: &Packet) -> bool {
    if packet.inner.protocol != protocol::ICMP {
        return false;
    }
    match packet.skb.frame().at::<Icmp>(packet.offset() + packet.inner.transport as usize) {
        // SAFETY: `at` has checked the bounds. Queries and answers: echo, timestamp, information, mask.
        Ok(icmp) => !matches!(unsafe { (*icmp).kind }, 0 | 8 | 13..=18),
        Err(_) => true,
    }
}
