//! Filters of circuits: rules, and the two lookups that they are compiled to.
//!
//! A filter names the set that holds now. A new one is written beside it and swung in as a whole, so that no packet is
//! judged by half of it.

use super::NAME;

/// A filter, by id: 20 octets. Under id 0, which is no filter's, `set` is the last one that was given away: an id is
/// not used again, for flows remember it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FilterEntry {
    /// The set of rules in force.
    pub set: u32,
    /// Bits of [`filter_flag`].
    pub flags: u32,
    /// Number of its rules.
    pub rules: u32,
    /// Index of the counter of packets that no rule matched.
    pub unmatched: u32,
    /// Index of the counter of packets that went through for they answered others.
    pub admitted: u32,
}

/// Bits of [`FilterEntry::flags`].
pub mod filter_flag {
    /// Some rule drops what comes from the circuit.
    pub const DENIES_IN: u32 = 1;
    /// Some rule drops what goes to the circuit.
    pub const DENIES_OUT: u32 = 2;
}

/// Which way a packet goes, seen from the node.
pub mod filter_direction {
    /// From the circuit.
    pub const IN: u32 = 0;
    /// To the circuit.
    pub const OUT: u32 = 1;
}

/// Key of the classes of IPv4 addresses behind its 32-bit prefix length: 8 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct FilterKey4 {
    /// Set and direction, [`filter_side`].
    pub side: [u8; 4],
    /// The far end.
    pub address: [u8; 4],
}

/// The same for IPv6: 20 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct FilterKey6 {
    /// Set and direction, [`filter_side`].
    pub side: [u8; 4],
    /// The far end.
    pub address: [u8; 16],
}

/// Bits in front of the address in [`FilterKey4`] and [`FilterKey6`].
pub const FILTER_SIDE_BITS: u32 = 32;

/// A set's rules of one direction, in network order so that they are matched first.
pub const fn filter_side(set: u32, direction: u32) -> [u8; 4] {
    (set << 1 | direction & 1).to_be_bytes()
}

/// What the far end's address says of a packet: 16 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FilterClass {
    /// Where protocol and port are looked up; 0 where they do not matter.
    pub class: u32,
    /// What holds where nothing is said of the protocol.
    pub verdict: FilterVerdict,
}

/// Key of the verdicts by protocol and destination port behind its 32-bit prefix length: 12 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct FilterPortKey {
    /// Set, network order.
    pub set: [u8; 4],
    /// Class of the far end, network order.
    pub class: [u8; 4],
    /// IP protocol.
    pub protocol: u8,
    /// Destination port, network order.
    pub port: [u8; 2],
    /// Reserved, zero, and never part of a prefix.
    pub reserved: u8,
}

/// Bits of [`FilterPortKey`] up to and with the protocol.
pub const FILTER_PROTOCOL_BITS: u32 = 72;
/// Bits of [`FilterPortKey`] up to and with the port.
pub const FILTER_PORT_BITS: u32 = 88;

/// What becomes of a packet: 12 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FilterVerdict {
    /// The rule that decides, counted from 1; 0 where none does, and the packet goes through.
    pub rule: u32,
    /// Index of the rule's counter.
    pub counter: u32,
    /// Bits of [`verdict_flag`].
    pub flags: u32,
}

/// Bits of [`FilterVerdict::flags`].
pub mod verdict_flag {
    /// The rule drops.
    pub const DROP: u32 = 1;
    /// Of a protocol: some ports are judged otherwise.
    pub const BY_PORT: u32 = 2;
}

/// Key of the rules: 8 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct FilterRuleKey {
    /// Set.
    pub set: u32,
    /// Place in the set, from 0.
    pub rule: u32,
}

/// A rule as it was given: 64 octets. The programs read its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FilterRuleEntry {
    /// Operator's name.
    pub name: [u8; NAME],
    /// The far end's prefix; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
    /// Length of the prefix.
    pub prefix_length: u8,
    /// 4 or 6.
    pub family: u8,
    /// IP protocol, with [`rule_flag::PROTOCOL`].
    pub protocol: u8,
    /// Bits of [`rule_flag`].
    pub flags: u8,
    /// First destination port, with [`rule_flag::PORTS`].
    pub first_port: u16,
    /// Last destination port, with [`rule_flag::PORTS`].
    pub last_port: u16,
    /// Index of its counter.
    pub counter: u32,
    /// Reserved, zero.
    pub reserved: u32,
}

/// Bits of [`FilterRuleEntry::flags`].
pub mod rule_flag {
    /// For what goes to the circuit; without it, for what comes from there.
    pub const OUT: u8 = 1;
    /// For one protocol only.
    pub const PROTOCOL: u8 = 2;
    /// For some destination ports only.
    pub const PORTS: u8 = 4;
    /// It drops.
    pub const DROP: u8 = 8;
}

/// Scope of a flow that a filter lets through ([`super::flow_kind::ADMITTED`]): at this circuit, in this direction.
pub const fn admitted_scope(ifindex: u32, direction: u32) -> u32 {
    ifindex << 1 | direction & 1
}
