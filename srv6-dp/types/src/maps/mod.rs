//! Keys and values of the eBPF maps. Host byte order unless a field says otherwise; addresses in network order.
//!
//! A change here changes [`LAYOUT`], and with it whether pinned maps are taken over or made anew.

mod egress;
mod filter;
mod flow;
mod service;

pub use egress::*;
pub use filter::*;
pub use flow::*;
pub use service::*;

/// Version of the layouts below; raise it with every change to them.
pub const LAYOUT: u32 = 4;

/// Most segments of one encapsulation.
pub const MAX_SEGMENTS: usize = 4;

/// Key of the IPv4 FIB's trie behind its 32-bit prefix length: 8 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FibKey4 {
    /// VRF id in network order, so that it is matched first.
    pub vrf: [u8; 4],
    /// Destination.
    pub addr: [u8; 4],
}

/// Key of the IPv6 FIB's trie behind its 32-bit prefix length: 20 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FibKey6 {
    /// VRF id in network order, so that it is matched first.
    pub vrf: [u8; 4],
    /// Destination.
    pub addr: [u8; 16],
}

/// An address of a VRF by itself: 24 octets. Key of `OWN` and of the index of egress addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct HostKey {
    /// VRF.
    pub vrf: u32,
    /// 4 or 6.
    pub family: u32,
    /// The address; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
}

/// What `NextHopEntry::kind` may hold.
pub mod next_hop_kind {
    /// The slot is free.
    pub const NONE: u32 = 0;
    /// Encapsulate; the first segment is the outer destination, the rest in an SRH (H.Encaps.Red).
    pub const ENCAPS_RED: u32 = 1;
    /// Encapsulate with every segment in the SRH (H.Encaps).
    pub const ENCAPS: u32 = 2;
    /// Out of `ifindex` to the neighbour `address` of the packet's own family or another.
    pub const GATEWAY: u32 = 3;
    /// Out of `ifindex` to the packet's destination itself.
    pub const CONNECTED: u32 = 4;
    /// An address of this PE (a gateway address) on the circuit `ifindex`, or on all: answered by the program.
    pub const LOCAL: u32 = 5;
    /// Look the destination up again in VRF `vrf`.
    pub const VRF: u32 = 6;
    /// Refuse with an ICMP unreachable.
    pub const UNREACHABLE: u32 = 7;
    /// Drop in silence (but counted).
    pub const BLACKHOLE: u32 = 8;
    /// A VIP of this node's services.
    pub const SERVICE: u32 = 9;
    /// An address of this node that hosts are translated to.
    pub const EGRESS: u32 = 10;
}

/// A next hop, by index: 104 octets. One entry serves every route of a remote SID or neighbour, so that a
/// failure is one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct NextHopEntry {
    /// One of [`next_hop_kind`].
    pub kind: u32,
    /// Interface of `GATEWAY`, `CONNECTED` and `LOCAL`; of the latter 0 for every circuit of the VRF.
    pub ifindex: u32,
    /// Table of `VRF`.
    pub vrf: u32,
    /// 4 or 6: the family of `address`.
    pub address_family: u32,
    /// Neighbour of `GATEWAY`; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
    /// Number of `segments`, 1 to [`MAX_SEGMENTS`].
    pub segment_count: u32,
    /// Reserved, zero.
    pub reserved: u32,
    /// The path in the order of travel; the service SID is the last.
    pub segments: [[u8; 16]; MAX_SEGMENTS],
}

/// An attachment circuit, by ifindex: 52 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct CircuitEntry {
    /// VRF the circuit belongs to.
    pub vrf: u32,
    /// MTU of the interface in octets, layer 3.
    pub mtu: u32,
    /// The circuit's IPv4 gateway address (source of ICMP errors), zero when it has none.
    pub gateway4: [u8; 4],
    /// MAC address of the interface.
    pub mac: [u8; 6],
    /// Bits of [`circuit_flag`].
    pub flags: u16,
    /// The circuit's IPv6 gateway address, zero when it has none.
    pub gateway6: [u8; 16],
    /// Id of its filter, 0 for none.
    pub filter: u32,
    /// Class of its hosts' egress policies, 0 for none.
    pub egress: u32,
    /// With [`circuit_flag::HOST_MAC`], the MAC address that its hosts have.
    pub host_mac: [u8; 6],
    /// Reserved, zero.
    pub reserved: [u8; 2],
}

/// Bits of [`CircuitEntry::flags`].
pub mod circuit_flag {
    /// The program answers ARP and neighbour solicitations for all that is not on the circuit itself.
    pub const PROXY: u16 = 1;
    /// Answers of the hosts to TCP connections of the node are the kernel's.
    pub const PROBES: u16 = 2;
    /// The hosts' MAC address is known.
    pub const HOST_MAC: u16 = 4;
}

/// A VRF, by id: 32 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct VrfEntry {
    /// Bits of [`vrf_flag`].
    pub flags: u32,
    /// Source of ICMP errors to packets that came over the core, zero when the VRF has none.
    pub icmp_source4: [u8; 4],
    /// The same for IPv6.
    pub icmp_source6: [u8; 16],
    /// Most entries of its flow table; 0 without one.
    pub flows: u32,
    /// Reserved, zero.
    pub reserved: u32,
}

