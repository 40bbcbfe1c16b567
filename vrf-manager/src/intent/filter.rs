use ipnet::IpNet;
use srv6_dp::model::{Action, Direction};

/// A rule of a filter. The first that matches decides; what none matches goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRule {
    /// Operator's name, at most 31 octets. Rules of a VRF that do the same may share one.
    pub name: String,
    /// Which way packets go, seen from the node.
    pub direction: Direction,
    /// The far end: destination of what comes from the circuit, source of what goes to it. All of both families when
    /// `None`.
    pub prefix: Option<IpNet>,
    /// IP protocol; all when `None`.
    pub protocol: Option<u8>,
    /// Destination ports, first and last; all when `None`. Needs TCP, UDP or SCTP.
    pub ports: Option<(u16, u16)>,
    /// What becomes of the packet.
    pub action: Action,
}
