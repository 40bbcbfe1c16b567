//! Egress addresses and the policies that send traffic to them.

/// Octets of a name as the maps carry it, zeroes behind it.
pub const NAME: usize = 32;

/// Addresses of one family that a policy may name.
pub const EGRESS_CHOICES: usize = 4;

/// An address of this node that hosts of a VRF are translated to, by index: 48 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct EgressEntry {
    /// The address; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
    /// VRF.
    pub vrf: u32,
    /// 4 or 6; 0 in a free slot.
    pub family: u32,
    /// First port of the first block.
    pub first_port: u32,
    /// Ports of a block, which are one host's as far as there are as many blocks as hosts.
    pub block_size: u32,
    /// Number of blocks.
    pub blocks: u32,
    /// Reserved, zero.
    pub reserved: [u32; 3],
}

/// An egress policy, by id: 128 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct EgressPolicyEntry {
    /// Operator's name.
    pub name: [u8; NAME],
    /// Egress addresses in the order of preference; the first that the VRF has a route to is used. Zero for none.
    pub addresses6: [[u8; 16]; EGRESS_CHOICES],
    /// The same for IPv4.
    pub addresses4: [[u8; 4]; EGRESS_CHOICES],
    /// VRF.
    pub vrf: u32,
    /// Goes before policies of a higher rank where both have the same source; for user space.
    pub rank: u32,
    /// Bit n is set where the n-th address of the policy is an IPv6 one; for user space.
    pub families: u32,
    /// Reserved, zero.
    pub reserved: u32,
}

/// What a policy was set to, one prefix or circuit of it; for user space, which reads it back: 24 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct EgressMember {
    /// Id of the policy.
    pub policy: u32,
    /// One of [`egress_part`].
    pub part: u8,
    /// 4 or 6; 0 of a circuit.
    pub family: u8,
    /// Prefix length.
    pub length: u8,
    /// Reserved, zero.
    pub reserved: u8,
    /// The prefix as it was written; an IPv4 address, and the ifindex of a circuit in network order, stand in the first
    /// four octets.
    pub address: [u8; 16],
}

/// What [`EgressMember::part`] may hold.
pub mod egress_part {
    /// Prefix of hosts.
    pub const SOURCE: u8 = 1;
    /// Circuit of hosts.
    pub const CIRCUIT: u8 = 2;
    /// Prefix of destinations.
    pub const DESTINATION: u8 = 3;
    /// Prefix of destinations that are none.
    pub const EXCEPTION: u8 = 4;
}

/// What is counted per egress address; the array's index is `index * COUNT + which`.
pub mod egress_counter {
    /// From hosts to the outside.
    pub const OUTBOUND: u32 = 0;
    /// From the outside to hosts.
    pub const INBOUND: u32 = 1;
    /// Mappings made.
    pub const MAPPINGS: u32 = 2;
    /// Dropped, for the host's block had no port left.
    pub const EXHAUSTED: u32 = 3;
    /// Number of counters of an address.
    pub const COUNT: u32 = 4;
}
