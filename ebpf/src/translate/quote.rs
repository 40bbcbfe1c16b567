//! ICMP errors, RFC 5508 section 4: the packet that one quotes is translated too, or its sender would not know it again.

use core::mem::offset_of;

use srv6_types::DropReason;

use super::{Difference, addresses, transport};
use crate::packet::{
    Family, Frame, Skb, Translation,
    headers::{Icmp, protocol},
};

/// The error goes to the sender of what it quotes; it may come from that packet's destination, or from anywhere on the way.
#[inline(always)]
pub(super) fn write(skb: Skb, translation: &Translation, offset: u32) -> Result<(), DropReason> {
    let frame = skb.frame();
    let leaves = &translation.leaves;
    let message = write_quote(frame, translation, offset + u32::from(translation.quoted))?;
    let mut outer = Difference::default();
    if translation.from_host != 0 {
        addresses::write(frame, offset, leaves, &mut outer)?;
    } else {
        addresses::write_destination(frame, offset, leaves, &mut outer)?;
    }

    let checksum = offset + u32::from(translation.transport) + offset_of!(Icmp, checksum) as u32;
    if leaves.family == Family::V6 && !outer.is_none() {
        skb.add_addresses_to_checksum(checksum, outer.sum(), Family::V6)?;
    }
    skb.add_payload_to_checksum(checksum, message.sum())
}

/// Translates the quoted packet at `at`, which went against the direction of the flow. Returns what changes in the message.
#[inline(always)]
fn write_quote(frame: Frame, translation: &Translation, at: u32) -> Result<Difference, DropReason> {
    let (came, leaves) = (&translation.came, &translation.leaves);
    let mut addresses = Difference::default();
    addresses::write(frame, at, &leaves.reversed(), &mut addresses)?;
    let at = at + u32::from(translation.quoted_transport);
    let mut ports = Difference::default();
    let change = [(came.ports[1], leaves.ports[1]), (came.ports[0], leaves.ports[0])];
    transport::write_ports(frame, at, translation.protocol, change, &mut ports)?;

    let mut message = ports;
    if leaves.family == Family::V6 {
        // IPv4's own checksum makes up for its addresses.
        message.add(&addresses);
    }
    let Some(checksum) = transport::checksum(translation.protocol) else { return Ok(message) };
    if checksum.covers_addresses {
        ports.add(&addresses);
    }
    let place = u32::from(translation.quoted) + u32::from(translation.quoted_transport) + checksum.offset;
    if place + size_of::<u16>() as u32 <= translation.octets {
        write_checksum(frame, at + checksum.offset, translation.protocol, &ports, &mut message)?;
    }
    Ok(message)
}

#[inline(always)]
fn write_checksum(
    frame: Frame,
    at: u32,
    upper: u8,
    covered: &Difference,
    message: &mut Difference,
) -> Result<(), DropReason> {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let checksum = unsafe { &mut *frame.at::<u16>(at as usize)? };
    let new = match covered.update(*checksum) {
        _ if upper == protocol::UDP && *checksum == 0 => 0,
        0 if upper == protocol::UDP => 0xffff,
        new => new,
    };
    message.write(checksum, new);
    Ok(())
}
