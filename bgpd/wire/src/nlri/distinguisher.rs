use std::{fmt, str::FromStr};

use crate::administrator;

/// A route distinguisher, RFC 4364 section 4.2: 8 octets, type first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteDistinguisher(pub [u8; 8]);

/// Text that is no route distinguisher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a route distinguisher; write AS:number (65000:1; number up to 65535 where the AS is above 65535) \
     or IPv4:number (10.0.0.1:7)"
)]
pub struct RouteDistinguisherError(String);

impl fmt::Display for RouteDistinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low, rest @ ..] = self.0;
        if high == 0 && administrator::write(f, low, rest)? {
            return Ok(());
        }
        write!(f, "{:#06x}:", u16::from_be_bytes([high, low]))?;
        rest.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for RouteDistinguisher {
    type Err = RouteDistinguisherError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, [a, b, c, d, e, f]) =
            administrator::parse(text).ok_or_else(|| RouteDistinguisherError(text.to_owned()))?;
        Ok(Self([0, kind, a, b, c, d, e, f]))
    }
}
