use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use srv6_dp::model::Transport;

use super::RouteAttributes;

/// A service of a VRF: VIPs in front of backends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Operator's name, unique in the VRF.
    pub name: String,
    /// VIPs of either family; a backend serves the VIPs of its own family.
    pub addresses: Vec<IpAddr>,
    /// Ports.
    pub ports: Vec<ServicePort>,
    /// Backends.
    pub backends: Vec<Backend>,
    /// Which backends take what comes from other nodes.
    pub traffic_policy: TrafficPolicy,
    /// Session affinity by the client's address; 1 s to 1 day.
    pub affinity: Option<Duration>,
    /// How backends behind other PEs are reached.
    pub remote: RemoteBackends,
    /// How the VIPs are advertised; not at all when `None`.
    pub advertise: Option<RouteAttributes>,
    /// Advertised with the GRACEFUL_SHUTDOWN community (RFC 8326), so that other nodes are preferred.
    pub graceful_shutdown: bool,
}

impl Service {
    /// The addresses of this node that clients are translated to on their way to remote backends.
    pub fn translated(&self) -> &[IpAddr] {
        match &self.remote {
            RemoteBackends::Direct => &[],
            RemoteBackends::Translated(addresses) => addresses,
        }
    }
}

/// A port of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Protocol.
    pub transport: Transport,
    /// Port of the VIP.
    pub port: u16,
    /// Port of the backends; with SCTP the same.
    pub target_port: u16,
}

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its address in the VRF.
    pub address: IpAddr,
    /// Share of new flows, 1 to 256.
    pub weight: u16,
    /// Whether it takes flows.
    pub state: BackendState,
}

/// Health of a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackendState {
    /// Takes new flows.
    #[default]
    Ready,
    /// Terminating: keeps the flows it has.
    Draining,
    /// Takes nothing: its flows move to others.
    Down,
}

/// Kubernetes' externalTrafficPolicy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrafficPolicy {
    /// Any backend; every node with the service advertises the VIP.
    #[default]
    Cluster,
    /// Backends behind the node that the packet came to; only nodes that have one advertise the VIP.
    Local,
}

/// How backends behind other PEs are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RemoteBackends {
    /// Each is behind a sixedge that has the same service: packets go there as they are, and the answer goes straight to
    /// the client (direct server return).
    #[default]
    Direct,
    /// The client's address is translated to the one of these that is of its family; this node owns and advertises them.
    Translated(Vec<IpAddr>),
}

impl fmt::Display for BackendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Down => "down",
        })
    }
}

impl fmt::Display for TrafficPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cluster => "cluster",
            Self::Local => "local",
        })
    }
}
