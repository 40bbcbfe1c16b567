use std::net::IpAddr;

use vrf_manager::intent::{self, OwnedAddress, RouteAttributes};

use super::super::{Reason, Scope, parse::Reader};
use crate::{
    api::EgressPolicySpec,
    world::{Node, World, matches},
};

/// LOCAL_PREF of the first gateway; each one behind it has less.
const FIRST: u32 = 200;
const STEP: u32 = 10;

/// Nodes that have the addresses of a policy, in the order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gateways<'a> {
    nodes: Vec<Gateway<'a>>,
    port_block: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Gateway<'a> {
    node: &'a str,
    /// To be taken out of service, or not in a state to serve: behind all others.
    spared: bool,
}

impl<'a> Gateways<'a> {
    pub(super) fn of(scope: &Scope<'a>, spec: &EgressPolicySpec, reader: &mut Reader<'_>) -> Self {
        let world = scope.inputs.world;
        let has_vrf = |node: &Node| {
            scope.vrf.spec.node_selector.as_ref().is_none_or(|selector| matches(selector, &node.labels))
        };
        let selected =
            world.nodes.iter().filter(|(_, node)| matches(&spec.gateways.node_selector, &node.labels));
        let mut nodes: Vec<_> = selected
            .filter(|(_, node)| has_vrf(node))
            .map(|(name, node)| Gateway { node: name, spared: is_spared(world, name, node) })
            .collect();
        // By name they are; the sort is stable.
        nodes.sort_by_key(|gateway| gateway.spared);
        if nodes.is_empty() {
            let problem = format_args!(
                "no node of VRF {} has these labels, and what the policy holds is dropped; label one",
                scope.name
            );
            reader.tell(Reason::NotFound, "spec.gateways.nodeSelector", problem);
        }
        Self { nodes, port_block: port_block(spec, reader) }
    }

    /// What a node does as a gateway, if it is one.
    pub(super) fn here(&self, node: &str, addresses: &[IpAddr]) -> Option<intent::EgressGateway> {
        let rank = self.nodes.iter().position(|gateway| gateway.node == node)?;
        let below = u32::try_from(rank).unwrap_or(u32::MAX).saturating_mul(STEP);
        Some(intent::EgressGateway {
            addresses: addresses.to_vec(),
            attributes: RouteAttributes {
                local_preference: Some(FIRST.saturating_sub(below)),
                ..RouteAttributes::default()
            },
            ports: OwnedAddress::default().ports,
            port_block: self.port_block,
            graceful_shutdown: self.nodes[rank].spared,
        })
    }
}

fn is_spared(world: &World, name: &str, node: &Node) -> bool {
    let of_node = world.bgp_node_overrides.get(name);
    node.unschedulable || !node.ready || of_node.is_some_and(|of_node| of_node.spec.graceful_shutdown)
}

fn port_block(spec: &EgressPolicySpec, reader: &mut Reader<'_>) -> u16 {
    let wanted = reader.number("spec.gateways.portBlock", spec.gateways.port_block, 1..=1024);
    wanted.unwrap_or(OwnedAddress::default().port_block)
}
