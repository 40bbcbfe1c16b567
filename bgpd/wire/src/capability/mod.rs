//! Capabilities of an OPEN, RFC 5492.

mod codec;

use crate::Family;

/// A capability that was offered. Unknown ones are kept, so that a decoder shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// RFC 4760 section 8; a family sixedge does not speak is kept by its codes.
    MultiProtocol {
        /// Address family identifier.
        afi: u16,
        /// Subsequent address family identifier.
        safi: u8,
    },
    /// RFC 2918.
    RouteRefresh,
    /// RFC 7313.
    EnhancedRouteRefresh,
    /// RFC 8950: (NLRI AFI, NLRI SAFI, next-hop AFI).
    ExtendedNextHop(Vec<(u16, u16, u16)>),
    /// RFC 8654.
    ExtendedMessage,
    /// RFC 4724.
    GracefulRestart(GracefulRestart),
    /// RFC 6793: the speaker's real AS number.
    FourOctetAs(u32),
    /// RFC 7911: (AFI, SAFI, 1 receive / 2 send / 3 both).
    AddPath(Vec<(u16, u8, u8)>),
    /// Anything else, as it stood.
    Unknown {
        /// Capability code.
        code: u8,
        /// Its value.
        value: Vec<u8>,
    },
}

/// RFC 4724 section 3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GracefulRestart {
    /// R bit: the speaker has restarted.
    pub restarted: bool,
    /// N bit, RFC 8538.
    pub notification: bool,
    /// Seconds until the session must be back, 0 to 4095.
    pub restart_time: u16,
    /// Families with their F (forwarding state kept) bit.
    pub families: Vec<(u16, u8, bool)>,
}

impl Capability {
    /// The multiprotocol capability of `family`.
    pub const fn family(family: Family) -> Self {
        let (afi, safi) = family.code();
        Self::MultiProtocol { afi, safi }
    }
}
