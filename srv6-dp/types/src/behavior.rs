use core::fmt;

/// An SRv6 endpoint behaviour code point, RFC 8986 section 10.2 and RFC 9800. Any value may come from a peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Behavior(pub u16);

impl Behavior {
    /// Decapsulate and cross-connect to an IPv6 neighbour.
    pub const END_DX6: Self = Self(0x0010);
    /// Decapsulate and cross-connect to an IPv4 neighbour.
    pub const END_DX4: Self = Self(0x0011);
    /// Decapsulate and look up in an IPv6 table.
    pub const END_DT6: Self = Self(0x0012);
    /// Decapsulate and look up in an IPv4 table.
    pub const END_DT4: Self = Self(0x0013);
    /// Decapsulate and look up in an IPv4 or IPv6 table.
    pub const END_DT46: Self = Self(0x0014);
    /// End.DT6 with NEXT-C-SID (uDT6), RFC 9800.
    pub const END_DT6_NEXT: Self = Self(0x003e);
    /// End.DT4 with NEXT-C-SID (uDT4), RFC 9800.
    pub const END_DT4_NEXT: Self = Self(0x003f);
    /// End.DT46 with NEXT-C-SID (uDT46), RFC 9800.
    pub const END_DT46_NEXT: Self = Self(0x0040);
    /// "Opaque" of RFC 9252 section 3.1: the receiver need not know. FRR 8 sends it.
    pub const OPAQUE: Self = Self(0xffff);

    /// The name of the registry; `None` for what sixedge does not know.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::END_DX6 => "End.DX6",
            Self::END_DX4 => "End.DX4",
            Self::END_DT6 => "End.DT6",
            Self::END_DT4 => "End.DT4",
            Self::END_DT46 => "End.DT46",
            Self::END_DT6_NEXT => "uDT6",
            Self::END_DT4_NEXT => "uDT4",
            Self::END_DT46_NEXT => "uDT46",
            Self::OPAQUE => "Opaque",
            _ => return None,
        })
    }
}

impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
