//! Session affinity: a client's flows to a service all go to one backend.

use srv6_types::{
    DropReason,
    maps::{FlowEntry, flow_kind, flow_state},
};

use super::{Asked, Chosen, Service};
use crate::{
    flow::{self, Draft},
    packet::Translation,
};

const SECOND: u64 = 1_000_000_000;

/// The backend that the client had.
#[inline(always)]
pub(super) fn backend(
    asked: &Asked,
    translation: &Translation,
    draft: &mut Draft,
    service: &Service,
) -> Option<Chosen> {
    if service.entry.affinity == 0 {
        return None;
    }
    set_key(draft, translation);
    let allowed = u64::from(service.entry.affinity) * SECOND;
    let had = flow::find_within(asked.vrf, &draft.key, allowed)?;
    let chosen = Chosen::new(asked, had.target)?;
    let same = chosen.entry.generation == had.generation;
    (same && chosen.entry.weight != 0).then_some(chosen)
}

/// Remembers which backend the client has.
#[inline(always)]
pub(super) fn keep(
    asked: &Asked,
    translation: &Translation,
    draft: &mut Draft,
    service: &Service,
    chosen: &Chosen,
) -> Result<(), DropReason> {
    if service.entry.affinity == 0 {
        return Ok(());
    }
    set_key(draft, translation);
    draft.entry = FlowEntry {
        address: chosen.entry.address,
        ports: [0; 4],
        target: chosen.index,
        generation: chosen.entry.generation,
        state: flow_state::ESTABLISHED,
        seen: flow::now(),
    };
    flow::insert(asked.vrf, &draft.key, &draft.entry)
}

/// From the client, whatever its port.
#[inline(always)]
fn set_key(draft: &mut Draft, translation: &Translation) {
    draft.set_key(&translation.leaves, translation.protocol, flow_kind::AFFINITY);
    draft.set_ports([0, translation.leaves.ports[1]]);
}
