use std::collections::BTreeSet;

use bgp_wire::attribute::Community;
use ipnet::IpNet;

/// What a route is originated with besides its prefix and SID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteAttributes {
    /// COMMUNITIES, RFC 1997.
    pub communities: BTreeSet<Community>,
    /// Colour of the Color extended community, RFC 9012 section 4.3.
    pub color: Option<u32>,
    /// LOCAL_PREF, RFC 4271 section 5.1.5; 100 where none is set.
    pub local_preference: Option<u32>,
}

/// A prefix of the global table that is originated as plain unicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The prefix, without host bits.
    pub prefix: IpNet,
    /// How.
    pub attributes: RouteAttributes,
}

impl From<IpNet> for Network {
    fn from(prefix: IpNet) -> Self {
        Self { prefix, attributes: RouteAttributes::default() }
    }
}
