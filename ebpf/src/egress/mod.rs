//! Egress addresses: hosts of a VRF that leave under another source.
//!
//! What is called from outside is a global function in the words of the kernel: it takes and returns plain numbers, finds the
//! packet's tuples in this CPU's [`Translation`], and is verified once and not again at every call.

mod choice;
mod mapping;
mod policy;

use srv6_types::{DropReason, maps::egress_counter};

pub(crate) use choice::Choice;

use crate::{
    counters,
    flow::{self, Draft},
    maps::{CIRCUITS, EGRESS},
    outcome,
    packet::{Address, Packet, Translation, headers::protocol},
};
use mapping::Host;

/// Looks for the policy of a packet that came in by the circuit `ifindex`.
#[inline(always)]
pub(crate) fn choose(ifindex: u32) -> Result<Choice, DropReason> {
    choice::Packed::from_raw(egress_choose(ifindex)).unpack()
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn egress_choose(ifindex: u32) -> u64 {
    choice::Packed::pack(find_choice(ifindex)).raw()
}

#[inline(always)]
fn find_choice(ifindex: u32) -> Result<Choice, DropReason> {
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    let circuit = unsafe { CIRCUITS.get(ifindex) }.ok_or(DropReason::NoSuchCircuit)?;
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let came = &translation.came;
    // A backend's answer leaves with the source that the client knows.
    if translation.leaves.source != came.source {
        return Ok(Choice::None);
    }
    // No host has our address: who says so wants the answers to others.
    if policy::index(circuit.vrf, came.family, &came.source).is_some() {
        return Err(DropReason::BadSource);
    }
    match policy::find(circuit, came.family, &came.source, &came.destination) {
        Some(policy) => policy::gateway(circuit.vrf, came.family, policy),
        None => Ok(Choice::None),
    }
}

/// From a host to the outside: gives the packet the source that the host has at the egress address of this index.
#[inline(always)]
pub(crate) fn outbound(packet: &Packet, address: u32) -> Result<(), DropReason> {
    unpack(egress_outbound(address, packet.inner.length))
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn egress_outbound(address: u32, octets: u32) -> u64 {
    pack(translate_source(address, octets))
}

#[inline(always)]
fn translate_source(address: u32, octets: u32) -> Result<(), DropReason> {
    let egress = EGRESS.get(address).ok_or(DropReason::NoEgressGateway)?;
    let draft = Draft::of_this_cpu().ok_or(DropReason::NoFlowTable)?;
    let translation = translatable()?;
    let leaves = &translation.leaves;
    if egress.family != leaves.family as u32 {
        return Err(if egress.family == 0 {
            DropReason::NoEgressGateway
        } else {
            DropReason::Untranslatable
        });
    }
    let outside = Address::at(&egress.address);
    if leaves.source == *outside {
        return Err(DropReason::BadSource);
    }
    if has_one_identifier(translation) && leaves.ports[1] != translation.came.ports[1] {
        return Err(DropReason::Untranslatable);
    }
    let host = Host { translation, vrf: egress.vrf, address: &leaves.source, port: leaves.ports[0], outside };
    let mapped = host.map(draft, egress).inspect_err(|reason| {
        if *reason == DropReason::PortsExhausted {
            counters::count_egress(address, egress_counter::EXHAUSTED, octets);
        }
    })?;
    (translation.leaves.source, translation.leaves.ports[0]) = (*outside, mapped.port);
    counters::count_egress(address, egress_counter::OUTBOUND, octets);
    if mapped.new {
        counters::count_egress(address, egress_counter::MAPPINGS, octets);
    }
    Ok(())
}

/// From a PE that sent the packet to the gateway of the egress address of this index: to another egress address than that
/// itself. What comes for that itself is from the outside.
#[inline(always)]
pub(crate) fn outbound_to_other(packet: &Packet, address: u32) -> Result<(), DropReason> {
    let egress = EGRESS.get(address).ok_or(DropReason::NoEgressGateway)?;
    if Address::from_octets(&egress.address) == packet.destination() {
        return Ok(());
    }
    outbound(packet, address)
}

/// From the outside to an egress address of ours: on to the host.
#[inline(always)]
pub(crate) fn inbound(packet: &Packet) -> Result<(), DropReason> {
    unpack(egress_inbound(packet.vrf, packet.inner.length))
}

#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn egress_inbound(vrf: u32, octets: u32) -> u64 {
    pack(translate_destination(vrf, octets))
}

#[inline(always)]
fn translate_destination(vrf: u32, octets: u32) -> Result<(), DropReason> {
    let draft = Draft::of_this_cpu().ok_or(DropReason::NoFlowTable)?;
    let translation = translatable()?;
    let leaves = &translation.leaves;
    let address = policy::index(vrf, leaves.family, &leaves.destination).ok_or(DropReason::NoMapping)?;
    if has_one_identifier(translation) && leaves.ports[0] != translation.came.ports[0] {
        return Err(DropReason::Untranslatable);
    }
    mapping::name_owner(draft, translation, &leaves.destination, leaves.ports[1]);
    let owner = flow::find(vrf, &draft.key).ok_or(DropReason::NoMapping)?;
    let [_, _, a, b] = owner.ports;
    let (host, port) = (Address::from_octets(&owner.address), u16::from_ne_bytes([a, b]));
    if mapping::touch(owner, translation, true) {
        Host { translation, vrf, address: &host, port, outside: &leaves.destination }.told(draft);
    }
    (translation.leaves.destination, translation.leaves.ports[1]) = (host, port);
    counters::count_egress(address, egress_counter::INBOUND, octets);
    Ok(())
}

/// A packet that came for an egress address, on its way to a host behind the circuit `ifindex`. Where no policy
/// would put the host's answer under the address again, its sender would not know it: it is given the address too, so
/// that the answer comes here (RFC 4787 section 6).
#[inline(always)]
pub(crate) fn hairpin(packet: &Packet, ifindex: u32) -> Result<(), DropReason> {
    match egress_hairpin(ifindex) {
        0 => Ok(()),
        address => outbound(packet, address - 1),
    }
}

/// Index of the address that the sender is given, plus one; 0 for none.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn egress_hairpin(ifindex: u32) -> u32 {
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    let Some(circuit) = (unsafe { CIRCUITS.get(ifindex) }) else { return 0 };
    let Some(translation) = Translation::of_this_packet() else { return 0 };
    let (came, leaves) = (&translation.came, &translation.leaves);
    let answered = || policy::find(circuit, came.family, &leaves.destination, &came.source).is_some();
    if leaves.source != came.source || answered() {
        return 0;
    }
    policy::index(circuit.vrf, came.family, &came.destination).map_or(0, |address| address + 1)
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

#[inline(always)]
fn pack(done: Result<(), DropReason>) -> u64 {
    outcome::Packed::pack(done.map(|()| 0)).raw()
}

#[inline(always)]
fn unpack(raw: u64) -> Result<(), DropReason> {
    outcome::Packed::from_raw(raw).unpack().map(drop)
}
