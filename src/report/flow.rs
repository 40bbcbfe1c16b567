use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{
    Render,
    table::{Columns, duration, protocol},
};

/// `show flows`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Flows {
    pub(crate) vrf: String,
    /// Those used last, first.
    pub(crate) flows: Vec<Flow>,
    /// How many there are, shown or not.
    pub(crate) total: usize,
    /// Whether all have been counted.
    pub(crate) complete: bool,
}

/// A flow: what becomes of the packets that it is found by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Flow {
    /// IP protocol.
    pub(crate) protocol: u8,
    /// Of ICMP echo the port is the identifier.
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    #[serde(flatten)]
    pub(crate) kind: FlowKind,
    /// `opening`, `established` or `closing`.
    pub(crate) state: String,
    pub(crate) idle_seconds: u64,
}

/// What a flow is remembered for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub(crate) enum FlowKind {
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
    /// The backend that a client keeps.
    Affinity {
        /// `None` where it has gone.
        backend: Option<SocketAddr>,
    },
    /// A host's packets to the outside; the destination is the egress address.
    Outbound {
        /// Port that the host has there.
        port: u16,
    },
    /// Packets from anywhere to an egress address.
    Inbound {
        /// Who has the port.
        host: SocketAddr,
    },
    /// Packets that answer what a filter has let through.
    Admitted {
        /// The circuit.
        interface: String,
    },
    /// Later fragments of a packet.
    Fragment {
        /// The packet's source and destination port.
        ports: (u16, u16),
    },
}

impl Render for Flows {
    fn render(&self) -> String {
        let mut columns =
            Columns::new(["PROTOCOL", "SOURCE", "DESTINATION", "FOR", "TRANSLATION", "STATE", "IDLE"])
                .right([6]);
        for flow in &self.flows {
            columns.row([
                protocol(flow.protocol),
                flow.end(&flow.source),
                flow.end(&flow.destination),
                flow.kind.words().to_owned(),
                flow.translation(),
                flow.state.clone(),
                duration(flow.idle_seconds),
            ]);
        }
        match self.total {
            0 => format!("VRF {} remembers no flows", self.vrf),
            total => format!("{}\n{}", columns.text("none shown"), self.sum(total)),
        }
    }
}

impl Flows {
    fn sum(&self, total: usize) -> String {
        let more = if self.complete { "" } else { " or more" };
        match self.flows.len() {
            shown if shown == total => format!("{total} flows"),
            shown => format!("{total} flows{more}, {shown} shown"),
        }
    }
}

impl Flow {
    /// An address with its port, where it has one; `any` is what has neither.
    fn end(&self, end: &SocketAddr) -> String {
        match (end.ip(), end.port()) {
            (ip, 0) if ip.is_unspecified() => "any".to_owned(),
            (ip, 0) => ip.to_string(),
            (ip, identifier) if matches!(self.protocol, 1 | 58) => format!("{ip} id {identifier}"),
            _ => end.to_string(),
        }
    }

    fn translation(&self) -> String {
        let unless = |same: u16, word: &str, port: u16| {
            if port == same { String::new() } else { format!(", {word} port {port}") }
        };
        match &self.kind {
            FlowKind::Balanced { backend, port } => {
                format!("to {}{}", self.end(backend), unless(self.source.port(), "from", *port))
            }
            FlowKind::Reply { vip, port } => {
                format!("from {}{}", self.end(vip), unless(self.destination.port(), "to", *port))
            }
            FlowKind::Affinity { backend: Some(backend) } => format!("to {}", self.end(backend)),
            FlowKind::Affinity { backend: None } => "the backend has gone".to_owned(),
            FlowKind::Outbound { port } => {
                format!("from {}", self.end(&SocketAddr::new(self.destination.ip(), *port)))
            }
            FlowKind::Inbound { host } => format!("to {}", self.end(host)),
            FlowKind::Admitted { interface } => format!("none, at {interface}"),
            FlowKind::Fragment { ports: (source, destination) } => format!("ports {source} > {destination}"),
        }
    }
}

impl FlowKind {
    const fn words(&self) -> &'static str {
        match self {
            Self::Balanced { .. } => "client to VIP",
            Self::Reply { .. } => "backend to client",
            Self::Affinity { .. } => "client's backend",
            Self::Outbound { .. } => "host to outside",
            Self::Inbound { .. } => "outside to host",
            Self::Admitted { .. } => "answer to what a filter let through",
            Self::Fragment { .. } => "later fragments",
        }
    }
}
