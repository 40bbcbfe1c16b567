//! Writes a packet's [`Translation`] into it: addresses, ports and checksums.

mod addresses;
mod difference;
mod quote;
mod transport;

use aya_ebpf::bindings::__sk_buff;
use srv6_types::DropReason;

use crate::{
    outcome::Packed,
    packet::{Packet, Skb, Translation},
};
use difference::Difference;

/// Farther in than any packet lies in its frame. The verifier has lost sight of the bound.
const FARTHEST: u32 = 0xfff;

/// Makes of the packet what it is to leave as. The frame is stale then.
#[inline(always)]
pub(crate) fn write(packet: &Packet) -> Result<(), DropReason> {
    let written = write_translation(packet.skb.raw(), packet.offset() as u32);
    Packed::from_raw(written).unpack().map(|_| ())
}

/// Exported, for the verifier then looks at it once, and not again for each state that a caller may be in.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn write_translation(skb: *mut __sk_buff, offset: u32) -> u64 {
    Packed::pack(write_at(Skb::from_raw(skb), offset & FARTHEST).map(|()| 0)).raw()
}

#[inline(always)]
fn write_at(skb: Skb, offset: u32) -> Result<(), DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    if translation.is_void() {
        Ok(())
    } else if translation.quoted != 0 {
        quote::write(skb, translation, offset)
    } else {
        write_packet(skb, translation, offset)
    }
}

#[inline(always)]
fn write_packet(skb: Skb, translation: &Translation, offset: u32) -> Result<(), DropReason> {
    let frame = skb.frame();
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
        skb.add_addresses_to_checksum(place, addresses.sum(), leaves.family)?;
    }
    if !ports.is_none() {
        skb.add_payload_to_checksum(place, ports.sum())?;
    }
    Ok(())
}
