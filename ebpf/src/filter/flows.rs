//! Answers to what was let through.

use srv6_types::{
    DropReason,
    maps::{FlowEntry, FlowKey, flow_kind, flow_state},
};

use super::{passage::Passage, rules::judge};
use crate::{flow, packet::Tuple};

#[inline(always)]
fn key(passage: &Passage, tuple: &Tuple, scope: u32) -> FlowKey {
    FlowKey { scope, ..tuple.key(passage.protocol, flow_kind::ADMITTED) }
}

/// Whether it answers something that was let through, and would be by the rules of today.
#[inline(never)]
pub(super) fn is_admitted(passage: &mut Passage, vrf: u32) -> bool {
    let key = key(passage, &passage.tuple, passage.scope);
    let Some(entry) = flow::find(vrf, &key) else { return false };
    if entry.generation != passage.set {
        let (direction, port) = (passage.direction, passage.port);
        passage.ask_about_other_direction();
        let verdict = judge(passage);
        (passage.direction, passage.port) = (direction, port);
        if !verdict.accepts() {
            return false;
        }
        entry.generation = passage.set;
    }
    if !passage.error {
        flow::touch(entry, passage.protocol, passage.tcp_flags, true);
    }
    true
}

/// Sees to it that the answer can come back, where the rules would drop it.
#[inline(never)]
pub(super) fn admit_answer(passage: &mut Passage, vrf: u32) -> Result<(), DropReason> {
    passage.ask_about_other_direction();
    if judge(passage).accepts() {
        return Ok(());
    }
    let key = key(passage, &passage.tuple.reversed(), passage.scope ^ 1);
    let Some(entry) = flow::find(vrf, &key) else {
        let entry = FlowEntry {
            address: [0; 16],
            ports: [0; 4],
            target: 0,
            generation: passage.set,
            state: flow_state::OPENING,
            seen: flow::now(),
        };
        return flow::insert(vrf, &key, &entry);
    };
    if entry.generation != passage.set {
        entry.generation = passage.set;
    }
    if entry.state == flow_state::CLOSING && passage.is_first_of_connection() {
        entry.state = flow_state::OPENING;
    }
    flow::touch(entry, passage.protocol, passage.tcp_flags, false);
    Ok(())
}
