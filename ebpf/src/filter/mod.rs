//! Filters of circuits: which packets may pass a circuit, in either direction.
//!
//! **Who the ends are.** The near end is the host behind the circuit, with address and port as they stand on the circuit's
//! wire. The far end is the host that is really there, not what stands for it: behind a VIP the backend, behind an egress
//! address the host. So a packet is (source as it came, destination as it leaves) in both directions, and a request and its
//! answer mirror each other whatever is translated between them, be it the source, the destination or both. A VIP is the far
//! end itself where the backend is another PE's to choose (it answers in the VIP's name, too).
//!
//! **Stateful return.** The answer to a packet that was let through goes through. Where the rules would drop it, the packet
//! leaves an `ADMITTED` flow for it, bound to circuit and direction; a packet that finds one needs no rule. A SYN
//! without ACK and an ICMP query are no answers: they need a rule. Once the filter is another, the flow holds only if the new
//! rules let through what opened it. Who opened a flow is not remembered beyond that.
//!
//! **ICMP errors** pass where a packet of the flow that they are about would pass in their direction; any other
//! is judged by the rules for ICMP.
//!
//! **Not filtered**: ARP and neighbour discovery, what is for this node's own addresses, what the programs say.

mod flows;
mod passage;
mod rules;

use aya_ebpf::{macros::map, maps::PerCpuArray};
use srv6_types::{
    DropReason,
    maps::{FilterRuleKey, NAME, Tally, admitted_scope, filter_direction},
};

use crate::packet::{Packet, Translation, read_upper};
use passage::Passage;
use rules::{FILTER_RULES, judge};

/// Twice as many as rules: a filter that is replaced is there twice for a moment.
pub(super) const RULES: u32 = 2 * 65_536;

#[map]
static FILTER_COUNTERS: PerCpuArray<Tally> = PerCpuArray::with_max_entries(RULES, 0);

/// The rule that dropped the last packet on this CPU.
#[map]
static DENIED: PerCpuArray<FilterRuleKey> = PerCpuArray::with_max_entries(1, 0);

/// A packet from the circuit `ifindex` of `vrf`, its destination translated, its source not yet.
#[inline(always)]
pub(crate) fn from_circuit(packet: &Packet, vrf: u32, ifindex: u32, filter: u32) -> Result<(), DropReason> {
    pass(packet, vrf, admitted_scope(ifindex, filter_direction::IN), filter)
}

/// A packet to the circuit `ifindex` of the VRF that it is in by now.
#[inline(always)]
pub(crate) fn to_circuit(packet: &Packet, ifindex: u32, filter: u32) -> Result<(), DropReason> {
    if !packet.translated {
        // Leaked from a VRF that remembers no flows.
        read_upper(packet)?;
    }
    pass(packet, packet.vrf, admitted_scope(ifindex, filter_direction::OUT), filter)
}

#[inline(never)]
fn pass(packet: &Packet, vrf: u32, scope: u32, filter: u32) -> Result<(), DropReason> {
    let translation = Translation::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let passage = Passage::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    passage.fill(packet, translation, scope);
    match filter_decide(vrf, filter, packet.inner.length) {
        PASSES => Ok(()),
        // Never another code than that of a reason.
        code => Err(DropReason::from_code(code - 1).unwrap_or(DropReason::Filtered)),
    }
}

/// What [`filter_decide`] returns besides the code of a reason, plus one.
const PASSES: u32 = 0;

/// Decides about this CPU's [`Passage`]. A global function, which the verifier looks at by itself, and not anew for each of the
/// ways that lead here; such may return numbers only.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn filter_decide(vrf: u32, filter: u32, octets: u32) -> u32 {
    match decide(vrf, filter, octets) {
        Ok(()) => PASSES,
        Err(reason) => reason as u32 + 1,
    }
}

#[inline(always)]
fn decide(vrf: u32, filter: u32, octets: u32) -> Result<(), DropReason> {
    let passage = Passage::of_this_packet().ok_or(DropReason::NoFlowTable)?;
    let Some(entry) = rules::filter(filter) else {
        // A circuit that names it is set after it, and removed before it: torn by hand.
        note(0, 0);
        return Err(DropReason::Filtered);
    };
    (passage.set, passage.flags) = (entry.set, entry.flags);
    if passage.may_be_denied() && passage.answers && flows::is_admitted(passage, vrf) {
        count(entry.admitted, octets);
        return Ok(());
    }
    let mut verdict = judge(passage);
    if passage.error && !verdict.accepts() {
        passage.ask_about_error();
        verdict = judge(passage);
    }
    if verdict.is_open() {
        return Err(passage.why_open());
    }
    count(if verdict.rule() == 0 { entry.unmatched } else { verdict.counter() }, octets);
    if !verdict.accepts() {
        note(entry.set, verdict.rule());
        return Err(DropReason::Filtered);
    }
    if passage.opens && passage.answer_may_be_denied() { flows::admit_answer(passage, vrf) } else { Ok(()) }
}

#[inline(always)]
fn count(counter: u32, octets: u32) {
    crate::counters::add(FILTER_COUNTERS.get_ptr_mut(counter), octets);
}

#[inline(always)]
fn note(set: u32, rule: u32) {
    if let Some(denied) = DENIED.get_ptr_mut(0) {
        // SAFETY: this CPU's own value.
        unsafe { *denied = FilterRuleKey { set, rule: rule.wrapping_sub(1) } };
    }
}

/// The name of the rule that has just dropped a packet on this CPU.
#[inline(always)]
pub(crate) fn denying_rule() -> Option<&'static [u8; NAME]> {
    let denied = DENIED.get_ptr_mut(0)?;
    // SAFETY: this CPU's own value; rules are removed when no packet can be looking at them any more.
    unsafe { FILTER_RULES.get(&*denied).map(|rule| &rule.name) }
}
