use srv6_types::{
    DropReason,
    maps::{flow_kind, next_hop_kind, service_counter},
};

use super::flows::ports;
use crate::{
    counters, fib,
    flow::{self, Draft},
    maps::NEXT_HOPS,
    packet::{Address, Packet, Translation},
};

/// A packet that may be a backend's answer: gives it back the source that the client knows. `false` where it is none.
#[inline(always)]
pub(crate) fn answer(packet: &Packet) -> bool {
    services_answer(packet.vrf, packet.inner.length) != 0
}

/// Exported for the same reason as `services_balance`.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn services_answer(vrf: u32, octets: u32) -> u64 {
    translate(vrf, octets).is_some().into()
}

#[inline(always)]
fn translate(vrf: u32, octets: u32) -> Option<()> {
    let translation = Translation::of_this_packet()?;
    let draft = Draft::of_this_cpu()?;
    translation.need_ports().ok()?;
    let upper = translation.protocol;
    draft.set_key(&translation.leaves, upper, flow_kind::REPLY);
    let entry = flow::find(vrf, &draft.key)?;
    let (leaves, vip) = (&mut translation.leaves, Address::from_octets(&entry.address));
    if leaves.destination == vip {
        // To itself, for the VIP stood between it and itself.
        leaves.destination = leaves.source;
    }
    leaves.source = vip;
    leaves.ports = ports(entry);
    counters::count_service(entry.target, service_counter::REPLIES, octets);
    if translation.quoted == 0 && flow::touch(entry, upper, translation.tcp_flags, true) {
        draft.set_answers_key(&translation.leaves, upper, flow_kind::BALANCED);
        // Where that has gone, the next request brings it back.
        _ = flow::tell(vrf, &draft.key, entry.state);
    }
    Some(())
}

/// A host that forges a VIP: only the program speaks for it.
#[inline(always)]
pub(crate) fn check_source(packet: &Packet) -> Result<(), DropReason> {
    let next_hop = fib::lookup(packet.vrf, packet.inner.family, &packet.inner.source);
    match next_hop.and_then(|index| NEXT_HOPS.get(index)) {
        Some(to) if to.kind == next_hop_kind::SERVICE => Err(DropReason::BadSource),
        _ => Ok(()),
    }
}
