//! Which ICMPv6 error a drop deserves, RFC 4443 section 3.

use srv6_types::DropReason;

use super::Error;
use crate::packet::{
    Packet,
    headers::{Fragment, IPV6, protocol},
};

const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const REDIRECT: u8 = 137;
/// Extension headers that are looked behind.
const EXTENSIONS: usize = 3;

/// `None` when nothing may be said about this packet, RFC 4443 section 2.4 (e).
#[inline(always)]
pub(super) fn of(packet: &Packet, reason: DropReason) -> Option<Error> {
    let (kind, code, rest) = match reason {
        DropReason::NoRouteInVrf | DropReason::NoUnderlayRoute => (UNREACHABLE, 0, 0),
        DropReason::RouteUnreachable => (UNREACHABLE, 1, 0),
        DropReason::NotListening | DropReason::NoSuchService | DropReason::NoBackend => (UNREACHABLE, 4, 0),
        DropReason::TooBig => (TOO_BIG, 0, packet.mtu),
        DropReason::TtlExpired => (TIME_EXCEEDED, 0, 0),
        _ => return None,
    };
    let source = &packet.inner.source;
    let is_multicast = |word: u32| u32::from_be(word) >> 24 == 0xff;
    let nobody =
        source.is_unspecified() || is_multicast(source.0[0]) || is_multicast(packet.inner.destination.0[0]);
    if nobody || is_error(packet) {
        return None;
    }
    Some(Error { kind, code, rest: rest.to_be() })
}

/// An ICMPv6 error or redirect, a later fragment, or something that cannot be told from them.
#[inline(always)]
fn is_error(packet: &Packet) -> bool {
    let mut upper = packet.inner.protocol;
    let mut offset = IPV6;
    for _ in 0..=EXTENSIONS {
        let Ok(header) = packet.skb.frame().at::<Fragment>(packet.offset() + offset) else {
            return upper == protocol::ICMPV6;
        };
        // SAFETY: `at` has checked the bounds. All of these headers start with the next header and a length.
        let header = unsafe { &*header };
        offset += match upper {
            protocol::ICMPV6 => return is_error_kind(header.next_header),
            protocol::FRAGMENT if header.offset & Fragment::OFFSET != 0 => return true,
            protocol::FRAGMENT => size_of::<Fragment>(),
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS => {
                (usize::from(header.reserved) + 1) * 8
            }
            _ => return false,
        };
        upper = header.next_header;
    }
    true
}

/// RFC 4443 section 2.1: errors have the high bit clear.
#[inline(always)]
const fn is_error_kind(kind: u8) -> bool {
    kind < 128 || kind == REDIRECT
}
