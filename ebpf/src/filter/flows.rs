//! Answers to what was let through.

use srv6_types::{
    DropReason,
    maps::{FlowEntry, flow_kind, flow_state},
};

use super::{passage::Passage, rules::judge};
use crate::flow;

/// The flow of a packet like this one, in the given direction.
#[inline(always)]
fn find(passage: &mut Passage, vrf: u32, answer: bool) -> Option<&'static mut FlowEntry> {
    let (near, far) = if answer { (1, 0) } else { (0, 1) };
    let key = &mut passage.key;
    let (source, destination) = (passage.tuple.source.octets(), passage.tuple.destination.octets());
    (key.source, key.destination) = if answer { (destination, source) } else { (source, destination) };
    let ports = passage.tuple.ports.map(u16::to_ne_bytes);
    let ([a, b], [c, d]) = (ports[near], ports[far]);
    key.ports = [a, b, c, d];
    key.scope = passage.scope ^ u32::from(answer);
    (key.protocol, key.family, key.kind) =
        (passage.protocol, passage.tuple.family as u8, flow_kind::ADMITTED);
    flow::find(vrf, key)
}

/// Whether it answers something that was let through, and would be by the rules of today.
#[inline(never)]
pub(super) fn is_admitted(passage: &mut Passage, vrf: u32) -> bool {
    let Some(entry) = find(passage, vrf, false) else { return false };
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
    let Some(entry) = find(passage, vrf, true) else {
        // All else of it stays zero.
        passage.flow.generation = passage.set;
        passage.flow.state = flow_state::OPENING;
        passage.flow.seen = flow::now();
        return flow::insert(vrf, &passage.key, &passage.flow);
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
