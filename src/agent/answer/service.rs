//! Services, and what each VIP has counted.

use srv6_dp::{
    Dataplane,
    model::{Counters, ServiceId, Transport},
};
use srv6_types::VrfId;
use vrf_manager::view::{ServicePortView, ServiceView};

use super::Refusal;
use crate::{
    agent::{chain, node::Node},
    report,
};

impl Node {
    pub(super) fn services(&self, name: Option<&str>) -> Result<report::Services, Refusal> {
        let vrfs = self.chosen(name)?;
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let services = vrfs.iter().flat_map(|(id, vrf)| {
            let views = self.tables.service_views(*id).into_iter();
            views.map(|view| report::Service {
                vrf: vrf.clone(),
                counters: counted(*id, &view, &counters),
                view,
            })
        });
        Ok(report::Services { services: services.collect() })
    }
}

/// By VIP and port, in the order that the service has them.
fn counted(vrf: VrfId, service: &ServiceView, counters: &Counters) -> Vec<report::ServiceCounters> {
    let counted = |address, port: &ServicePortView| {
        let transport = Transport::from_number(port.protocol);
        let id = transport.map(|transport| ServiceId { vrf, address, transport, port: port.port });
        let of = id.and_then(|id| counters.services.get(&id)).copied().unwrap_or_default();
        report::ServiceCounters {
            address,
            protocol: port.protocol,
            port: port.port,
            target_port: port.target_port,
            flows: of.flows.packets,
            forwarded: of.forwarded.packets,
            bytes_forwarded: of.forwarded.bytes,
            replies: of.replies.packets,
            bytes_replied: of.replies.bytes,
            refused: of.refused.packets,
        }
    };
    let vips = service.vips.iter().map(|vip| vip.address);
    vips.flat_map(|vip| service.ports.iter().map(move |port| counted(vip, port))).collect()
}
