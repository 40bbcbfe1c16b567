//! Egress addresses: hosts of a VRF that leave under another source.

use srv6_types::DropReason;

use crate::packet::Packet;

/// What an egress policy says of a packet.
#[derive(Clone, Copy)]
pub(crate) enum Choice {
    /// No policy holds it.
    None,
    /// Translated here, to the egress address of this index.
    Here(u32),
    /// At the gateway that the next hop of this index leads to.
    Gateway(u32),
}

/// Looks for the policy of a packet from a circuit.
#[inline(never)]
pub(crate) fn choose(_packet: &Packet, _ifindex: u32) -> Result<Choice, DropReason> {
    Ok(Choice::None)
}

/// From a host to the outside: gives the packet the source that the host has at the egress address.
#[inline(never)]
pub(crate) fn outbound(_packet: &mut Packet, _address: u32) -> Result<(), DropReason> {
    Ok(())
}

/// From the outside to an egress address of ours: on to the host.
#[inline(never)]
pub(crate) fn inbound(_packet: &mut Packet) -> Result<(), DropReason> {
    Err(DropReason::NoMapping)
}
