//! VIPs: a packet's way to a backend and the answer's way back.
//!
//! The first packet of a flow chooses a backend, the others follow it. Backends behind this node get packets translated, and
//! their answers come back here; those behind another node either get them as they are, for that node to translate, or
//! translated under an address of this node, so that answers come back here as well.

mod affinity;
mod answer;
mod backend;
mod balanced;
mod flows;
mod service;

pub(crate) use answer::{answer, check_source};
pub(crate) use balanced::Balanced;

use srv6_types::{DropReason, maps::service_counter};

use crate::{
    counters,
    flow::Draft,
    forward::Arrival,
    packet::{
        Packet, Translation,
        headers::protocol::{ICMP, ICMPV6},
    },
};
use backend::Chosen;
use balanced::{Packed, To};
use service::Service;

/// A packet to a VIP of this node.
#[inline(always)]
pub(crate) fn balance(packet: &Packet, arrival: &Arrival) -> Result<Balanced, DropReason> {
    take(packet, arrival.balance).unpack()
}

#[inline(never)]
fn take(packet: &Packet, anywhere: bool) -> Packed {
    Packed::pack(find_backend(packet, anywhere))
}

#[inline(always)]
fn find_backend(packet: &Packet, anywhere: bool) -> Result<Balanced, DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let draft = Draft::of_this_cpu().ok_or(DropReason::NoFlowTable)?;
    if translation.quoted == 0 && matches!(translation.protocol, ICMP | ICMPV6) {
        return Ok(Balanced::Local);
    }
    translation.need_ports()?;
    let chosen = match flows::follow(packet, translation, draft, anywhere) {
        Some(chosen) => chosen,
        None => choose(packet, translation, draft, anywhere)?,
    };
    chosen.count(service_counter::FORWARDED, packet);
    Ok(Balanced::To(To { next_hop: chosen.next_hop, source: chosen.source() }))
}

/// For a flow that is new. An ICMP error makes none: it goes where the flow would be.
#[inline(always)]
fn choose(
    packet: &Packet,
    translation: &mut Translation,
    draft: &mut Draft,
    anywhere: bool,
) -> Result<Chosen, DropReason> {
    let service = Service::find(packet.vrf, translation).ok_or(DropReason::NoSuchService)?;
    let affine = affinity::backend(packet, translation, draft, &service, anywhere);
    let Some(chosen) = affine.or_else(|| service.backend(packet, translation, anywhere)) else {
        let counter = service.entry.counter;
        counters::count_service(counter, service_counter::REFUSED, packet.inner.length);
        return Err(DropReason::NoBackend);
    };
    if translation.quoted != 0 {
        chosen.translate(translation, [translation.leaves.ports[0], chosen.port()]);
        return Ok(chosen);
    }
    affinity::keep(packet, translation, draft, &service, &chosen)?;
    flows::open(packet, translation, draft, &chosen)?;
    chosen.count(service_counter::FLOWS, packet);
    Ok(chosen)
}
