//! Flows that a VRF remembers.

use srv6_dp::model::{FlowKind, TrackedFlow};

use super::Refusal;
use crate::{
    agent::{chain, node::Node},
    report,
};

/// Flows that are read to be counted: the agent answers nobody else meanwhile.
const MOST: usize = 1 << 17;

/// Flows that are shown where nothing else is asked for.
const SHOWN: u32 = 100;

impl Node {
    /// Those that a packet has used last, first.
    pub(super) fn flows(&self, name: &str, limit: Option<u32>) -> Result<report::Flows, Refusal> {
        let vrf = self.vrf(name)?;
        let mut flows = self.dataplane.flows(vrf, MOST).map_err(|error| chain(&error))?;
        let (total, complete) = (flows.len(), flows.len() < MOST);
        flows.sort_unstable_by_key(|flow| (flow.idle, flow.protocol, flow.source, flow.destination));
        flows.truncate(limit.unwrap_or(SHOWN) as usize);
        let flows = flows.iter().map(|flow| self.flow(flow)).collect();
        Ok(report::Flows { vrf: name.to_owned(), flows, total, complete })
    }

    fn flow(&self, flow: &TrackedFlow) -> report::Flow {
        report::Flow {
            protocol: flow.protocol,
            source: flow.source,
            destination: flow.destination,
            kind: self.flow_kind(flow.kind),
            state: flow.state.to_string(),
            idle_seconds: flow.idle.as_secs(),
        }
    }

    fn flow_kind(&self, kind: FlowKind) -> report::FlowKind {
        match kind {
            FlowKind::Balanced { backend, port } => report::FlowKind::Balanced { backend, port },
            FlowKind::Reply { vip, port } => report::FlowKind::Reply { vip, port },
            FlowKind::Affinity(backend) => report::FlowKind::Affinity { backend },
            FlowKind::Outbound(port) => report::FlowKind::Outbound { port },
            FlowKind::Inbound(host) => report::FlowKind::Inbound { host },
            FlowKind::Admitted(circuit) => {
                report::FlowKind::Admitted { interface: self.interface_name(circuit) }
            }
            FlowKind::Fragment(source, destination) => {
                report::FlowKind::Fragment { ports: (source, destination) }
            }
        }
    }
}
