//! From the SRv6 domain.

use aya_ebpf::{bindings::TC_ACT_OK, maps::lpm_trie::Key};
use srv6_types::{
    DropReason,
    maps::{SidEntry, vrf_counter},
};

use crate::{
    counters, endpoint,
    forward::{Forward, forward},
    maps::{LOCATORS, SIDS},
    packet::{
        Address, Skb,
        headers::{ETHERNET, Ipv6, ethertype},
    },
};

/// Takes in what is addressed to a local SID; transit and the node's own packets are the kernel's.
#[inline(always)]
pub(crate) fn ingress(skb: Skb) -> i32 {
    if skb.ethertype() != ethertype::IPV6 || skb.is_tagged() || skb.is_for_others() {
        return TC_ACT_OK;
    }
    skb.pull_headers();
    let Ok(outer) = skb.frame().at::<Ipv6>(ETHERNET) else { return TC_ACT_OK };
    // SAFETY: `at` has checked the bounds.
    let destination = unsafe { (*outer).destination };
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    match unsafe { SIDS.get(destination.octets()) } {
        Some(sid) => match take(skb, sid) {
            Ok(action) => action,
            Err(reason) => super::drop(skb, sid.vrf, reason),
        },
        None if is_ours(&destination) => super::drop(skb, 0, DropReason::NoSuchSid),
        None => TC_ACT_OK,
    }
}

#[inline(always)]
fn is_ours(destination: &Address) -> bool {
    LOCATORS.get(Key::new(128, destination.octets())).is_some()
}

#[inline(always)]
fn take(skb: Skb, sid: &SidEntry) -> Result<i32, DropReason> {
    let mut packet = endpoint::decapsulate(skb, sid)?;
    counters::count_sid(sid.counter, packet.inner.length);
    counters::count(sid.vrf, vrf_counter::DECAPSULATED, packet.inner.length);
    match forward(&mut packet)? {
        Forward::Sent(action) => Ok(action),
        Forward::Local => Err(DropReason::NotListening),
    }
}
