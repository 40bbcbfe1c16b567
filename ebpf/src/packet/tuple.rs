use aya_ebpf::{macros::map, maps::PerCpuArray};
use srv6_types::{DropReason, maps::FlowKey};

use super::{Address, Family};

/// Addresses, protocol and ports: what flows are told apart by.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuple {
    pub(crate) source: Address,
    pub(crate) destination: Address,
    /// Source and destination port as they stand on the wire; of an ICMP query (echo above all) the identifier, twice.
    /// Where it leaves with another, the one of the two that has changed is it.
    pub(crate) ports: [u16; 2],
    pub(crate) family: Family,
}

impl Tuple {
    /// Of the packets that answer.
    #[inline(always)]
    pub(crate) const fn reversed(&self) -> Self {
        let [source, destination] = self.ports;
        Self {
            source: self.destination,
            destination: self.source,
            ports: [destination, source],
            family: self.family,
        }
    }

    #[inline(always)]
    pub(crate) fn key(&self, protocol: u8, kind: u16) -> FlowKey {
        let [[a, b], [c, d]] = [self.ports[0].to_ne_bytes(), self.ports[1].to_ne_bytes()];
        FlowKey {
            source: self.source.octets(),
            destination: self.destination.octets(),
            ports: [a, b, c, d],
            scope: 0,
            protocol,
            family: self.family as u8,
            kind,
        }
    }
}

/// A packet as it came, and as it is to leave. What is to be changed is written last, when nothing can fail any more: what
/// is dropped, and quoted in an error, is the packet that came.
///
/// Of an ICMP error the tuple is that of the packet which would answer the quoted one: the error belongs to its flow.
#[repr(C)]
pub(crate) struct Translation {
    pub(crate) came: Tuple,
    pub(crate) leaves: Tuple,
    /// Octets of the IP packet.
    pub(crate) octets: u32,
    /// Octets from the IP header to the transport header. Headers that lie farther in are not read.
    pub(crate) transport: u8,
    /// Octets from the IP header to the IP header that an ICMP error quotes; 0 where it is none.
    pub(crate) quoted: u8,
    /// Octets from the quoted IP header to its transport header.
    pub(crate) quoted_transport: u8,
    /// The error comes from the host that the quoted packet was for, and not from one on the way.
    pub(crate) from_host: u8,
    /// Transport protocol; of an ICMP error, that of the quoted packet.
    pub(crate) protocol: u8,
    /// Of TCP.
    pub(crate) tcp_flags: u8,
    /// No transport header: a later fragment.
    pub(crate) later_fragment: u8,
    /// The ports are known, or the protocol has none that matter.
    pub(crate) has_ports: u8,
    /// Neither ports nor an identifier that could be translated: another protocol, or a message of ICMP that is none of a
    /// query and belongs to no flow.
    pub(crate) portless: u8,
}

/// Too large for the stack. One packet at a time is on its way on a CPU.
#[map]
static TRANSLATION: PerCpuArray<Translation> = PerCpuArray::with_max_entries(1, 0);

impl Translation {
    /// This CPU's.
    #[inline(always)]
    pub(crate) fn of_this_packet() -> Option<&'static mut Self> {
        // SAFETY: the program runs with bottom halves off, and holds no other reference.
        TRANSLATION.get_ptr_mut(0).map(|translation| unsafe { &mut *translation })
    }

    /// For who needs the ports: why they are not known.
    #[inline(always)]
    pub(crate) fn need_ports(&self) -> Result<(), DropReason> {
        match (self.has_ports, self.later_fragment) {
            (0, 0) => Err(DropReason::Malformed),
            (0, _) => Err(DropReason::FragmentBeforeFirst),
            _ => Ok(()),
        }
    }

    /// The packet leaves as it came.
    #[inline(always)]
    pub(crate) fn is_void(&self) -> bool {
        let (came, leaves) = (&self.came, &self.leaves);
        came.source == leaves.source && came.destination == leaves.destination && came.ports == leaves.ports
    }
}
