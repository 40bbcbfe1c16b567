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

/// Text that is no community.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a community; write AS:number (65000:100; both up to 65535), no-export, no-advertise, \
     no-export-subconfed, no-peer, blackhole or graceful-shutdown"
)]
pub struct CommunityError(String);

/// An extended community that is no route target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("extended community {0} is not a route target")]
pub struct NotRouteTarget(pub ExtendedCommunity);

const SUBTYPE_ROUTE_TARGET: u8 = 0x02;
const SUBTYPE_ROUTE_ORIGIN: u8 = 0x03;
/// RFC 9012 section 4.3.
const TYPE_TRANSITIVE_OPAQUE: u8 = 0x03;
const SUBTYPE_COLOR: u8 = 0x0b;
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
    /// RFC 3765: not advertised to bilateral peers; what that means is for the AS that hears it.
    pub const NO_PEER: Self = Self(0xffff_ff04);
    /// RFC 7999: traffic to the prefix is to be dropped.
    pub const BLACKHOLE: Self = Self(0xffff_029a);

    /// Those that have a name.
    const WELL_KNOWN: [(Self, &'static str); 6] = [
        (Self::GRACEFUL_SHUTDOWN, "graceful-shutdown"),
        (Self::BLACKHOLE, "blackhole"),
        (Self::NO_EXPORT, "no-export"),
        (Self::NO_ADVERTISE, "no-advertise"),
        (Self::NO_EXPORT_SUBCONFED, "no-export-subconfed"),
        (Self::NO_PEER, "no-peer"),
    ];
}

impl ExtendedCommunity {
    /// Whether it stays in the AS, RFC 4360 section 2.
    pub const fn is_transitive(&self) -> bool {
        self.0[0] & NON_TRANSITIVE == 0
    }

    /// A colour, without flags.
    pub const fn of_color(color: u32) -> Self {
        let [a, b, c, d] = color.to_be_bytes();
        Self([TYPE_TRANSITIVE_OPAQUE, SUBTYPE_COLOR, 0, 0, a, b, c, d])
    }

    /// The colour that it is, if it is one. The flags are left to who steers by it (RFC 9256 section 8.8.1).
    pub const fn color(&self) -> Option<u32> {
        match self.0 {
            [TYPE_TRANSITIVE_OPAQUE, SUBTYPE_COLOR, _, _, a, b, c, d] => {
                Some(u32::from_be_bytes([a, b, c, d]))
            }
            _ => None,
        }
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
    /// `rt:65000:1`, `soo:65000:1`, `color:100` (`color:100/0x4000` with flags), else the octets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, subtype, rest @ ..] = self.0;
        let word = match (kind, subtype) {
            (TYPE_TRANSITIVE_OPAQUE, SUBTYPE_COLOR) => return color(rest, f),
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
        match Self::WELL_KNOWN.iter().find(|(known, _)| known == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff),
        }
    }
}

impl FromStr for Community {
    type Err = CommunityError;

    fn from_str(text: &str) -> Result<Self, CommunityError> {
        if let Some((known, _)) = Self::WELL_KNOWN.iter().find(|(_, name)| *name == text) {
            return Ok(*known);
        }
        let numbers = text.split_once(':').and_then(|(high, low)| Some((half(high)?, half(low)?)));
        let (high, low) = numbers.ok_or_else(|| CommunityError(text.to_owned()))?;
        Ok(Self(u32::from(high) << 16 | u32::from(low)))
    }
}

/// Decimal digits only: no sign, no blank.
fn half(text: &str) -> Option<u16> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.global, self.local1, self.local2)
    }
}

fn color([high, low, a, b, c, d]: [u8; 6], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "color:{}", u32::from_be_bytes([a, b, c, d]))?;
    match u16::from_be_bytes([high, low]) {
        0 => Ok(()),
        flags => write!(f, "/{flags:#06x}"),
    }
}

fn hex(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}
