//! Where packets come in: from tenants by circuits, from the SRv6 domain by core interfaces.

pub(crate) mod circuit;
pub(crate) mod core;

use aya_ebpf::bindings::TC_ACT_SHOT;
use srv6_types::DropReason;

use crate::{
    counters, events,
    packet::{Inner, Skb},
};

/// The one place where drops are counted.
#[inline(always)]
fn drop(skb: Skb, vrf: u32, reason: DropReason, inner: Option<&Inner>) -> i32 {
    counters::count_drop(vrf, reason, inner.map_or(skb.len(), |inner| inner.length));
    events::dropped(skb, vrf, reason, inner);
    TC_ACT_SHOT
}
