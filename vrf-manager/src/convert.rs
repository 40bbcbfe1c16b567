//! Prefixes as BGP carries them and as the dataplane keys them.

use std::net::{Ipv4Addr, Ipv6Addr};

use bgp_wire::nlri::{Prefix, Prefix4, Prefix6};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

pub(crate) fn to_prefix(net: IpNet) -> Prefix {
    match net.trunc() {
        IpNet::V4(net) => Prefix::V4(Prefix4 { addr: net.addr().octets(), len: net.prefix_len() }),
        IpNet::V6(net) => Prefix::V6(Prefix6 { addr: net.addr().octets(), len: net.prefix_len() }),
    }
}

/// `None` when the length is more than the family has.
pub(crate) fn to_net(prefix: Prefix) -> Option<IpNet> {
    Some(match prefix {
        Prefix::V4(p) => IpNet::V4(Ipv4Net::new(Ipv4Addr::from(p.addr), p.len).ok()?.trunc()),
        Prefix::V6(p) => IpNet::V6(Ipv6Net::new(Ipv6Addr::from(p.addr), p.len).ok()?.trunc()),
    })
}
