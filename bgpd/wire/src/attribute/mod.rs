//! Path attributes, RFC 4271 section 5 and the RFCs named at each.

mod as_path;
pub mod code;
mod community;
mod decode;
mod encode;
mod fault;
mod prefix_sid;
mod walk;

use std::{fmt, net::Ipv4Addr};

pub use as_path::{AS_TRANS, AsPath, Segment, SegmentKind};
use bytes::Bytes;
pub use community::{
    Community, CommunityError, ExtendedCommunity, LargeCommunity, NotRouteTarget, RouteTarget,
    RouteTargetError,
};
pub(crate) use decode::duplicate;
pub(crate) use encode::{put_attribute, put_long_attribute};
pub use fault::{Fault, Verdict};
pub use prefix_sid::{
    PrefixSid, PrefixSidTlv, ServiceKind, ServiceSid, ServiceSubTlv, SidInformation, SidSubSubTlv,
    Srv6Service,
};
pub(crate) use walk::{RawAttribute, Seen, Walk};

/// The attributes of an UPDATE as octets, without those that name routes or next hops: the key that attribute
/// sets are interned by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RawAttributes(pub Bytes);

/// ORIGIN, RFC 4271 section 5.1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// 0.
    Igp,
    /// 1.
    Egp,
    /// 2.
    #[default]
    Incomplete,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Igp => "IGP",
            Self::Egp => "EGP",
            Self::Incomplete => "incomplete",
        })
    }
}

/// AGGREGATOR, RFC 4271 section 5.1.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aggregator {
    /// AS that aggregated.
    pub asn: u32,
    /// Its router.
    pub router: Ipv4Addr,
}

/// An attribute that sixedge does not know, or leaves alone: passed on as it stood when transitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownAttribute {
    /// Flags octet as received, the extended length flag aside: that one follows from the value.
    pub flags: u8,
    /// Type code.
    pub code: u8,
    /// The value.
    pub value: Bytes,
}

/// A decoded attribute set: everything but the routes and the next hop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// ORIGIN, code 1.
    pub origin: Origin,
    /// AS_PATH, code 2, with AS4_PATH merged in (RFC 6793 section 4.2.3).
    pub as_path: AsPath,
    /// MULTI_EXIT_DISC, code 4.
    pub med: Option<u32>,
    /// LOCAL_PREF, code 5.
    pub local_pref: Option<u32>,
    /// ATOMIC_AGGREGATE, code 6.
    pub atomic_aggregate: bool,
    /// AGGREGATOR, code 7, with AS4_AGGREGATOR merged in.
    pub aggregator: Option<Aggregator>,
    /// COMMUNITIES, code 8, RFC 1997.
    pub communities: Vec<Community>,
    /// ORIGINATOR_ID, code 9, RFC 4456.
    pub originator_id: Option<Ipv4Addr>,
    /// CLUSTER_LIST, code 10, RFC 4456.
    pub cluster_list: Vec<Ipv4Addr>,
    /// EXTENDED COMMUNITIES, code 16, RFC 4360.
    pub extended_communities: Vec<ExtendedCommunity>,
    /// LARGE_COMMUNITY, code 32, RFC 8092.
    pub large_communities: Vec<LargeCommunity>,
    /// Prefix-SID, code 40, RFC 8669 and RFC 9252.
    pub prefix_sid: Option<PrefixSid>,
    /// The rest, in ascending order of the type code.
    pub unknown: Vec<UnknownAttribute>,
}
