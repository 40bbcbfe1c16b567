//! ARP for the gateway addresses of a circuit, RFC 826. Everything else of ARP is the kernel's, which asks for
//! the neighbours that we send to.

use srv6_types::{
    DropReason,
    maps::{CircuitEntry, vrf_counter},
};

use crate::{
    counters, local,
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

/// The action of an answer; `None` for the kernel.
#[inline(always)]
pub(crate) fn answer(skb: Skb, circuit: &CircuitEntry) -> Result<Option<i32>, DropReason> {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let arp = unsafe { &mut *skb.frame().at::<Arp>(ETHERNET)? };
    let ours = arp.hardware == ETHERNET_HARDWARE && arp.protocol == ethertype::IPV4 && arp.lengths == [6, 4];
    if !ours || arp.operation != REQUEST {
        return Ok(None);
    }
    let target = arp.target;
    let address = Address::v4(u32::from_ne_bytes(target));
    if !local::is_on(circuit.vrf, skb.ifindex(), Family::V4, &address) {
        return Ok(None);
    }
    arp.operation = REPLY;
    arp.target_mac = arp.sender_mac;
    arp.target = arp.sender;
    arp.sender_mac = circuit.mac;
    arp.sender = target;
    counters::count(circuit.vrf, vrf_counter::ANSWERED, size_of::<Arp>() as u32);
    send::back(skb, circuit).map(Some)
}
