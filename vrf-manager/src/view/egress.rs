use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use srv6_types::VrfId;

use super::{AdvertisedView, NextHopView};
use crate::{intent::EgressPolicy, plan::ports, table::VrfTables};

/// An egress policy of a VRF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressView {
    /// Operator's name.
    pub name: String,
    /// Hosts by address.
    pub sources: Vec<IpNet>,
    /// Hosts by circuit.
    pub circuits: Vec<String>,
    /// Where to.
    pub destinations: Vec<IpNet>,
    /// And where not.
    pub except: Vec<IpNet>,
    /// Egress addresses in the order of preference.
    pub addresses: Vec<EgressChoiceView>,
}

/// An egress address that a policy names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressChoiceView {
    /// The address.
    pub address: IpAddr,
    /// Where its route leads; `None` while there is none.
    pub next_hop: Option<NextHopView>,
    /// The first of its family that has a route.
    pub used: bool,
}

/// An egress address that this node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EgressAddressView {
    /// The address, and the SID that it is advertised with.
    #[serde(flatten)]
    pub advertised: AdvertisedView,
    /// First port that hosts are given.
    pub first_port: u16,
    /// The last one.
    pub last_port: u16,
    /// Ports of a host's block.
    pub port_block: u16,
    /// Number of blocks.
    pub blocks: u16,
    /// LOCAL_PREF of its route, where one is set.
    pub local_preference: Option<u32>,
    /// Another gateway is to be preferred.
    pub graceful_shutdown: bool,
}

impl VrfTables {
    /// The egress policies of a VRF, in the order of the configuration.
    pub fn egress_views(&self, vrf: VrfId) -> Vec<EgressView> {
        let policies = self.planned_vrf(vrf).into_iter().flat_map(|planned| &planned.egress);
        policies.map(|policy| self.egress_view(vrf, policy)).collect()
    }

    /// The egress addresses of a VRF that this node has.
    pub fn egress_address_views(&self, vrf: VrfId) -> Vec<EgressAddressView> {
        let addresses = self.planned_vrf(vrf).into_iter().flat_map(|planned| &planned.egress_addresses);
        let view = |(address, egress): (&IpAddr, &crate::plan::PlannedEgress)| EgressAddressView {
            advertised: AdvertisedView::new(*address, egress.advertised),
            first_port: egress.wanted.ports.0,
            last_port: egress.wanted.ports.1,
            port_block: egress.wanted.port_block,
            blocks: ports(&egress.wanted).blocks,
            local_preference: egress.wanted.attributes.local_preference,
            graceful_shutdown: egress.wanted.graceful_shutdown,
        };
        addresses.map(view).collect()
    }

    fn egress_view(&self, vrf: VrfId, policy: &EgressPolicy) -> EgressView {
        let names = self.interface_names();
        let route = |address: &IpAddr| self.route_to(vrf, (*address).into());
        let first = |ipv4| policy.addresses.iter().find(|a| a.is_ipv4() == ipv4 && route(a).is_some());
        let choice = |address: &IpAddr| EgressChoiceView {
            address: *address,
            next_hop: route(address).map(|next_hop| self.next_hop_view(next_hop, &names)),
            used: first(address.is_ipv4()) == Some(address),
        };
        EgressView {
            name: policy.name.clone(),
            sources: policy.sources.clone(),
            circuits: policy.circuits.clone(),
            destinations: policy.destinations.clone(),
            except: policy.except.clone(),
            addresses: policy.addresses.iter().map(choice).collect(),
        }
    }
}
