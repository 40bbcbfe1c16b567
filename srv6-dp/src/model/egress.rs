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

impl EgressAddress {
    /// First and last port of a host's block.
    pub fn block_of(&self, host: IpAddr) -> (u16, u16) {
        let number = match host {
            IpAddr::V4(host) => host.to_bits(),
            // The lower 32 bits.
            IpAddr::V6(host) => host.to_bits() as u32,
        };
        let size = u32::from(self.block_size.max(1));
        let first = u32::from(self.first_port) + number % u32::from(self.blocks.max(1)) * size;
        (u16::try_from(first).unwrap_or(u16::MAX), u16::try_from(first + size - 1).unwrap_or(u16::MAX))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_block_that_its_address_says_and_hosts_beside_it_have_others() {
        let ports = EgressAddress { first_port: 1024, block_size: 128, blocks: 504 };
        let block = |host: &str| host.parse().map(|host| ports.block_of(host));
        // 10.0.1.2 is 167772418, which is 394 modulo 504.
        assert_eq!(block("10.0.1.2"), Ok((51456, 51583)));
        assert_eq!(block("10.0.1.3"), Ok((51584, 51711)));
        assert_eq!(block("fd00:1::a00:102"), block("10.0.1.2"));
        assert_eq!(block("0.0.1.247"), Ok((65408, 65535)), "the last block ends with the last port");
    }
}
