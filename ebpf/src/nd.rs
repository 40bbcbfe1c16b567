//! Neighbour discovery for the gateway addresses of a circuit, RFC 4861, and as a proxy for all that is elsewhere. Everything
//! else of it is the kernel's.

use aya_ebpf::bindings::TC_ACT_UNSPEC;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, vrf_counter},
};

use crate::{
    counters, guard,
    local::{self, Owner},
    outcome::Packed,
    packet::{
        Address, Family, Packet, checksum,
        headers::{ETHERNET, Ethernet, IPV6, Icmp, Ipv6, protocol},
    },
    send,
};

/// RFC 4861 section 7.1: anything less came through a router.
const HOP_LIMIT: u8 = 255;
/// No action of the kernel: goes the way of any packet.
pub(crate) const NOT_OURS: i32 = i32::MIN;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const TARGET_LINK_LAYER: u8 = 2;
const ALL_NODES: Address = Address([0xff02_0000_u32.to_be(), 0, 0, 1_u32.to_be()]);
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// Flags of an advertisement, section 4.4.
const ROUTER_OVERRIDE: u32 = 0xa000_0000;
const SOLICITED: u32 = 0x4000_0000;

#[repr(C)]
#[derive(Clone, Copy)]
struct Advertisement {
    ip: Ipv6,
    icmp: Icmp,
    target: Address,
    option: [u8; 2],
    mac: [u8; 6],
}
const LENGTH: usize = size_of::<Advertisement>();

/// Whether the packet is one of neighbour discovery (types 133 to 137), and not one that was routed here.
#[inline(always)]
pub(crate) fn is_discovery(packet: &Packet) -> bool {
    let inner = &packet.inner;
    let candidate =
        inner.family == Family::V6 && inner.protocol == protocol::ICMPV6 && inner.ttl == HOP_LIMIT;
    candidate && matches!(kind(packet), Some(133..=137))
}

#[inline(always)]
fn kind(packet: &Packet) -> Option<u8> {
    let icmp = packet.skb.frame().at::<Icmp>(ETHERNET + IPV6).ok()?;
    // SAFETY: `at` has checked the bounds.
    Some(unsafe { (*icmp).kind })
}

/// Answers a solicitation for an address of ours, and leaves to the kernel the solicitations and advertisements to
/// addresses of the link: it finds the neighbours, from its own link-local address. [`NOT_OURS`] for the rest: the
/// kernel would route what is to any other address, ours too, for it does not hold them; and a router advertisement or
/// a redirect would let a tenant configure the node.
#[inline(never)]
pub(crate) fn answer(packet: &Packet, circuit: &CircuitEntry) -> Packed {
    Packed::pack(match advertise(packet, circuit) {
        Ok(Some(action)) => Ok(action),
        Ok(None) if !is_for_kernel(packet, circuit) => Ok(NOT_OURS),
        Ok(None) if local::is_proxy(circuit) && !is_of_host(packet, circuit) => Err(DropReason::LinkScope),
        Ok(None) => Ok(TC_ACT_UNSPEC),
        Err(reason) => Err(reason),
    })
}

/// What goes on is heard by a bridge and all that is on it: nothing but what a host says of its own address, which of an
/// advertisement is the target and of a solicitation the source.
#[inline(always)]
fn is_of_host(packet: &Packet, circuit: &CircuitEntry) -> bool {
    let told = match kind(packet) {
        Some(ADVERTISEMENT) => target(packet),
        _ => Ok(packet.inner.source),
    };
    told.is_ok_and(|told| owner(packet, circuit, &told) == Owner::Host)
}

/// Of a solicitation or an advertisement.
#[inline(always)]
fn target(packet: &Packet) -> Result<Address, DropReason> {
    let target = packet.skb.frame().at::<Address>(ETHERNET + IPV6 + size_of::<Icmp>())?;
    // SAFETY: `at` has checked the bounds.
    Ok(unsafe { *target })
}

/// Of a proxy's circuit also what is to our gateway address: a bridge has the same one, and asks for the hosts as it.
#[inline(always)]
fn is_for_kernel(packet: &Packet, circuit: &CircuitEntry) -> bool {
    if !matches!(kind(packet), Some(SOLICITATION | ADVERTISEMENT)) {
        return false;
    }
    let to = &packet.inner.destination;
    guard::is_on_link(to) || local::is_proxy(circuit) && owner(packet, circuit, to) == Owner::Us
}

#[inline(always)]
fn owner(packet: &Packet, circuit: &CircuitEntry, address: &Address) -> Owner {
    Owner::of(circuit.vrf, packet.skb.ifindex(), Family::V6, address)
}

#[inline(always)]
fn advertise(packet: &Packet, circuit: &CircuitEntry) -> Result<Option<i32>, DropReason> {
    if kind(packet) != Some(SOLICITATION) {
        return Ok(None);
    }
    let skb = packet.skb;
    let target = target(packet)?;
    if !is_answered(packet, &target, circuit) {
        return Ok(None);
    }
    skb.set_length((ETHERNET + LENGTH) as u32)?;
    // SAFETY: as above.
    unsafe {
        *skb.frame().at::<Advertisement>(ETHERNET)? = advertisement(&packet.inner.source, target, circuit)
    };
    counters::count(circuit.vrf, vrf_counter::ANSWERED, LENGTH as u32);
    let action = send::back(skb, circuit)?;
    if packet.inner.source.is_unspecified() {
        // SAFETY: as above.
        unsafe { (*skb.frame().at::<Ethernet>(0)?).destination = ALL_NODES_MAC };
    }
    Ok(Some(action))
}

/// As a proxy not for whom the asker would have to ask on its own link, and not in duplicate address detection (RFC 4862
/// section 5.4): the asker would take its own address for another's.
#[inline(always)]
fn is_answered(packet: &Packet, target: &Address, circuit: &CircuitEntry) -> bool {
    match owner(packet, circuit, target) {
        Owner::Us => true,
        Owner::Host => false,
        Owner::Other => {
            let asker = &packet.inner.source;
            let of_link = asker.is_unspecified() || asker == target || guard::is_on_link(target);
            local::is_proxy(circuit) && !of_link
        }
    }
}

/// RFC 4861 section 7.2.4: to all nodes, and not marked solicited, when the asker has no address yet.
#[inline(always)]
fn advertisement(asker: &Address, target: Address, circuit: &CircuitEntry) -> Advertisement {
    let (destination, flags) = match asker.is_unspecified() {
        true => (ALL_NODES, ROUTER_OVERRIDE),
        false => (*asker, ROUTER_OVERRIDE | SOLICITED),
    };
    let payload = (LENGTH - IPV6) as u16;
    let mut answer = Advertisement {
        ip: Ipv6 {
            version_class_flow: Ipv6::version_class_flow(0, 0),
            payload_length: payload.to_be(),
            next_header: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            source: target,
            destination,
        },
        icmp: Icmp { kind: ADVERTISEMENT, code: 0, checksum: 0, rest: flags.to_be() },
        target,
        option: [TARGET_LINK_LAYER, 1],
        mac: circuit.mac,
    };
    let seed = checksum::pseudo6(payload, protocol::ICMPV6);
    // Addresses and all that follows: without the first two words of the IPv6 header.
    answer.icmp.checksum = !checksum::fold(checksum::sum(&raw const answer.ip.source, LENGTH - 8, seed));
    answer
}
