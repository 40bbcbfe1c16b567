use std::{fmt, str::FromStr};

use crate::administrator;

/// RFC 1997.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(pub u32);

/// RFC 4360: 8 octets, type first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCommunity(pub [u8; 8]);

/// RFC 8092.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity {
    /// Global administrator.
    pub global: u32,
    /// Local data part 1.
    pub local1: u32,
    /// Local data part 2.
    pub local2: u32,
}

/// A route target, RFC 4364 section 4.3.1: an extended community of type 0x00, 0x01 or 0x02 and subtype 0x02.
/// Displayed and parsed as `AS:number` or `IPv4:number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteTarget(pub [u8; 8]);

/// Text that is no route target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a route target; write AS:number (65000:70000; number up to 65535 where the AS is above 65535) \
     or IPv4:number (10.0.0.1:7)"
)]
pub struct RouteTargetError(String);

/// An extended community that is no route target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("extended community {0} is not a route target")]
pub struct NotRouteTarget(pub ExtendedCommunity);

const SUBTYPE_ROUTE_TARGET: u8 = 0x02;
const SUBTYPE_ROUTE_ORIGIN: u8 = 0x03;
/// RFC 4360 section 2: not passed on to another AS.
const NON_TRANSITIVE: u8 = 0x40;

impl Community {
    /// RFC 8326: the link or router that the route came by is about to go.
    pub const GRACEFUL_SHUTDOWN: Self = Self(0xffff_0000);
    /// RFC 1997: not advertised to external peers.
    pub const NO_EXPORT: Self = Self(0xffff_ff01);
    /// RFC 1997: not advertised to any peer.
    pub const NO_ADVERTISE: Self = Self(0xffff_ff02);
    /// RFC 1997: not advertised to external peers, nor to other members of a confederation.
    pub const NO_EXPORT_SUBCONFED: Self = Self(0xffff_ff03);
}

impl ExtendedCommunity {
    /// Whether it stays in the AS, RFC 4360 section 2.
    pub const fn is_transitive(&self) -> bool {
        self.0[0] & NON_TRANSITIVE == 0
    }

    /// The route target that it is, if it is one.
    pub fn route_target(self) -> Option<RouteTarget> {
        self.try_into().ok()
    }
}

impl From<RouteTarget> for ExtendedCommunity {
    fn from(target: RouteTarget) -> Self {
        Self(target.0)
    }
}

impl TryFrom<ExtendedCommunity> for RouteTarget {
    type Error = NotRouteTarget;

    fn try_from(community: ExtendedCommunity) -> Result<Self, NotRouteTarget> {
        match community.0 {
            [0..=2, SUBTYPE_ROUTE_TARGET, ..] => Ok(Self(community.0)),
            _ => Err(NotRouteTarget(community)),
        }
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, _, rest @ ..] = self.0;
        if administrator::write(f, kind, rest)? { Ok(()) } else { hex(&self.0, f) }
    }
}

impl FromStr for RouteTarget {
    type Err = RouteTargetError;

    fn from_str(text: &str) -> Result<Self, RouteTargetError> {
        let (kind, [a, b, c, d, e, f]) =
            administrator::parse(text).ok_or_else(|| RouteTargetError(text.to_owned()))?;
        Ok(Self([kind, SUBTYPE_ROUTE_TARGET, a, b, c, d, e, f]))
    }
}

impl fmt::Display for ExtendedCommunity {
    /// `rt:65000:1`, `soo:65000:1`, else the octets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, subtype, rest @ ..] = self.0;
        let word = match (kind, subtype) {
            (0..=2, SUBTYPE_ROUTE_TARGET) => "rt:",
            (0..=2, SUBTYPE_ROUTE_ORIGIN) => "soo:",
            _ => return hex(&self.0, f),
        };
        f.write_str(word)?;
        administrator::write(f, kind, rest).map(|_| ())
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::GRACEFUL_SHUTDOWN => f.write_str("graceful-shutdown"),
            Self::NO_EXPORT => f.write_str("no-export"),
            Self::NO_ADVERTISE => f.write_str("no-advertise"),
            Self::NO_EXPORT_SUBCONFED => f.write_str("no-export-subconfed"),
            Self(value) => write!(f, "{}:{}", value >> 16, value & 0xffff),
        }
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.local1, self.local2)
    }
}

fn hex(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}
