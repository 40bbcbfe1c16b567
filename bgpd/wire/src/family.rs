use std::fmt;

/// The address families that sixedge speaks, RFC 4760 and RFC 4364/4659.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AFI 1, SAFI 1.
    Ipv4Unicast,
    /// AFI 2, SAFI 1.
    Ipv6Unicast,
    /// AFI 1, SAFI 128.
    Vpnv4,
    /// AFI 2, SAFI 128.
    Vpnv6,
}

impl Family {
    /// All of them, in the order in which they index arrays.
    pub const ALL: [Self; 4] = [Self::Ipv4Unicast, Self::Ipv6Unicast, Self::Vpnv4, Self::Vpnv6];

    /// `None` for a family that sixedge does not speak.
    pub const fn from_code(afi: u16, safi: u8) -> Option<Self> {
        match (afi, safi) {
            (1, 1) => Some(Self::Ipv4Unicast),
            (2, 1) => Some(Self::Ipv6Unicast),
            (1, 128) => Some(Self::Vpnv4),
            (2, 128) => Some(Self::Vpnv6),
            _ => None,
        }
    }

    /// AFI and SAFI.
    pub const fn code(self) -> (u16, u8) {
        match self {
            Self::Ipv4Unicast => (1, 1),
            Self::Ipv6Unicast => (2, 1),
            Self::Vpnv4 => (1, 128),
            Self::Vpnv6 => (2, 128),
        }
    }

    /// Whether routes carry a route distinguisher and a label.
    pub const fn is_vpn(self) -> bool {
        matches!(self, Self::Vpnv4 | Self::Vpnv6)
    }

    /// Whether prefixes are IPv4.
    pub const fn is_ipv4(self) -> bool {
        matches!(self, Self::Ipv4Unicast | Self::Vpnv4)
    }

    /// The word of the configuration and the CLI.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ipv4Unicast => "ipv4-unicast",
            Self::Ipv6Unicast => "ipv6-unicast",
            Self::Vpnv4 => "vpnv4",
            Self::Vpnv6 => "vpnv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
