//! NLRI of each family: RFC 4271 section 4.3, RFC 4760 section 5, RFC 4364 section 4.3.4, RFC 4659, RFC 7911.

use std::fmt;

use bytes::Bytes;
use srv6_types::Label;

use crate::Family;

/// A route distinguisher, RFC 4364 section 4.2: 8 octets, type first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteDistinguisher(pub [u8; 8]);

/// An IPv4 prefix; bits beyond `len` are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix4 {
    /// Address, most significant bit first.
    pub addr: [u8; 4],
    /// 0 to 32 bits.
    pub len: u8,
}

/// An IPv6 prefix; bits beyond `len` are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix6 {
    /// Address, most significant bit first.
    pub addr: [u8; 16],
    /// 0 to 128 bits.
    pub len: u8,
}

/// A prefix of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// IPv4.
    V4(Prefix4),
    /// IPv6.
    V6(Prefix6),
}

/// One route's NLRI, of any family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nlri {
    /// RFC 7911 path identifier, 0 where add-path was not negotiated.
    pub path_id: u32,
    /// VPN families: the route distinguisher.
    pub rd: Option<RouteDistinguisher>,
    /// VPN families: the label; `None` in unicast and in withdraws, whose label says nothing (RFC 8277 section 2.4).
    pub label: Option<Label>,
    /// The prefix.
    pub prefix: Prefix,
}

/// A run of NLRI of one family as it stood on the wire, checked when it was made: iterating cannot fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NlriList {
    family: Family,
    add_path: bool,
    withdraw: bool,
    octets: Bytes,
}

impl fmt::Display for RouteDistinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        match u16::from_be_bytes([b[0], b[1]]) {
            0 => write!(
                f,
                "{}:{}",
                u16::from_be_bytes([b[2], b[3]]),
                u32::from_be_bytes([b[4], b[5], b[6], b[7]])
            ),
            1 => write!(f, "{}.{}.{}.{}:{}", b[2], b[3], b[4], b[5], u16::from_be_bytes([b[6], b[7]])),
            2 => write!(
                f,
                "{}:{}",
                u32::from_be_bytes([b[2], b[3], b[4], b[5]]),
                u16::from_be_bytes([b[6], b[7]])
            ),
            other => write!(
                f,
                "{other:#06x}:{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}",
                b[2], b[3], b[4], b[5], b[6], b[7]
            ),
        }
    }
}
