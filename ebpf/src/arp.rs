//! ARP for the gateway addresses of a circuit, RFC 826, and as a proxy for all that is elsewhere, RFC 1027. Everything else of
//! ARP is the kernel's, which asks for the neighbours that we send to.

use aya_ebpf::bindings::TC_ACT_UNSPEC;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, vrf_counter},
};

use crate::{
    counters,
    local::{self, Owner},
    outcome::{Outcome, Packed},
    packet::{
        Address, Family, Skb,
        headers::{ETHERNET, ethertype},
    },
    send,
};

const ETHERNET_HARDWARE: u16 = 1_u16.to_be();
const REQUEST: u16 = 1_u16.to_be();
const REPLY: u16 = 2_u16.to_be();

/// For IPv4 over Ethernet.
#[repr(C)]
#[derive(Clone, Copy)]
struct Arp {
    hardware: u16,
    protocol: u16,
    lengths: [u8; 2],
    operation: u16,
    sender_mac: [u8; 6],
    sender: [u8; 4],
    target_mac: [u8; 6],
    target: [u8; 4],
}

/// The kernel has no address of the VRF and would ask in the name of any address of the node: that would tell it to the
/// tenant, and hosts that check the way back do not answer. Without a gateway address it becomes a probe (RFC 5227
/// section 2.1.1).
#[inline(always)]
pub(crate) fn ask_as_gateway(skb: Skb, circuit: &CircuitEntry) {
    let Ok(arp) = skb.frame().at::<Arp>(ETHERNET) else { return };
    // SAFETY: as below.
    let arp = unsafe { &mut *arp };
    if arp.operation == REQUEST {
        arp.sender = circuit.gateway4;
    }
}

/// Answers, or leaves to the kernel. Apart, for its keys take room on the stack.
#[inline(never)]
pub(crate) fn answer(skb: Skb, circuit: &CircuitEntry) -> Packed {
    Packed::pack(answer_or_leave(skb, circuit))
}

#[inline(always)]
fn answer_or_leave(skb: Skb, circuit: &CircuitEntry) -> Outcome {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let arp = unsafe { &mut *skb.frame().at::<Arp>(ETHERNET)? };
    let ours = arp.hardware == ETHERNET_HARDWARE && arp.protocol == ethertype::IPV4 && arp.lengths == [6, 4];
    let request = ours && arp.operation == REQUEST;
    let target = arp.target;
    if !request || !is_answered(arp, skb, circuit) {
        return if local::is_proxy(circuit) { to_bridge(arp, ours, skb, circuit) } else { Ok(TC_ACT_UNSPEC) };
    }
    arp.operation = REPLY;
    arp.target_mac = arp.sender_mac;
    arp.target = arp.sender;
    arp.sender_mac = circuit.mac;
    arp.sender = target;
    counters::count(circuit.vrf, vrf_counter::ANSWERED, size_of::<Arp>() as u32);
    send::back(skb, circuit)
}

/// As a proxy not for whom the asker would have to ask on its own link, and not to a probe (RFC 5227 section 2.1.1): the
/// asker would take its own address for another's.
#[inline(always)]
fn is_answered(arp: &Arp, skb: Skb, circuit: &CircuitEntry) -> bool {
    match owner(arp.target, skb, circuit) {
        Owner::Us => true,
        Owner::Host => false,
        Owner::Other => local::is_proxy(circuit) && arp.sender != [0; 4] && arp.sender != arp.target,
    }
}

/// What goes on is heard by a bridge and all that is on it: nothing but what a host says of its own address.
#[inline(always)]
fn to_bridge(arp: &Arp, ours: bool, skb: Skb, circuit: &CircuitEntry) -> Outcome {
    match ours && owner(arp.sender, skb, circuit) == Owner::Host {
        true => Ok(TC_ACT_UNSPEC),
        false => Err(DropReason::LinkScope),
    }
}

#[inline(always)]
fn owner(address: [u8; 4], skb: Skb, circuit: &CircuitEntry) -> Owner {
    let address = Address::v4(u32::from_ne_bytes(address));
    Owner::of(circuit.vrf, skb.ifindex(), Family::V4, &address)
}
