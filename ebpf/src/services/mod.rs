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
        Family, Packet, Translation,
        headers::protocol::{ICMP, ICMPV6},
    },
};
use backend::Chosen;
use balanced::{Packed, To};
use service::Service;

/// A packet to a VIP, its tuple apart.
struct Asked {
    vrf: u32,
    family: Family,
    octets: u32,
    /// Any backend may have it, not only those behind this node.
    anywhere: bool,
}

/// A packet to a VIP of this node.
#[inline(always)]
pub(crate) fn balance(packet: &Packet, arrival: &Arrival) -> Result<Balanced, DropReason> {
    Packed(services_balance(packet.vrf, packet.inner.length, arrival.balance.into())).unpack()
}

/// Exported, for the verifier then looks at it once, and not again for each state that a caller may be in.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn services_balance(vrf: u32, octets: u32, anywhere: u32) -> u64 {
    Packed::pack(find_backend(vrf, octets, anywhere != 0)).0
}

#[inline(always)]
fn find_backend(vrf: u32, octets: u32, anywhere: bool) -> Result<Balanced, DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let draft = Draft::of_this_cpu().ok_or(DropReason::NoFlowTable)?;
    if translation.quoted == 0 && matches!(translation.protocol, ICMP | ICMPV6) {
        return Ok(Balanced::Local);
    }
    translation.need_ports()?;
    let asked = Asked { vrf, family: translation.leaves.family, octets, anywhere };
    let chosen = match flows::follow(&asked, translation, draft) {
        Some(chosen) => chosen,
        None => choose(&asked, translation, draft)?,
    };
    chosen.count(service_counter::FORWARDED, &asked);
    Ok(Balanced::To(To { next_hop: chosen.next_hop, source: chosen.source() }))
}

/// For a flow that is new. An ICMP error makes none: it goes where the flow would be.
#[inline(always)]
fn choose(asked: &Asked, translation: &mut Translation, draft: &mut Draft) -> Result<Chosen, DropReason> {
    let service = Service::find(asked.vrf, translation).ok_or(DropReason::NoSuchService)?;
    let affine = affinity::backend(asked, translation, draft, &service);
    let Some(chosen) = affine.or_else(|| service.backend(asked, translation)) else {
        let counter = service.entry.counter;
        counters::count_service(counter, service_counter::REFUSED, asked.octets);
        return Err(DropReason::NoBackend);
    };
    if translation.quoted != 0 {
        chosen.translate(translation, [translation.leaves.ports[0], chosen.port()]);
        return Ok(chosen);
    }
    affinity::keep(asked, translation, draft, &service, &chosen)?;
    flows::open(asked, translation, draft, &chosen)?;
    chosen.count(service_counter::FLOWS, asked);
    Ok(chosen)
}
