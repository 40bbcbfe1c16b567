use std::net::IpAddr;

use ipnet::IpNet;

/// Traffic of a VRF that leaves under fixed addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Operator's name, unique in the VRF, at most 31 octets.
    pub name: String,
    /// Hosts by address.
    pub sources: Vec<IpNet>,
    /// Hosts behind circuits of this node, by interface name.
    pub circuits: Vec<String>,
    /// Where to.
    pub destinations: Vec<IpNet>,
    /// And where not.
    pub except: Vec<IpNet>,
    /// Egress addresses in the order of preference, at most 4 of each family. Whose route has the VRF's table is in use.
    pub addresses: Vec<IpAddr>,
    /// What this node does for others; `None` where it is no gateway of the policy.
    pub gateway: Option<EgressGateway>,
}

/// This node as a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressGateway {
    /// Those of the policy's addresses that this node has. Another node may have the same one, as a stand-by.
    pub addresses: Vec<IpAddr>,
    /// LOCAL_PREF of their routes: the highest of several gateways is used.
    pub local_preference: Option<u32>,
    /// Ports that hosts are given, first and last.
    pub ports: (u16, u16),
    /// Ports of a host's block, 1 to 1024.
    pub port_block: u16,
    /// Advertised with the GRACEFUL_SHUTDOWN community (RFC 8326), so that another gateway takes over.
    pub graceful_shutdown: bool,
}
