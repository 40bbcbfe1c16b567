//! Egress: the policies for what comes from circuits, and the addresses that this node has.

use std::collections::BTreeSet;

use ipnet::IpNet;
use srv6_dp::model::{EgressAddress, EgressPolicy as PolicyEntry, NextHop, SidRole};
use srv6_types::VrfId;

use super::{Advertised, CircuitState, Desired, PlannedRoute, PlannedVrf, RouteSource};
use crate::intent::{EgressPolicy, OwnedAddress, Vrf};

/// An egress address of this node as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEgress {
    /// As it is wanted.
    pub wanted: OwnedAddress,
    /// With what it is advertised.
    pub advertised: Advertised,
}

/// The addresses' routes and ports.
pub(super) fn add_addresses(vrf: &Vrf, id: VrfId, planned: &mut PlannedVrf, desired: &mut Desired) {
    for (address, wanted) in vrf.egress_addresses() {
        let route = PlannedRoute { source: RouteSource::Egress, next_hop: NextHop::Egress };
        planned.routes.entry(IpNet::from(address)).or_insert(route);
        desired.dataplane.egress_addresses.insert((id, address), ports(&wanted));
        let advertised = planned.advertised_with(address.into(), SidRole::Egress(address));
        planned.egress_addresses.insert(address, PlannedEgress { wanted, advertised });
    }
}

/// Whole blocks; what is left behind the last is nobody's.
pub(crate) fn ports(wanted: &OwnedAddress) -> EgressAddress {
    let (first, last) = wanted.ports;
    let count = u32::from(last).saturating_sub(u32::from(first)) + 1;
    let blocks = count / u32::from(wanted.port_block.max(1));
    EgressAddress {
        first_port: first,
        block_size: wanted.port_block,
        blocks: blocks.try_into().unwrap_or(u16::MAX),
    }
}

pub(super) fn add_policies(vrf: &Vrf, id: VrfId, planned: &mut PlannedVrf, desired: &mut Desired) {
    for (rank, policy) in (0..).zip(&vrf.egress) {
        let entry = policy_entry(policy, rank, planned);
        // Nobody's policy while its circuits are missing.
        if !(entry.sources.is_empty() && entry.circuits.is_empty()) {
            desired.dataplane.egress_policies.insert((id, policy.name.clone()), entry);
        }
        planned.egress.push(policy.clone());
    }
}

fn policy_entry(policy: &EgressPolicy, rank: u32, planned: &PlannedVrf) -> PolicyEntry {
    let attached = |state| matches!(state, CircuitState::Up | CircuitState::Down);
    let named = planned.circuits.iter().filter(|circuit| policy.circuits.contains(&circuit.interface));
    let prefixes = |list: &[IpNet]| list.iter().map(IpNet::trunc).collect::<BTreeSet<_>>();
    PolicyEntry {
        rank,
        sources: prefixes(&policy.sources),
        circuits: named.filter(|circuit| attached(circuit.state)).filter_map(|c| c.index).collect(),
        destinations: prefixes(&policy.destinations),
        exceptions: prefixes(&policy.except),
        addresses: policy.addresses.clone(),
    }
}
