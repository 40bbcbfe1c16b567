//! Out of an attachment circuit: what the kernel says there on its own.

use aya_ebpf::bindings::TC_ACT_UNSPEC;

use crate::{
    arp,
    maps::CIRCUITS,
    packet::{Skb, headers::ethertype},
};

/// Lets everything go on its way.
#[inline(always)]
pub(crate) fn egress(skb: Skb) -> i32 {
    if skb.ethertype() == ethertype::ARP && !skb.is_tagged() {
        // SAFETY: values are replaced whole, and a torn read would harm one packet.
        if let Some(circuit) = unsafe { CIRCUITS.get(skb.ifindex()) } {
            arp::ask_as_gateway(skb, circuit);
        }
    }
    TC_ACT_UNSPEC
}
