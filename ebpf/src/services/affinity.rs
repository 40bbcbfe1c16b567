//! Session affinity: a client's flows to a service all go to one backend.

use srv6_types::{
    DropReason,
    maps::{FlowEntry, FlowKey, backend_flag, flow_kind, flow_state},
};

use super::{Chosen, Service};
use crate::{
    flow::{self, Draft},
    packet::{Packet, Translation, Tuple},
};

const SECOND: u64 = 1_000_000_000;

/// The backend that the client had.
#[inline(always)]
pub(super) fn backend(
    packet: &Packet,
    translation: &Translation,
    draft: &mut Draft,
    service: &Service,
    anywhere: bool,
) -> Option<Chosen> {
    if service.entry.affinity == 0 {
        return None;
    }
    draft.key = key(translation);
    let allowed = u64::from(service.entry.affinity) * SECOND;
    let had = flow::find_within(packet.vrf, &draft.key, allowed)?;
    let chosen = Chosen::new(packet, had.target, anywhere)?;
    let same = chosen.entry.generation == had.generation;
    (same && chosen.entry.flags & backend_flag::DRAINING == 0).then_some(chosen)
}

/// Remembers which backend the client has.
#[inline(always)]
pub(super) fn keep(
    packet: &Packet,
    translation: &Translation,
    draft: &mut Draft,
    service: &Service,
    chosen: &Chosen,
) -> Result<(), DropReason> {
    if service.entry.affinity == 0 {
        return Ok(());
    }
    draft.key = key(translation);
    draft.entry = FlowEntry {
        address: chosen.entry.address,
        ports: [0; 4],
        target: chosen.index,
        generation: chosen.entry.generation,
        state: flow_state::ESTABLISHED,
        seen: flow::now(),
    };
    flow::insert(packet.vrf, &draft.key, &draft.entry)
}

#[inline(always)]
fn key(translation: &Translation) -> FlowKey {
    let client = Tuple { ports: [0, translation.leaves.ports[1]], ..translation.leaves };
    client.key(translation.protocol, flow_kind::AFFINITY)
}
