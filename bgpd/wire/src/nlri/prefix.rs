use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net, PrefixLenError};

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

/// Text that is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Not `address/length` at all.
    #[error("{text:?} is not {article} prefix; write address/length ({example})")]
    Syntax {
        /// What stood there.
        text: String,
        /// Family with its article.
        article: &'static str,
        /// One that is right.
        example: &'static str,
    },
    /// An address, not a prefix: bits beyond the length are set.
    #[error("{text} has bits set beyond its length; write {prefix}")]
    HostBits {
        /// What stood there.
        text: String,
        /// What was meant.
        prefix: Prefix,
    },
}

macro_rules! prefix {
    ($name:ident, $variant:ident, $addr:ty, $octets:literal, $int:ty, $net:ty, $article:literal, $example:literal) => {
        impl $name {
            /// Zeroes the bits beyond `len`; `None` when `len` exceeds the address.
            #[inline]
            pub const fn new(addr: [u8; $octets], len: u8) -> Option<Self> {
                if len as u32 > <$int>::BITS {
                    return None;
                }
                let host = if len as u32 == <$int>::BITS { 0 } else { <$int>::MAX >> len };
                Some(Self { addr: (<$int>::from_be_bytes(addr) & !host).to_be_bytes(), len })
            }

            /// The address as such.
            pub const fn ip(&self) -> $addr {
                <$addr>::from_octets(self.addr)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{}/{}", self.ip(), self.len))
            }
        }

        impl FromStr for $name {
            type Err = PrefixError;

            fn from_str(text: &str) -> Result<Self, PrefixError> {
                let syntax =
                    || PrefixError::Syntax { text: text.to_owned(), article: $article, example: $example };
                let net: $net = text.parse().map_err(|_| syntax())?;
                let prefix = Self::from(net);
                match prefix.ip() == net.addr() {
                    true => Ok(prefix),
                    false => {
                        Err(PrefixError::HostBits { text: text.to_owned(), prefix: Prefix::$variant(prefix) })
                    }
                }
            }
        }

        impl From<$net> for $name {
            /// Host bits are dropped.
            fn from(net: $net) -> Self {
                let net = net.trunc();
                Self { addr: net.addr().octets(), len: net.prefix_len() }
            }
        }

        impl TryFrom<$name> for $net {
            type Error = PrefixLenError;

            fn try_from(prefix: $name) -> Result<Self, PrefixLenError> {
                Self::new(prefix.ip(), prefix.len)
            }
        }

        impl From<$name> for Prefix {
            fn from(prefix: $name) -> Self {
                Self::$variant(prefix)
            }
        }
    };
}

prefix!(Prefix4, V4, Ipv4Addr, 4, u32, Ipv4Net, "an IPv4", "10.1.1.0/24");
prefix!(Prefix6, V6, Ipv6Addr, 16, u128, Ipv6Net, "an IPv6", "2001:db8:1::/48");

impl Prefix {
    /// The address as such.
    pub const fn ip(&self) -> IpAddr {
        match self {
            Self::V4(prefix) => IpAddr::V4(prefix.ip()),
            Self::V6(prefix) => IpAddr::V6(prefix.ip()),
        }
    }

    /// Its length in bits.
    pub const fn bits(&self) -> u8 {
        match self {
            Self::V4(prefix) => prefix.len,
            Self::V6(prefix) => prefix.len,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(prefix) => prefix.fmt(f),
            Self::V6(prefix) => prefix.fmt(f),
        }
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        match text.contains(':') {
            true => text.parse().map(Self::V6),
            false => text.parse().map(Self::V4),
        }
    }
}

impl From<IpNet> for Prefix {
    /// Host bits are dropped.
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::V4(net.into()),
            IpNet::V6(net) => Self::V6(net.into()),
        }
    }
}

impl TryFrom<Prefix> for IpNet {
    type Error = PrefixLenError;

    fn try_from(prefix: Prefix) -> Result<Self, PrefixLenError> {
        match prefix {
            Prefix::V4(prefix) => prefix.try_into().map(Self::V4),
            Prefix::V6(prefix) => prefix.try_into().map(Self::V6),
        }
    }
}
