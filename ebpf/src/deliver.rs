//! Out of a circuit of the VRF, towards the tenant.

use aya_ebpf::helpers::generated as helpers;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, NextHopEntry, circuit_flag, next_hop_kind, vrf_counter},
};

use crate::{
    counters, filter,
    maps::CIRCUITS,
    neighbor,
    outcome::{Outcome, Packed},
    packet::{
        Address, Family, Packet, Skb,
        headers::{ETHERNET, Ethernet},
    },
};

/// Strips what is left of the outer headers and sends to the neighbour of the next hop on its circuit.
#[inline(never)]
pub(crate) fn deliver(packet: &mut Packet, next_hop: &NextHopEntry) -> Packed {
    Packed::pack(strip_and_send(packet, next_hop))
}

#[inline(always)]
fn strip_and_send(packet: &mut Packet, next_hop: &NextHopEntry) -> Outcome {
    target(packet, next_hop)?;
    let circuit = circuit(packet.vrf, next_hop.ifindex)?;
    if circuit.filter != 0 && !packet.own {
        filter::to_circuit(packet, next_hop.ifindex, circuit.filter)?;
    }
    let mtu = circuit_mtu(packet.skb, next_hop.ifindex)?;
    if packet.segment_length() > mtu {
        return Err(packet.too_big_for(mtu));
    }
    if packet.room != 0 {
        packet.skb.decapsulate(packet.room, packet.inner.family)?;
        packet.room = 0;
    }
    packet.rewrite(packet.skb.frame(), ETHERNET)?;
    counters::count(packet.vrf, vrf_counter::DELIVERED, packet.inner.length);
    redirect(packet, next_hop, circuit).unpack()
}

/// To the MAC address of the circuit's hosts where it is known, else the kernel asks for the neighbour's. Apart, for the
/// neighbour takes room on the stack.
#[inline(never)]
fn redirect(packet: &Packet, next_hop: &NextHopEntry, circuit: &CircuitEntry) -> Packed {
    Packed::pack(address_and_redirect(packet, next_hop, circuit))
}

#[inline(always)]
fn address_and_redirect(packet: &Packet, next_hop: &NextHopEntry, circuit: &CircuitEntry) -> Outcome {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let ethernet = unsafe { &mut *packet.skb.frame().at::<Ethernet>(0)? };
    ethernet.ethertype = packet.skb.ethertype();
    if circuit.flags & circuit_flag::HOST_MAC == 0 {
        let (family, neighbor) = target(packet, next_hop)?;
        return Ok(neighbor::redirect(next_hop.ifindex, family, &neighbor));
    }
    (ethernet.destination, ethernet.source) = (circuit.host_mac, circuit.mac);
    // SAFETY: no memory is involved.
    Ok(unsafe { helpers::bpf_redirect(next_hop.ifindex, 0) } as i32)
}

/// IPv4 may go by an IPv6 neighbour (RFC 8950), IPv6 not by an IPv4 one.
#[inline(always)]
fn target(packet: &Packet, next_hop: &NextHopEntry) -> Result<(Family, Address), DropReason> {
    if next_hop.kind == next_hop_kind::CONNECTED {
        return Ok((packet.inner.family, packet.destination()));
    }
    let address = Address::from_octets(&next_hop.address);
    match next_hop.address_family {
        4 if packet.inner.family == Family::V4 => Ok((Family::V4, address)),
        6 => Ok((Family::V6, address)),
        _ => Err(DropReason::NoSuchNextHop),
    }
}

/// A route may outlive its circuit for a moment, while an interface goes over to another tenant.
#[inline(always)]
fn circuit(vrf: u32, ifindex: u32) -> Result<&'static CircuitEntry, DropReason> {
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    match unsafe { CIRCUITS.get(ifindex) } {
        Some(circuit) if circuit.vrf == vrf => Ok(circuit),
        _ => Err(DropReason::NoSuchCircuit),
    }
}

/// `bpf_redirect_neigh` checks no MTU: what is too long would vanish.
#[inline(always)]
fn circuit_mtu(skb: Skb, ifindex: u32) -> Result<u32, DropReason> {
    let mut mtu = 0_u32;
    // SAFETY: context and `mtu` are valid for the call. The verdict is on the packet with its outer headers, so only
    // the MTU is of use.
    let answer = unsafe { helpers::bpf_check_mtu(skb.raw().cast(), ifindex, &raw mut mtu, 0, 0) };
    if answer < 0 { Err(DropReason::NoSuchCircuit) } else { Ok(mtu) }
}
