//! From an attachment circuit.

use aya_ebpf::bindings::TC_ACT_OK;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, vrf_counter},
};

use crate::{
    counters,
    forward::{Forward, forward},
    maps::CIRCUITS,
    packet::{
        Family, Inner, Packet, Skb,
        headers::{ETHERNET, ethertype},
    },
};

/// Takes in what a tenant sends.
#[inline(always)]
pub(crate) fn ingress(skb: Skb) -> i32 {
    let ifindex = skb.ifindex();
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    let Some(circuit) = (unsafe { CIRCUITS.get(ifindex) }) else { return TC_ACT_OK };
    if skb.is_tagged() || skb.is_for_others() {
        return TC_ACT_OK;
    }
    skb.pull_headers();
    match take(skb, circuit) {
        Ok(action) => action,
        Err(reason) => super::drop(skb, circuit.vrf, reason),
    }
}

#[inline(always)]
fn take(skb: Skb, circuit: &CircuitEntry) -> Result<i32, DropReason> {
    let family = match skb.ethertype() {
        ethertype::IPV4 => Family::V4,
        ethertype::IPV6 => Family::V6,
        ethertype::ARP => return Ok(TC_ACT_OK),
        _ => return Err(DropReason::NotIp),
    };
    let inner = Inner::parse(skb.frame(), ETHERNET, family, skb.len() - ETHERNET as u32)?;
    counters::count(circuit.vrf, vrf_counter::FROM_CIRCUIT, inner.length);
    let mut packet = Packet { skb, inner, vrf: circuit.vrf, room: 0, own: false, mtu: 0 };
    match forward(&mut packet)? {
        Forward::Sent(action) => Ok(action),
        Forward::Local => Err(DropReason::NotListening),
    }
}
