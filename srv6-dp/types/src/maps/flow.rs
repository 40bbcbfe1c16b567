//! The flow tables: one per VRF, so that a tenant's flood costs nobody else a flow.

/// Version of [`FlowKey`], [`FlowEntry`] and what they mean; raise it with every change to them. Flow tables outlive
/// the other maps, and are made anew only when this changes.
pub const FLOW_LAYOUT: u32 = 1;

/// Key of a VRF's flow table: 44 octets. The VRF is not in it, for each has a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FlowKey {
    /// Source of the packet that finds the entry; an IPv4 address stands in the first four octets.
    pub source: [u8; 16],
    /// Its destination, the same way.
    pub destination: [u8; 16],
    /// Source and destination port as they stand on the wire; of ICMP echo the identifier, twice.
    pub ports: [u8; 4],
    /// What the entry is bound to besides: of [`flow_kind::ADMITTED`] the ifindex of the circuit.
    pub scope: u32,
    /// IP protocol.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// One of [`flow_kind`].
    pub kind: u16,
}

/// What a flow has been given: 40 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FlowEntry {
    /// The address that takes the place of the packet's own; which of the two, the kind says.
    pub address: [u8; 16],
    /// Source and destination port that the packet leaves with, as on the wire.
    pub ports: [u8; 4],
    /// `BALANCED` and `AFFINITY`: index of the backend. `REPLY`: index of the service's counters.
    pub target: u32,
    /// Generation of the backend: the slot may be another's by now.
    pub generation: u32,
    /// One of [`flow_state`].
    pub state: u32,
    /// When a packet was last seen, nanoseconds of the kernel's monotonic clock; to a second.
    pub seen: u64,
}

/// What an entry is for, and what its key and `address` are.
pub mod flow_kind {
    /// Client to VIP; `address` is the backend, the new destination.
    pub const BALANCED: u16 = 1;
    /// Backend to client; `address` is the VIP, the new source.
    pub const REPLY: u16 = 2;
    /// A client's backend under session affinity: source, VIP and its port; the client's port is zero.
    pub const AFFINITY: u16 = 3;
    /// A host's mapping at an egress address (endpoint-independent, RFC 4787 section 4.1). Key: the host with its port
    /// as the source, the egress address as the destination, its port zero. `ports`: the mapped port, as the source.
    pub const OUTBOUND: u16 = 4;
    /// The owner of a mapped port: it alone decides whose the port is. Key: source zero, the egress address with the port
    /// as the destination. `address` and the destination of `ports` are the host's.
    pub const INBOUND: u16 = 5;
    /// A packet that a filter lets through at circuit `scope`, for it answers one that a rule had allowed.
    pub const ADMITTED: u16 = 6;
    /// The ports of a fragmented packet. Key: `ports` is the identification. Entry: `ports` are the ports.
    pub const FRAGMENT: u16 = 7;
}

/// How far a flow has come; decides how long it may be idle.
pub mod flow_state {
    /// Nobody has answered.
    pub const OPENING: u32 = 0;
    /// Packets go both ways.
    pub const ESTABLISHED: u32 = 1;
    /// A FIN or RST was seen.
    pub const CLOSING: u32 = 2;
}

/// Idle time after which a flow counts for nothing, in nanoseconds. RFC 5382 section 5 (TCP), RFC 4787 section 4.3 (UDP),
/// RFC 5508 section 3.2 (ICMP).
pub const fn lifetime(protocol: u8, state: u32) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const TCP: u8 = 6;
    const ICMP: u8 = 1;
    const ICMPV6: u8 = 58;
    const SCTP: u8 = 132;
    SECOND
        * match (protocol, state) {
            (TCP | SCTP, flow_state::ESTABLISHED) => 7440,
            (TCP | SCTP, flow_state::CLOSING) => 30,
            (TCP | SCTP, _) => 240,
            (ICMP | ICMPV6, _) => 60,
            (_, flow_state::OPENING) => 120,
            _ => 300,
        }
}

/// How long the ports of a fragmented packet are known: as long as Linux waits for fragments.
pub const FRAGMENT_LIFETIME: u64 = 30_000_000_000;
