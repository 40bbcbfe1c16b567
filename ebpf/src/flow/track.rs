use aya_ebpf::helpers::generated as helpers;
use srv6_types::maps::{FlowEntry, flow_state};

use crate::packet::headers::protocol;

/// How often an entry is written for a packet that changes nothing else in it.
const GRAIN: u64 = 1_000_000_000;

const FIN_OR_RST: u8 = 0x05;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Nanoseconds of the coarse monotonic clock.
#[inline(always)]
pub(crate) fn now() -> u64 {
    // SAFETY: no memory is involved.
    unsafe { helpers::bpf_ktime_get_coarse_ns() }
}

/// Notes a packet of the flow; `answer` says that it goes against the direction of the first. Returns whether the entry
/// of the other direction is to be told: for the first time in a while, or because the state has changed.
#[inline(always)]
pub(crate) fn touch(entry: &mut FlowEntry, ip_protocol: u8, tcp_flags: u8, answer: bool) -> bool {
    let now = now();
    let closes = ip_protocol == protocol::TCP && tcp_flags & FIN_OR_RST != 0;
    let state = match entry.state {
        _ if closes => flow_state::CLOSING,
        flow_state::OPENING if answer => flow_state::ESTABLISHED,
        state => state,
    };
    let tell = state != entry.state || now.saturating_sub(entry.seen) >= GRAIN;
    if tell {
        entry.state = state;
        entry.seen = now;
    }
    tell
}

/// A connection of the same ports as one that is over, RFC 9293 section 3.6.1: it owes nothing to what was.
#[inline(always)]
pub(crate) const fn begins_anew(entry: &FlowEntry, ip_protocol: u8, tcp_flags: u8) -> bool {
    entry.state == flow_state::CLOSING && ip_protocol == protocol::TCP && tcp_flags & (SYN | ACK) == SYN
}

/// A packet that the sender has only when it was answered.
#[inline(always)]
pub(crate) const fn implies_answer(ip_protocol: u8, tcp_flags: u8) -> bool {
    ip_protocol == protocol::TCP && tcp_flags & SYN == 0
}
