use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use super::{RouteAttributes, Service, Vrf};

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
    /// How their routes are advertised: the gateway with the highest LOCAL_PREF of several is used.
    pub attributes: RouteAttributes,
    /// Ports that hosts are given, first and last.
    pub ports: (u16, u16),
    /// Ports of a host's block, 1 to 1024.
    pub port_block: u16,
    /// Advertised with the GRACEFUL_SHUTDOWN community (RFC 8326), so that another gateway takes over.
    pub graceful_shutdown: bool,
}

/// An address of this node that hosts of a VRF are translated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedAddress {
    /// How its route is advertised.
    pub attributes: RouteAttributes,
    /// Ports that hosts are given, first and last.
    pub ports: (u16, u16),
    /// Ports of a host's block.
    pub port_block: u16,
    /// Advertised with the GRACEFUL_SHUTDOWN community.
    pub graceful_shutdown: bool,
}

impl Default for OwnedAddress {
    /// All ports but the well-known ones: below 1024 are those of the system (RFC 6335 section 6).
    fn default() -> Self {
        Self {
            attributes: RouteAttributes::default(),
            ports: (1024, 65535),
            port_block: 128,
            graceful_shutdown: false,
        }
    }
}

impl EgressGateway {
    /// What each of its addresses is to be.
    pub fn owned(&self) -> OwnedAddress {
        OwnedAddress {
            attributes: self.attributes.clone(),
            ports: self.ports,
            port_block: self.port_block,
            graceful_shutdown: self.graceful_shutdown,
        }
    }
}

impl Vrf {
    /// The egress addresses that this node has: those of policies, and those that services translate clients to.
    pub fn egress_addresses(&self) -> BTreeMap<IpAddr, OwnedAddress> {
        let mut owned = BTreeMap::new();
        for gateway in self.egress.iter().filter_map(|policy| policy.gateway.as_ref()) {
            for address in &gateway.addresses {
                owned.entry(*address).or_insert_with(|| gateway.owned());
            }
        }
        for address in self.services.iter().flat_map(Service::translated) {
            owned.entry(*address).or_default();
        }
        owned
    }
}
