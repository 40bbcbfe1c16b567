//! Egress addresses: hosts of a VRF that leave under another source.

mod choice;
mod mapping;
mod policy;

use srv6_types::{
    DropReason,
    maps::{EgressEntry, egress_counter},
};

pub(crate) use choice::{Choice, Packed};

use crate::{
    counters,
    maps::EGRESS,
    packet::{Address, Packet, Translation, headers::protocol},
};
use mapping::Host;

/// Looks for the policy of a packet that came into `vrf` by the circuit `ifindex`.
#[inline(never)]
pub(crate) fn choose(vrf: u32, ifindex: u32) -> Packed {
    Packed::pack(find_choice(vrf, ifindex))
}

#[inline(always)]
fn find_choice(vrf: u32, ifindex: u32) -> Result<Choice, DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let came = &translation.came;
    // A backend's answer leaves with the source that the client knows.
    if translation.leaves.source != came.source {
        return Ok(Choice::None);
    }
    // No host has our address: who says so wants the answers to others.
    if policy::index(vrf, came.family, &came.source).is_some() {
        return Err(DropReason::BadSource);
    }
    match policy::find(vrf, ifindex, came.family, &came.source, &came.destination) {
        Some(policy) => policy::gateway(vrf, came.family, policy),
        None => Ok(Choice::None),
    }
}

/// From a host to the outside: gives the packet the source that the host has at the egress address of this index.
#[inline(never)]
pub(crate) fn outbound(packet: &mut Packet, address: u32) -> Result<(), DropReason> {
    let octets = packet.inner.length;
    let done = translate_source(address);
    match &done {
        Ok(mapped) => {
            counters::count_egress(address, egress_counter::OUTBOUND, octets);
            if *mapped {
                counters::count_egress(address, egress_counter::MAPPINGS, octets);
            }
        }
        Err(DropReason::PortsExhausted) => {
            counters::count_egress(address, egress_counter::EXHAUSTED, octets);
        }
        Err(_) => {}
    }
    done.map(drop)
}

/// Returns whether there is a new mapping.
#[inline(always)]
fn translate_source(address: u32) -> Result<bool, DropReason> {
    let egress = EGRESS.get(address).ok_or(DropReason::NoEgressGateway)?;
    let translation = translatable()?;
    if egress.family != translation.came.family as u32 {
        return Err(if egress.family == 0 {
            DropReason::NoEgressGateway
        } else {
            DropReason::Untranslatable
        });
    }
    let outside = Address::from_octets(&egress.address);
    let source = translation.leaves.source;
    if source == outside {
        return Err(DropReason::BadSource);
    }
    if has_one_identifier(translation) && translation.leaves.ports[1] != translation.came.ports[1] {
        return Err(DropReason::Untranslatable);
    }
    let port = translation.leaves.ports[0];
    let mapped = Host { translation, vrf: egress.vrf, address: source, port, outside }.map(egress)?;
    (translation.leaves.source, translation.leaves.ports[0]) = (outside, mapped.port);
    Ok(mapped.new)
}

/// From a PE that sent the packet to the gateway of the egress address of this index: to another egress address than that
/// itself. What comes for that itself is from the outside.
#[inline(always)]
pub(crate) fn outbound_to_other(packet: &mut Packet, address: u32) -> Result<(), DropReason> {
    let egress: &EgressEntry = EGRESS.get(address).ok_or(DropReason::NoEgressGateway)?;
    if Address::from_octets(&egress.address) == packet.inner.destination {
        return Ok(());
    }
    outbound(packet, address)
}

/// From the outside to an egress address of ours: on to the host.
#[inline(never)]
pub(crate) fn inbound(packet: &mut Packet) -> Result<(), DropReason> {
    let translation = translatable()?;
    let (family, upper, outside) =
        (translation.came.family, translation.protocol, translation.leaves.destination);
    let address = policy::index(packet.vrf, family, &outside).ok_or(DropReason::NoMapping)?;
    if has_one_identifier(translation) && translation.leaves.ports[0] != translation.came.ports[0] {
        return Err(DropReason::Untranslatable);
    }
    let owner = mapping::owner(packet.vrf, upper, family, &outside, translation.leaves.ports[1]);
    let owner = owner.ok_or(DropReason::NoMapping)?;
    let [_, _, a, b] = owner.ports;
    let (host, port) = (Address::from_octets(&owner.address), u16::from_ne_bytes([a, b]));
    if mapping::touch(owner, translation, true) {
        Host { translation, vrf: packet.vrf, address: host, port, outside }.told();
    }
    (translation.leaves.destination, translation.leaves.ports[1]) = (host, port);
    counters::count_egress(address, egress_counter::INBOUND, packet.inner.length);
    Ok(())
}

/// A packet that came into `vrf` for an egress address, on its way to a host behind the circuit `ifindex`. Where no policy
/// would put the host's answer under the address again, its sender would not know it: it is given the address too, so
/// that the answer comes here (RFC 4787 section 6).
#[inline(never)]
pub(crate) fn hairpin(packet: &mut Packet, vrf: u32, ifindex: u32) -> Result<(), DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let (came, leaves) = (&translation.came, &translation.leaves);
    if leaves.source != came.source {
        return Ok(());
    }
    if policy::find(vrf, ifindex, came.family, &leaves.destination, &came.source).is_some() {
        return Ok(());
    }
    match policy::index(vrf, came.family, &came.destination) {
        Some(address) => outbound(packet, address),
        None => Ok(()),
    }
}

/// The translation of a packet that has ports, or an identifier in their place.
#[inline(always)]
fn translatable() -> Result<&'static mut Translation, DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    if translation.portless != 0 {
        return Err(DropReason::Untranslatable);
    }
    translation.need_ports()?;
    Ok(translation)
}

/// A query of ICMP: there is one identifier, not one for each end.
#[inline(always)]
fn has_one_identifier(translation: &Translation) -> bool {
    matches!(translation.protocol, protocol::ICMP | protocol::ICMPV6)
}
