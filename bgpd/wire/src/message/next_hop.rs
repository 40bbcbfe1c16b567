use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::Family;

/// A next hop as it stood in NEXT_HOP or MP_REACH_NLRI. VPN forms have their zero RD stripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// 4 octets (12 with the RD).
    V4(Ipv4Addr),
    /// 16 octets (24 with the RD), or 32 (48) with a link-local address.
    V6 {
        /// The global address.
        global: Ipv6Addr,
        /// The link-local address, when it came along.
        link_local: Option<Ipv6Addr>,
    },
}

impl NextHop {
    /// The global address.
    pub const fn global(&self) -> IpAddr {
        match self {
            Self::V4(address) => IpAddr::V4(*address),
            Self::V6 { global, .. } => IpAddr::V6(*global),
        }
    }

    /// Where packets are sent: the link-local address where it came along.
    pub const fn forwarding(&self) -> IpAddr {
        match self {
            Self::V6 { link_local: Some(address), .. } => IpAddr::V6(*address),
            _ => self.global(),
        }
    }

    /// The next hop field of MP_REACH_NLRI: the lengths of RFC 4760, 2545, 4364, 4659 and 8950. A VPN next hop
    /// without RD, as RFC 5549 had it, is taken too.
    pub(crate) fn decode(family: Family, octets: &[u8]) -> Option<Self> {
        let v6 = |at| Some(Ipv6Addr::from_octets(*octets.get(at..)?.first_chunk()?));
        let v4 = |at| Some(Self::V4(Ipv4Addr::from_octets(*octets.get(at..)?.first_chunk()?)));
        let pair = |global, link_local: Option<usize>| {
            let link_local = link_local.and_then(v6).filter(|address| !address.is_unspecified());
            Some(Self::V6 { global: v6(global)?, link_local })
        };
        match (family.is_vpn(), octets.len()) {
            (false, 4) if family.is_ipv4() => v4(0),
            (true, 12) => v4(RD_OCTETS),
            (_, 16) => pair(0, None),
            (_, 32) => pair(0, Some(16)),
            (true, 24) => pair(RD_OCTETS, None),
            (true, 48) => pair(RD_OCTETS, Some(2 * RD_OCTETS + 16)),
            _ => None,
        }
    }

    /// Length octet and next hop, an RD of zero before each address of a VPN family. An IPv4 next hop of IPv6
    /// routes is sent as IPv4-mapped (RFC 4659 section 3.2.1.2).
    pub(crate) fn encode(&self, family: Family, out: &mut Vec<u8>) {
        let (global, link_local) = match *self {
            Self::V4(address) if family.is_ipv4() => return put(family, &[&address.octets()], out),
            Self::V4(address) => (address.to_ipv6_mapped(), None),
            Self::V6 { global, link_local } => (global, link_local),
        };
        match link_local {
            None => put(family, &[&global.octets()], out),
            Some(link_local) => put(family, &[&global.octets(), &link_local.octets()], out),
        }
    }
}

/// A route distinguisher before an address, always zero.
const RD_OCTETS: usize = 8;

fn put(family: Family, addresses: &[&[u8]], out: &mut Vec<u8>) {
    let rd: &[u8] = if family.is_vpn() { &[0; RD_OCTETS] } else { &[] };
    let len: usize = addresses.iter().map(|address| rd.len() + address.len()).sum();
    out.push(len as u8);
    for address in addresses {
        out.extend_from_slice(rd);
        out.extend_from_slice(address);
    }
}

impl From<IpAddr> for NextHop {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(global) => Self::V6 { global, link_local: None },
        }
    }
}

impl fmt::Display for NextHop {
    /// The link-local address behind the global one, in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V6 { global, link_local: Some(link_local) } => write!(f, "{global} ({link_local})"),
            _ => self.global().fmt(f),
        }
    }
}
