//! Writes a packet's [`Translation`] into it: addresses, ports and checksums.

mod addresses;
mod difference;
mod quote;
mod transport;

use srv6_types::DropReason;

use crate::packet::{Packet, Translation};
use difference::Difference;

/// Farther in than any packet lies in its frame. The verifier has lost sight of the bound.
const FARTHEST: u32 = 0xfff;

/// Makes of the packet what it is to leave as. The frame is stale then.
#[inline(never)]
pub(crate) fn write(packet: &Packet) -> Result<(), DropReason> {
    let offset = packet.offset() as u32 & FARTHEST;
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    if translation.is_void() {
        Ok(())
    } else if translation.quoted != 0 {
        quote::write(packet, translation, offset)
    } else {
        write_packet(packet, translation, offset)
    }
}

#[inline(always)]
fn write_packet(packet: &Packet, translation: &Translation, offset: u32) -> Result<(), DropReason> {
    let frame = packet.skb.frame();
    let (leaves, at) = (&translation.leaves, offset + u32::from(translation.transport));
    let mut addresses = Difference::default();
    addresses::write(frame, offset, leaves, &mut addresses)?;
    if translation.later_fragment != 0 {
        return Ok(());
    }
    let mut ports = Difference::default();
    let change = [(translation.came.ports[0], leaves.ports[0]), (translation.came.ports[1], leaves.ports[1])];
    transport::write_ports(frame, at, translation.protocol, change, &mut ports)?;
    let Some(checksum) = transport::checksum(translation.protocol) else { return Ok(()) };
    let place = at + checksum.offset;
    if checksum.covers_addresses && !addresses.is_none() {
        packet.skb.add_addresses_to_checksum(place, addresses.sum(), leaves.family)?;
    }
    if !ports.is_none() {
        packet.skb.add_payload_to_checksum(place, ports.sum())?;
    }
    Ok(())
}
