//! Flows in the model's words, for who wants to see them.

use std::{net::SocketAddr, time::Duration};

use srv6_types::{
    VrfId,
    maps::{FRAGMENT_LIFETIME, FlowEntry, FlowKey, flow_kind, flow_state},
};

use super::super::{EbpfDataplane, codec::address, error::EbpfError, sys};
use crate::model::{DataplaneError, FlowKind, FlowState, IfIndex, ServiceId, TrackedFlow, Transport};

impl EbpfDataplane {
    /// Up to `most` of the flows that the VRF remembers, in no order; not those that have been idle for too long.
    pub fn flows(&self, vrf: VrfId, most: usize) -> Result<Vec<TrackedFlow>, DataplaneError> {
        self.read_flows(vrf, most).map_err(|source| DataplaneError {
            what: format!("reading the flows of VRF {vrf}"),
            source: Box::new(source),
        })
    }

    fn read_flows(&self, vrf: VrfId, most: usize) -> Result<Vec<TrackedFlow>, EbpfError> {
        self.need_vrf(vrf)?;
        let Some(table) = self.flows.tables.get(&vrf) else { return Ok(Vec::new()) };
        let now = sys::monotonic();
        let live = table.read().filter_map(|entry| match entry {
            Ok((key, entry)) => self.live(vrf, &key, &entry, now).transpose(),
            Err(error) => Some(Err(error)),
        });
        live.take(most).collect()
    }

    fn live(
        &self,
        vrf: VrfId,
        key: &FlowKey,
        entry: &FlowEntry,
        now: Duration,
    ) -> Result<Option<TrackedFlow>, EbpfError> {
        let Some(mut flow) = decode(key, entry, now) else { return Ok(None) };
        let lifetime = match (lifetime(key, entry), flow.kind) {
            (Some(lifetime), _) => lifetime,
            (None, _) => self.services.affinity(service_of(vrf, &flow)).unwrap_or_default(),
        };
        if let FlowKind::Affinity(backend) = &mut flow.kind {
            *backend = self.services.backend(entry.target, entry.generation)?;
        }
        Ok((flow.idle < lifetime).then_some(flow))
    }
}

/// The service that a client's flow is to.
fn service_of(vrf: VrfId, flow: &TrackedFlow) -> Option<ServiceId> {
    let transport = Transport::from_number(flow.protocol)?;
    Some(ServiceId { vrf, address: flow.destination.ip(), transport, port: flow.destination.port() })
}

/// How long the flow may be idle; `None` where its service says so.
pub(super) fn lifetime(key: &FlowKey, entry: &FlowEntry) -> Option<Duration> {
    match key.kind {
        flow_kind::AFFINITY => None,
        flow_kind::FRAGMENT => Some(Duration::from_nanos(FRAGMENT_LIFETIME)),
        _ => Some(Duration::from_nanos(srv6_types::maps::lifetime(key.protocol, entry.state))),
    }
}

pub(super) fn idle(entry: &FlowEntry, now: Duration) -> Duration {
    now.saturating_sub(Duration::from_nanos(entry.seen))
}

/// `None` for what no version of the programs writes.
fn decode(key: &FlowKey, entry: &FlowEntry, now: Duration) -> Option<TrackedFlow> {
    let family = u32::from(key.family);
    let [from, to] = ports(key.ports);
    let [new_from, new_to] = ports(entry.ports);
    let new = |port| Some(SocketAddr::new(address(family, entry.address)?, port));
    let is_fragment = key.kind == flow_kind::FRAGMENT;
    let [from, to] = if is_fragment { [0, 0] } else { [from, to] };
    Some(TrackedFlow {
        source: SocketAddr::new(address(family, key.source)?, from),
        destination: SocketAddr::new(address(family, key.destination)?, to),
        protocol: key.protocol,
        kind: match key.kind {
            flow_kind::BALANCED => FlowKind::Balanced { backend: new(new_to)?, port: new_from },
            flow_kind::REPLY => FlowKind::Reply { vip: new(new_from)?, port: new_to },
            flow_kind::AFFINITY => FlowKind::Affinity(None),
            flow_kind::OUTBOUND => FlowKind::Outbound(new_from),
            flow_kind::INBOUND => FlowKind::Inbound(new(new_to)?),
            flow_kind::ADMITTED => FlowKind::Admitted(IfIndex(key.scope)),
            flow_kind::FRAGMENT => FlowKind::Fragment(new_from, new_to),
            _ => return None,
        },
        state: match entry.state {
            flow_state::OPENING => FlowState::Opening,
            flow_state::ESTABLISHED => FlowState::Established,
            _ => FlowState::Closing,
        },
        idle: idle(entry, now),
    })
}

fn ports([a, b, c, d]: [u8; 4]) -> [u16; 2] {
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}
