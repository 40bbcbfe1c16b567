use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use crate::{
    Family,
    attribute::{Fault, RawAttributes},
    nlri::NlriList,
};

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

/// Routes that are announced with one next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Next hop of all of them.
    pub next_hop: NextHop,
    /// The routes.
    pub nlri: NlriList,
}

/// Routes that are withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The routes; empty in an End-of-RIB marker (RFC 4724 section 2).
    pub nlri: NlriList,
}

/// An UPDATE, taken apart as far as every receiver needs: which routes, and the attributes still as octets.
///
/// The attributes are decoded apart ([`crate::attribute::Attributes::decode`]), once per distinct set and not
/// once per message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Withdrawn routes of the classic field and of MP_UNREACH_NLRI.
    pub withdrawn: Vec<Withdrawn>,
    /// Announced routes of the classic field and of MP_REACH_NLRI.
    pub announced: Vec<Announced>,
    /// All path attributes but MP_REACH_NLRI, MP_UNREACH_NLRI and NEXT_HOP, as they stood.
    pub attributes: RawAttributes,
    /// What was wrong so far and its RFC 7606 verdict: in the walk over the attributes' headers, in NEXT_HOP
    /// and in the multiprotocol attributes. The walk goes on after a fault, so that the NLRI are known.
    pub faults: Vec<Fault>,
    /// The family whose End-of-RIB marker this is.
    pub end_of_rib: Option<Family>,
    /// Families of MP attributes that sixedge does not speak, with their octets (a decoder shows them).
    pub foreign: Vec<(u16, u8, Bytes)>,
}
