use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use srv6_types::VrfId;

/// A transport protocol whose ports the dataplane knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP. Its checksum covers the ports and not the addresses, so ports cannot be translated.
    Sctp,
}

impl Transport {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The protocol of a number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            6 => Some(Self::Tcp),
            17 => Some(Self::Udp),
            132 => Some(Self::Sctp),
            _ => None,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

/// What a client connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId {
    /// VRF of client, VIP and backends.
    pub vrf: VrfId,
    /// The VIP.
    pub address: IpAddr,
    /// Protocol.
    pub transport: Transport,
    /// Port of the VIP.
    pub port: u16,
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vrf, address, transport, port } = self;
        write!(f, "{transport} {} of VRF {vrf}", SocketAddr::new(*address, *port))
    }
}

/// How a service's packets are shared out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Only backends behind this node, wherever packets come from, as long as there are any.
    pub local: bool,
    /// How long a client keeps its backend; 1 s to 1 day.
    pub affinity: Option<Duration>,
    /// Backends by address and port, all of the VIP's family.
    pub backends: BTreeMap<(IpAddr, u16), Backend>,
}

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Share of new flows, 1 to 256; 0 for one that drains and keeps the flows it has.
    pub weight: u16,
    /// How packets get there.
    pub reach: Reach,
}

/// How packets get to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Behind a circuit of this node.
    Here,
    /// Behind another PE with the same service: it gets packets as they are and answers the client itself.
    Direct,
    /// Behind a PE that knows nothing of services: the client's address becomes this one of our egress addresses, so
    /// that answers come back.
    Translated(IpAddr),
}
