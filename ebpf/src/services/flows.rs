//! A flow has an entry for each direction: `BALANCED` from the client, `REPLY` from the backend.

use srv6_types::{
    DropReason,
    maps::{FlowEntry, flow_kind, flow_state},
};

use super::{Asked, Chosen};
use crate::{
    flow::{self, Draft},
    packet::{Translation, Tuple, headers::protocol},
};

/// Ports that a client may appear to have at a backend.
const CANDIDATES: u16 = 8;
/// The others lie above the system ports, RFC 6335 section 6.
const FIRST_CANDIDATE: u16 = 1024;

/// To the backend that the flow has, as long as that takes packets.
#[inline(always)]
pub(super) fn follow(asked: &Asked, translation: &mut Translation, draft: &mut Draft) -> Option<Chosen> {
    let (upper, flags) = (translation.protocol, translation.tcp_flags);
    draft.set_key(&translation.leaves, upper, flow_kind::BALANCED);
    let entry = flow::find(asked.vrf, &draft.key)?;
    if flow::begins_anew(entry, upper, flags) {
        return None;
    }
    let chosen = Chosen::new(asked, entry.target)?;
    if chosen.entry.generation != entry.generation {
        return None;
    }
    chosen.translate(translation, ports(entry));
    // Answers of a remote backend do not come by here.
    let answered = chosen.is_direct() && flow::implies_answer(upper, flags);
    if translation.quoted == 0 && flow::touch(entry, upper, flags, answered) && !chosen.is_direct() {
        tell_answers(asked, translation, draft, &chosen, entry.state);
    }
    Some(chosen)
}

/// The entries are forgotten one by one when the table is full: without this one answers would go untranslated.
#[inline(always)]
fn tell_answers(asked: &Asked, translation: &Translation, draft: &mut Draft, chosen: &Chosen, state: u32) {
    draft.set_answers_key(&translation.leaves, translation.protocol, flow_kind::REPLY);
    if !flow::tell(asked.vrf, &draft.key, state) {
        set_answers_entry(translation, draft, chosen, state);
        _ = flow::insert_new(asked.vrf, &draft.key, &draft.entry);
    }
}

/// What makes an answer one of the VIP's.
#[inline(always)]
fn set_answers_entry(translation: &Translation, draft: &mut Draft, chosen: &Chosen, state: u32) {
    let wanted = &translation.came;
    draft.entry = FlowEntry {
        address: wanted.destination.octets(),
        ports: octets([wanted.ports[1], wanted.ports[0]]),
        target: chosen.entry.service.into(),
        generation: 0,
        state,
        seen: flow::now(),
    };
}

#[inline(always)]
pub(super) const fn ports(entry: &FlowEntry) -> [u16; 2] {
    let [a, b, c, d] = entry.ports;
    [u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])]
}

#[inline(always)]
const fn octets(ports: [u16; 2]) -> [u8; 4] {
    let [[a, b], [c, d]] = [ports[0].to_ne_bytes(), ports[1].to_ne_bytes()];
    [a, b, c, d]
}

/// Gives a new flow its entries, and the packet its translation.
#[inline(always)]
pub(super) fn open(
    asked: &Asked,
    translation: &mut Translation,
    draft: &mut Draft,
    chosen: &Chosen,
) -> Result<(), DropReason> {
    if !chosen.is_direct() {
        chosen.translate(translation, [translation.came.ports[0], chosen.port()]);
        claim_answers(asked, translation, draft, chosen)?;
    }
    draft.set_key(&translation.came, translation.protocol, flow_kind::BALANCED);
    draft.entry = FlowEntry {
        address: chosen.entry.address,
        ports: octets(translation.leaves.ports),
        target: chosen.index,
        generation: chosen.entry.generation,
        state: flow_state::OPENING,
        seen: flow::now(),
    };
    flow::insert(asked.vrf, &draft.key, &draft.entry)
}

/// The backend's answers are the flow's alone: a client that speaks from one port to two VIPs of the same backend gets
/// another port there.
#[inline(always)]
fn claim_answers(
    asked: &Asked,
    translation: &mut Translation,
    draft: &mut Draft,
    chosen: &Chosen,
) -> Result<(), DropReason> {
    set_answers_entry(translation, draft, chosen, flow_state::OPENING);
    for candidate in 0..CANDIDATES {
        if candidate != 0 {
            translation.leaves.ports[0] = other_port(&translation.came, candidate);
        }
        draft.set_answers_key(&translation.leaves, translation.protocol, flow_kind::REPLY);
        if flow::claim(asked.vrf, &draft.key, &draft.entry)? {
            return Ok(());
        }
        if translation.protocol == protocol::SCTP {
            return Err(DropReason::Untranslatable);
        }
    }
    Err(DropReason::NoBackend)
}

/// Scattered by the VIP as well, so that services do not run after each other.
#[inline(always)]
const fn other_port(wanted: &Tuple, candidate: u16) -> u16 {
    let [a, b, c, d] = wanted.destination.0;
    let word = (a ^ b ^ c ^ d) ^ (wanted.ports[0] as u32) << 16 ^ wanted.ports[1] as u32;
    let scattered = word.wrapping_add(candidate as u32).wrapping_mul(0x9e37_79b9) >> 16;
    (FIRST_CANDIDATE + scattered as u16 % (u16::MAX - FIRST_CANDIDATE)).to_be()
}
