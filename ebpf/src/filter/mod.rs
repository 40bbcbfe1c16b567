//! Filters of circuits.

use srv6_types::DropReason;

use crate::packet::Packet;

/// A packet from the circuit `ifindex`, its destination translated, its source not yet.
#[inline(never)]
pub(crate) fn from_circuit(_packet: &mut Packet, _ifindex: u32, _filter: u32) -> Result<(), DropReason> {
    Ok(())
}

/// A packet to the circuit `ifindex`, the destination translated.
#[inline(never)]
pub(crate) fn to_circuit(_packet: &mut Packet, _ifindex: u32, _filter: u32) -> Result<(), DropReason> {
    Ok(())
}
