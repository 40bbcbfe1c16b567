use core::mem::offset_of;

use srv6_types::DropReason;

use super::Difference;
use crate::packet::{
    Frame,
    headers::{Icmp, Tcp, protocol},
};

/// Where a protocol has its checksum.
pub(super) struct Checksum {
    /// Octets from the transport header.
    pub(super) offset: u32,
    /// It covers the addresses, by a pseudo-header.
    pub(super) covers_addresses: bool,
}

/// `None` where there is none, or one that an address does not change: SCTP's, RFC 9260 section 6.8.
#[inline(always)]
pub(super) const fn checksum(upper: u8) -> Option<Checksum> {
    let (offset, covers_addresses) = match upper {
        protocol::TCP => (offset_of!(Tcp, checksum), true),
        protocol::UDP => (6, true),
        protocol::ICMP => (offset_of!(Icmp, checksum), false),
        protocol::ICMPV6 => (offset_of!(Icmp, checksum), true),
        _ => return None,
    };
    Some(Checksum { offset: offset as u32, covers_addresses })
}

/// Writes both ports, each given as it was and as it is to be, or the identifier, into the transport header at `at`.
#[inline(always)]
pub(super) fn write_ports(
    frame: Frame,
    at: u32,
    upper: u8,
    [source, destination]: [(u16, u16); 2],
    difference: &mut Difference,
) -> Result<(), DropReason> {
    if source.0 == source.1 && destination.0 == destination.1 {
        return Ok(());
    }
    // SAFETY: `at` has checked the bounds; the only reference to these octets. So below.
    match upper {
        protocol::TCP | protocol::UDP => {
            let ports = unsafe { &mut *frame.at::<[u16; 2]>(at as usize)? };
            difference.write(&mut ports[0], source.1);
            difference.write(&mut ports[1], destination.1);
            Ok(())
        }
        protocol::ICMP | protocol::ICMPV6 => {
            let identifier = at as usize + offset_of!(Icmp, rest);
            let changed = if source.0 == source.1 { destination.1 } else { source.1 };
            difference.write(unsafe { &mut *frame.at::<u16>(identifier)? }, changed);
            Ok(())
        }
        // The checksum of SCTP covers every octet.
        _ => Err(DropReason::Untranslatable),
    }
}
