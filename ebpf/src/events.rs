//! Drops, one by one, for whoever listens to the ring buffer. A sample: the counters are the account.

use srv6_types::{DropReason, maps::DropEvent};

use crate::{
    filter,
    icmp::take_event,
    maps::EVENTS,
    packet::{Inner, Skb},
};

/// Reports a drop, unless this CPU has reported many of the VRF just now or nobody makes room.
#[inline(never)]
pub(crate) fn dropped(skb: Skb, vrf: u32, reason: DropReason, inner: Option<&Inner>) {
    if !take_event(vrf) {
        return;
    }
    let Some(mut entry) = EVENTS.reserve::<DropEvent>(0) else { return };
    // In place: the stack is short.
    // SAFETY: the entry is large enough, and zero is a valid event.
    let event = unsafe {
        entry.as_mut_ptr().write_bytes(0, 1);
        entry.assume_init_mut()
    };
    (event.vrf, event.reason, event.ifindex) = (vrf, reason as u32, skb.ifindex());
    if let Some(inner) = inner {
        let [a, b, c, d] = inner.ports.to_ne_bytes();
        event.family = inner.family as u8;
        event.protocol = inner.protocol;
        event.source = inner.source.octets();
        event.destination = inner.destination.octets();
        (event.source_port, event.destination_port) = ([a, b], [c, d]);
    }
    if reason == DropReason::Filtered
        && let Some(rule) = filter::denying_rule()
    {
        event.rule = *rule;
    }
    entry.submit(0);
}
