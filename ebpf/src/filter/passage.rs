use aya_ebpf::{macros::map, maps::PerCpuArray};
use srv6_types::{
    DropReason,
    maps::{FlowEntry, FlowKey, filter_direction, filter_flag},
};

use super::rules::hides_protocol;
use crate::packet::{
    Address, Family, Packet, Translation, Tuple,
    headers::{Icmp, protocol},
};

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// A packet at a filter, and what the rules are asked about it.
#[repr(C)]
pub(super) struct Passage {
    /// Source as it came, destination as it leaves; of an ICMP query the identifier that the near end knows.
    pub(super) tuple: Tuple,
    /// What a flow is looked up by, and made of.
    pub(super) key: FlowKey,
    pub(super) flow: FlowEntry,
    /// Far end of an ICMP error that is judged as such: who sent it, which need not be an end of the flow.
    sender: Address,
    /// Circuit and direction.
    pub(super) scope: u32,
    /// Rules in force.
    pub(super) set: u32,
    /// Bits of [`filter_flag`].
    pub(super) flags: u32,
    /// Direction that the rules are asked about.
    pub(super) direction: u32,
    /// Destination port that they are asked about, as on the wire.
    pub(super) port: u16,
    /// Protocol that they are asked about.
    pub(super) protocol: u8,
    pub(super) tcp_flags: u8,
    pub(super) knows_port: bool,
    pub(super) knows_protocol: bool,
    /// The rules are asked about the error's sender.
    by_sender: bool,
    later_fragment: bool,
    /// It may be the answer to something.
    pub(super) answers: bool,
    /// It may be answered.
    pub(super) opens: bool,
    /// An ICMP error about a flow, of which `tuple` is.
    pub(super) error: bool,
}

/// Too large for the stack. One packet at a time is on its way on a CPU.
#[map]
static PASSAGE: PerCpuArray<Passage> = PerCpuArray::with_max_entries(1, 0);

impl Passage {
    /// This CPU's.
    #[inline(always)]
    pub(super) fn of_this_packet() -> Option<&'static mut Self> {
        // SAFETY: the program runs with bottom halves off, and holds no other reference.
        PASSAGE.get_ptr_mut(0).map(|passage| unsafe { &mut *passage })
    }

    #[inline(always)]
    pub(super) fn fill(&mut self, packet: &Packet, upper: &Translation, scope: u32) {
        self.scope = scope;
        self.sender = packet.inner.source;
        self.direction = scope & 1;
        self.tuple.source = upper.came.source;
        self.tuple.destination = upper.leaves.destination;
        self.tuple.family = packet.inner.family;
        self.tuple.ports = [upper.came.ports[0], upper.leaves.ports[1]];
        if is_icmp(upper.protocol, packet.inner.family) {
            let near = identifier(upper, self.direction);
            self.tuple.ports = [near, near];
        }
        (self.protocol, self.tcp_flags) = (upper.protocol, upper.tcp_flags);
        self.port = self.tuple.ports[1];
        self.knows_port = upper.has_ports != 0;
        self.knows_protocol = self.knows_port || !hides_protocol(upper.protocol);
        (self.error, self.by_sender) = (upper.quoted != 0, false);
        self.later_fragment = upper.later_fragment != 0;
        (self.answers, self.opens) = (self.knows_port, self.knows_port);
        if self.error || self.later_fragment {
            self.opens = false;
        } else if upper.protocol == protocol::TCP {
            self.answers &= upper.tcp_flags & (SYN | ACK) != SYN;
        } else if is_icmp(upper.protocol, packet.inner.family) {
            self.classify_icmp(packet, upper);
        }
    }

    /// Of ICMP, a query is never an answer, and only queries are answered.
    #[inline(always)]
    fn classify_icmp(&mut self, packet: &Packet, upper: &Translation) {
        let at = packet.skb.frame().at::<Icmp>(packet.offset() + upper.transport as usize);
        // SAFETY: `at` has checked the bounds.
        let kind = at.map_or(0, |icmp| unsafe { (*icmp).kind });
        let of_query = upper.portless == 0;
        self.opens &= of_query && matches!(kind, 8 | 13 | 15 | 17 | 128);
        self.answers &= of_query && !matches!(kind, 8 | 13 | 15 | 17 | 128);
    }

    /// The far end that the rules are asked about.
    #[inline(always)]
    pub(super) fn far(&self) -> &Address {
        match self.scope & 1 {
            filter_direction::IN => &self.tuple.destination,
            _ if self.by_sender => &self.sender,
            _ => &self.tuple.source,
        }
    }

    /// Asks about the error instead of the flow that it is about.
    #[inline(always)]
    pub(super) fn ask_about_error(&mut self) {
        (self.by_sender, self.port) = (true, 0);
        self.protocol = match self.tuple.family {
            Family::V4 => protocol::ICMP,
            Family::V6 => protocol::ICMPV6,
        };
    }

    /// Why it is not known what the rules ask about.
    #[inline(always)]
    pub(super) const fn why_open(&self) -> DropReason {
        if self.later_fragment { DropReason::FragmentBeforeFirst } else { DropReason::Malformed }
    }

    /// Asks about packets of the same flow in the other direction.
    #[inline(always)]
    pub(super) fn ask_about_other_direction(&mut self) {
        self.direction ^= 1;
        self.port = self.tuple.ports[0];
    }

    #[inline(always)]
    pub(super) const fn may_be_denied(&self) -> bool {
        self.flags & denies(self.scope & 1) != 0
    }

    #[inline(always)]
    pub(super) const fn answer_may_be_denied(&self) -> bool {
        self.flags & denies(self.scope & 1 ^ 1) != 0
    }

    #[inline(always)]
    pub(super) const fn is_first_of_connection(&self) -> bool {
        self.protocol == protocol::TCP && self.tcp_flags & (SYN | ACK) == SYN
    }
}

#[inline(always)]
const fn denies(direction: u32) -> u32 {
    match direction {
        filter_direction::IN => filter_flag::DENIES_IN,
        _ => filter_flag::DENIES_OUT,
    }
}

/// Of an ICMP query, as it stands on the circuit's wire: there is one, and source or destination has changed it.
#[inline(always)]
fn identifier(upper: &Translation, direction: u32) -> u16 {
    let (came, [source, destination]) = (upper.came.ports[0], upper.leaves.ports);
    match direction {
        filter_direction::IN => came,
        _ if source != came => source,
        _ => destination,
    }
}

#[inline(always)]
fn is_icmp(upper: u8, family: Family) -> bool {
    matches!((upper, family), (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6))
}
