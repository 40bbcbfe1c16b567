use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use super::{IfIndex, Tally};

/// The ports at an address of this node that hosts of a VRF are translated to. A host's block is the number of its
/// address (of an IPv6 one the lower 32 bits) modulo the number of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EgressAddress {
    /// First port.
    pub first_port: u16,
    /// Ports of a block.
    pub block_size: u16,
    /// Number of blocks, at least 1; all of them end at port 65535 at the latest.
    pub blocks: u16,
}

/// Which traffic of a VRF goes out by egress addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Goes before policies of a higher rank where both have the same source.
    pub rank: u32,
    /// Hosts by address; of several policies that hold a host, the longest prefix decides first, then the rank.
    pub sources: BTreeSet<IpNet>,
    /// Hosts behind these circuits, whatever their address; asked where no policy that holds the host by its address holds the
    /// destination.
    pub circuits: BTreeSet<IfIndex>,
    /// Where to.
    pub destinations: BTreeSet<IpNet>,
    /// And where not, even if it lies in `destinations`.
    pub exceptions: BTreeSet<IpNet>,
    /// Egress addresses in the order of preference, up to 4 of each family: the first that the VRF has a route to.
    pub addresses: Vec<IpAddr>,
}

/// What an egress address counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EgressCounters {
    /// From hosts to the outside.
    pub outbound: Tally,
    /// From the outside to hosts.
    pub inbound: Tally,
    /// Mappings made.
    pub mappings: u64,
    /// Packets dropped, for the host's block had no port left.
    pub exhausted: u64,
}
