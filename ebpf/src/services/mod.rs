//! VIPs: a packet's way to a backend and the answer's way back.

use srv6_types::DropReason;

use crate::{forward::Arrival, packet::Packet};

/// What becomes of a packet to a VIP.
#[derive(Clone, Copy)]
pub(crate) enum Balanced {
    /// It goes to a backend: its translation has the new destination, which is to be looked up.
    Translated,
    /// It goes as it is to the PE of its backend, by the next hop of this index.
    Direct(u32),
    /// An echo request: the program answers.
    Local,
}

/// A packet to a VIP of this node.
#[inline(never)]
pub(crate) fn balance(_packet: &mut Packet, _arrival: &Arrival) -> Result<Balanced, DropReason> {
    Err(DropReason::NoSuchService)
}

/// A packet that may be a backend's answer: gives it back the source that the client knows.
#[inline(never)]
pub(crate) fn answer(_packet: &mut Packet) -> Result<(), DropReason> {
    Ok(())
}