/// Bits of [`VrfEntry::flags`].
pub mod vrf_flag {
    /// The VRF exists.
    pub const EXISTS: u32 = 1;
    /// It has services: what comes from circuits may be a backend's answer.
    pub const SERVICES: u32 = 2;
    /// It has egress policies for what comes from circuits.
    pub const EGRESS: u32 = 4;
}

/// A local SID, by its 16 octets: 20 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct SidEntry {
    /// Endpoint behaviour code point ([`crate::Behavior`]).
    pub behavior: u32,
    /// Table that the inner destination is looked up in.
    pub vrf: u32,
    /// Index of the SID's counters.
    pub counter: u32,
    /// Bits of [`sid_flag`].
    pub flags: u32,
    /// With [`sid_flag::EGRESS`], the index of the egress address.
    pub egress: u32,
}

/// Bits of [`SidEntry::flags`].
pub mod sid_flag {
    /// What comes for a VIP may go to every backend. Without it, to those behind this node only: another node has chosen
    /// already.
    pub const BALANCE: u32 = 1;
    /// The source is translated to an egress address.
    pub const EGRESS: u32 = 2;
}

/// Node-wide settings, the only slot of an array: 32 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct NodeConfig {
    /// Source address of outer headers.
    pub source: [u8; 16],
    /// [`LAYOUT`] of the user space that wrote the maps.
    pub layout: u32,
    /// Hop limit of outer headers; 0 means 64.
    pub hop_limit: u32,
    /// Reserved, zero.
    pub reserved: [u32; 2],
}

/// Packets and octets (layer 3, inner), per CPU: 16 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tally {
    /// Packets; a GSO super-packet counts as one.
    pub packets: u64,
    /// Octets of the inner packets.
    pub bytes: u64,
}

/// What is counted per VRF; the array's index is `vrf * COUNT + counter`.
pub mod vrf_counter {
    /// Taken in from a circuit.
    pub const FROM_CIRCUIT: u32 = 0;
    /// Sent into the core, encapsulated.
    pub const ENCAPSULATED: u32 = 1;
    /// Taken in from the core, decapsulated.
    pub const DECAPSULATED: u32 = 2;
    /// Sent out of a circuit.
    pub const DELIVERED: u32 = 3;
    /// Answered by the programs themselves (ARP, ND, echo, ICMP errors).
    pub const ANSWERED: u32 = 4;
    /// Dropped, for whatever reason.
    pub const DROPPED: u32 = 5;
    /// Number of counters of a VRF.
    pub const COUNT: u32 = 6;
}

/// Key of the drop counters (a per-CPU hash of `u64`): 8 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct DropKey {
    /// VRF, 0 where none was known yet.
    pub vrf: u32,
    /// A [`crate::DropReason`] code.
    pub reason: u32,
}

/// A drop, as the ring buffer carries it: 84 octets. Rate-limited per CPU, so it is a sample and no account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DropEvent {
    /// VRF, 0 where none was known yet.
    pub vrf: u32,
    /// A [`crate::DropReason`] code.
    pub reason: u32,
    /// Interface the packet came in by.
    pub ifindex: u32,
    /// 4 or 6: family of the addresses (of the inner packet); 0 when it was not parsed that far.
    pub family: u8,
    /// IP protocol or IPv6 next header.
    pub protocol: u8,
    /// Reserved, zero.
    pub reserved: u16,
    /// Source; an IPv4 address stands in the first four octets.
    pub source: [u8; 16],
    /// Destination, the same way.
    pub destination: [u8; 16],
    /// Source port of TCP and UDP, network order, else zero.
    pub source_port: [u8; 2],
    /// Destination port, the same way.
    pub destination_port: [u8; 2],
    /// Name of the rule that dropped it, zeroes behind it; all zero where no rule did.
    pub rule: [u8; NAME],
}

macro_rules! layouts {
    ($($name:ident: $size:literal;)+) => {
        const _: () = { $(assert!(size_of::<$name>() == $size, stringify!($name));)+ };
        // SAFETY: each is `repr(C)`, without padding (the sizes above are the sums of the fields) and valid for
        // any bit pattern.
        #[cfg(feature = "aya")]
        #[allow(unsafe_code)]
        mod pod { $(unsafe impl aya::Pod for super::$name {})+ }
    };
}
layouts! {
    FibKey4: 8;
    FibKey6: 20;
    NextHopEntry: 104;
    CircuitEntry: 52;
    VrfEntry: 32;
    SidEntry: 20;
    NodeConfig: 32;
    Tally: 16;
    DropKey: 8;
    DropEvent: 84;
    FlowKey: 44;
    FlowEntry: 40;
    ServiceKey: 24;
    ServiceEntry: 32;
    BackendEntry: 32;
    HostKey: 24;
    EgressEntry: 48;
    EgressPolicyEntry: 128;
    FilterEntry: 20;
    FilterKey4: 8;
    FilterKey6: 20;
    FilterClass: 16;
    FilterPortKey: 12;
    FilterVerdict: 12;
    FilterRuleKey: 8;
    FilterRuleEntry: 64;
    EgressMember: 24;
}
