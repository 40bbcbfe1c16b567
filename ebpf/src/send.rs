//! Back to where it came from.

use aya_ebpf::helpers::generated as helpers;
use srv6_types::{DropReason, maps::CircuitEntry};

use crate::packet::{Skb, headers::Ethernet};

/// Returns a frame to its sender on the circuit.
#[inline(always)]
pub(crate) fn back(skb: Skb, circuit: &CircuitEntry) -> Result<i32, DropReason> {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let ethernet = unsafe { &mut *skb.frame().at::<Ethernet>(0)? };
    ethernet.destination = ethernet.source;
    ethernet.source = circuit.mac;
    // SAFETY: no memory is involved.
    Ok(unsafe { helpers::bpf_redirect(skb.ifindex(), 0) } as i32)
}
