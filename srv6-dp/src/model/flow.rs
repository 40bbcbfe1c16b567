use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::IfIndex;

/// A flow that a VRF remembers: what becomes of the packets that it is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackedFlow {
    /// Source of the packets; of ICMP echo the port is the identifier.
    pub source: SocketAddr,
    /// Their destination, the same way.
    pub destination: SocketAddr,
    /// IP protocol.
    pub protocol: u8,
    /// What it is for.
    pub kind: FlowKind,
    /// How far it has come.
    pub state: FlowState,
    /// For how long there has been no packet, to a second.
    pub idle: Duration,
}

/// What a flow is remembered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    /// A client's packets to a VIP.
    Balanced {
        /// Where they go.
        backend: SocketAddr,
        /// Port that they come from there.
        port: u16,
    },
    /// A backend's packets to the client.
    Reply {
        /// Where they come from, as the client sees it.
        vip: SocketAddr,
        /// Port of the client that they go to.
        port: u16,
    },
    /// The backend that a client keeps; `None` where that has gone. The client's port is 0, for it counts for all of them.
    Affinity(Option<SocketAddr>),
    /// A host's packets to the outside: its port at the egress address, which stands as the destination with port 0.
    Outbound(u16),
    /// Packets to an egress address: the host that has the port. Source 0, for they may come from anywhere.
    Inbound(SocketAddr),
    /// Packets that answer what a filter has let through at this circuit.
    Admitted(IfIndex),
    /// The later fragments of a packet: its ports, source and destination. No ports of their own.
    Fragment(u16, u16),
}

/// How far a flow has come; decides how long it may be idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowState {
    /// Nobody has answered.
    Opening,
    /// Packets go both ways.
    Established,
    /// One side has ended it.
    Closing,
}

impl FlowKind {
    /// The word that the CLI uses.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Balanced { .. } => "balanced",
            Self::Reply { .. } => "reply",
            Self::Affinity(_) => "affinity",
            Self::Outbound(_) => "outbound",
            Self::Inbound(_) => "inbound",
            Self::Admitted(_) => "admitted",
            Self::Fragment(..) => "fragment",
        }
    }

    /// The backend's address and port, of a flow that has one.
    pub const fn backend(&self) -> Option<SocketAddr> {
        match self {
            Self::Balanced { backend, .. } => Some(*backend),
            Self::Affinity(backend) => *backend,
            _ => None,
        }
    }

    /// The address and port that take the place of the packet's own.
    pub fn translation(&self, destination: IpAddr) -> Option<SocketAddr> {
        match self {
            Self::Balanced { backend: to, .. } | Self::Reply { vip: to, .. } | Self::Inbound(to) => Some(*to),
            Self::Outbound(port) => Some(SocketAddr::new(destination, *port)),
            Self::Affinity(_) | Self::Admitted(_) | Self::Fragment(..) => None,
        }
    }
}

impl fmt::Display for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Opening => "opening",
            Self::Established => "established",
            Self::Closing => "closing",
        })
    }
}
