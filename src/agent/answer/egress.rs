//! Egress addresses and policies.

use std::net::IpAddr;

use srv6_dp::{
    Dataplane,
    model::{Counters, EgressAddress},
};
use srv6_types::VrfId;
use vrf_manager::view::EgressAddressView;

use super::Refusal;
use crate::{
    agent::{chain, node::Node},
    report,
};

impl Node {
    pub(super) fn egress(&self, name: Option<&str>, host: Option<IpAddr>) -> Result<report::Egress, Refusal> {
        let vrfs = self.chosen(name)?;
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let addresses = vrfs.iter().flat_map(|(id, vrf)| {
            let views = self.tables.egress_address_views(*id).into_iter();
            views.map(|view| address(*id, vrf, view, host, &counters))
        });
        let policies = vrfs.iter().flat_map(|(id, vrf)| {
            let views = self.tables.egress_views(*id).into_iter();
            views.map(|view| report::EgressPolicy { vrf: vrf.clone(), view })
        });
        Ok(report::Egress { host, addresses: addresses.collect(), policies: policies.collect() })
    }
}

fn address(
    id: VrfId,
    vrf: &str,
    view: EgressAddressView,
    host: Option<IpAddr>,
    counters: &Counters,
) -> report::EgressAddress {
    let address = view.advertised.address;
    let of = counters.egress_addresses.get(&(id, address)).copied().unwrap_or_default();
    let ports =
        EgressAddress { first_port: view.first_port, block_size: view.port_block, blocks: view.blocks };
    report::EgressAddress {
        vrf: vrf.to_owned(),
        // Hosts have the addresses of their own family only.
        host_ports: host.filter(|host| host.is_ipv4() == address.is_ipv4()).map(|host| ports.block_of(host)),
        outbound: of.outbound.packets,
        bytes_outbound: of.outbound.bytes,
        inbound: of.inbound.packets,
        bytes_inbound: of.inbound.bytes,
        mappings: of.mappings,
        exhausted: of.exhausted,
        view,
    }
}
