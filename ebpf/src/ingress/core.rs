//! From the SRv6 domain.

use aya_ebpf::{
    bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC},
    maps::lpm_trie::Key,
};
use srv6_types::{
    DropReason,
    maps::{SidEntry, vrf_counter},
};

use crate::{
    counters, endpoint,
    forward::{Arrival, Forward, forward},
    guard,
    icmp::{self, Sources, echo},
    maps::{LOCATORS, NODE, SIDS, VRFS},
    outcome,
    packet::{
        Address, Packet, Skb,
        headers::{ETHERNET, Ipv6, ethertype},
    },
};

/// Takes in what is addressed to a local SID; transit and the node's own packets go on to the next program and the kernel.
#[inline(always)]
pub(crate) fn ingress(skb: Skb) -> i32 {
    if let Err(reason) = skb.strip_priority_tags() {
        return super::drop(skb, 0, reason, None);
    }
    if skb.ethertype() != ethertype::IPV6 || skb.is_tagged() || !skb.is_for_us() {
        return TC_ACT_UNSPEC;
    }
    skb.pull_headers(0);
    let Ok(outer) = skb.frame().at::<Ipv6>(ETHERNET) else { return TC_ACT_UNSPEC };
    // SAFETY: `at` has checked the bounds.
    let destination = unsafe { (*outer).destination };
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    match unsafe { SIDS.get(destination.octets()) } {
        Some(sid) => endpoint(skb, sid),
        None if is_node(&destination) => TC_ACT_UNSPEC,
        None if is_in_locator(&destination) => super::drop(skb, 0, DropReason::NoSuchSid, None),
        None => TC_ACT_UNSPEC,
    }
}

/// The node's own address may lie in its locator, and BGP and ICMP errors about outer packets come to it.
#[inline(always)]
fn is_node(destination: &Address) -> bool {
    NODE.get(0).is_some_and(|node| Address::from_octets(&node.source) == *destination)
}

#[inline(always)]
fn is_in_locator(destination: &Address) -> bool {
    LOCATORS.get(Key::new(128, destination.octets())).is_some()
}

#[inline(always)]
fn endpoint(skb: Skb, sid: &SidEntry) -> i32 {
    let mut packet = match endpoint::decapsulate(skb, sid) {
        Ok(packet) => packet,
        Err(reason) => return super::drop(skb, sid.vrf, reason, None),
    };
    counters::count_sid(sid.counter, packet.inner.length);
    counters::count(sid.vrf, vrf_counter::DECAPSULATED, packet.inner.length);
    let reason = match guard::check(&packet.inner).and_then(|()| forward(&mut packet, &Arrival::by_sid(sid)))
    {
        Ok(Forward::Sent(action)) => return action,
        Ok(Forward::Local) => match echo::reply(&mut packet) {
            Ok(()) => {
                packet.vrf = sid.vrf;
                counters::count(sid.vrf, vrf_counter::ANSWERED, packet.inner.length);
                return answer(&mut packet, sid);
            }
            Err(reason) => reason,
        },
        Err(reason) => reason,
    };
    let reason = outcome::forget(reason);
    let dropped = super::drop(skb, packet.vrf, reason, Some(&packet.inner));
    packet.vrf = sid.vrf;
    if refuse(&mut packet, sid, reason) { answer(&mut packet, sid) } else { dropped }
}

/// What the program itself has to say goes back through the VRF that it was asked in.
#[inline(always)]
fn answer(packet: &mut Packet, sid: &SidEntry) -> i32 {
    match forward(packet, &Arrival::by_sid(sid)) {
        Ok(Forward::Sent(action)) => action,
        // Asked by ourselves: nobody to answer to.
        Ok(Forward::Local) => TC_ACT_SHOT,
        Err(reason) => super::drop(packet.skb, packet.vrf, reason, Some(&packet.inner)),
    }
}

#[inline(always)]
fn refuse(packet: &mut Packet, sid: &SidEntry, reason: DropReason) -> bool {
    let Some(vrf) = VRFS.get(sid.vrf) else { return false };
    icmp::refuse(packet, reason, &Sources { v4: vrf.icmp_source4, v6: vrf.icmp_source6 })
}
