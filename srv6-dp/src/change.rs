//! From what is to what shall be: the ordered changes, and what each does to a [`State`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ipnet::IpNet;
use srv6_types::VrfId;

use crate::model::{Change, IfIndex, NextHop, Node, ServiceId, State};

/// A change that cannot be applied because it names a VRF that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VRF {0} does not exist: set the VRF before what refers to it")]
pub struct NoSuchVrf(pub VrfId);

impl Change {
    /// The changes that lead from `from` to `to`, make before break. Both states must be consistent: whatever
    /// names a VRF names one of the same state.
    ///
    /// The order, and why:
    /// 1. The node with the locators and the domain of both states: the guard against packets from circuits into
    ///    the domain (RFC 8754 section 5.1) has to stand before the first circuit and until the last old SID is gone.
    /// 2. Interfaces that change sides are taken off first: for no moment may a tenant's interface count as core.
    ///    So are routes without a VRF, which a process left that died while it removed the VRF: its id may be another
    ///    tenant's next.
    /// 3. VRFs, for all below refers to them; filters, which circuits name; core and circuits, for routes lead out of them.
    /// 4. Egress addresses, the services that may translate to them, and egress policies, which may name circuits.
    /// 5. Routes, those that leak into another VRF last, so that they find there what they lead to.
    /// 6. SIDs, which draw traffic from other PEs only into tables that are complete.
    /// 7. Removals the other way round: SIDs, leaking routes, routes, policies, services, egress addresses, circuits,
    ///    core, filters, VRFs, old node settings.
    pub fn between(from: &State, to: &State) -> Vec<Self> {
        let mut changes = Vec::new();
        node_of_both(from, to, &mut changes);
        let moved = leave_old_side(from, to, &mut changes);
        let orphans = from
            .routes
            .iter()
            .filter(|(key, next_hop)| is_orphan(from, key) && to.routes.get(key) != Some(next_hop));
        changes.extend(orphans.map(|((vrf, prefix), _)| Self::RemoveRoute(*vrf, *prefix)));
        make(from, to, &moved, &mut changes);
        set_translations(from, to, &mut changes);
        set_routes(from, to, &mut changes);
        let sids = to.sids.iter().filter(|(sid, local)| from.sids.get(sid) != Some(local));
        changes.extend(sids.map(|(sid, local)| Self::SetSid(*sid, *local)));
        let gone = from.sids.keys().filter(|sid| !to.sids.contains_key(sid));
        changes.extend(gone.map(|sid| Self::RemoveSid(*sid)));
        remove_routes(from, to, &mut changes);
        remove_translations(from, to, &mut changes);
        unmake(from, to, &moved, &mut changes);
        if changes.iter().any(|change| matches!(change, Self::SetNode(node) if *node != to.node)) {
            changes.push(Self::SetNode(to.node.clone()));
        }
        changes
    }
}

fn is_orphan(state: &State, (vrf, _): &(VrfId, IpNet)) -> bool {
    !state.vrfs.contains_key(vrf)
}

fn node_of_both(from: &State, to: &State, changes: &mut Vec<Change>) {
    if from.node != to.node {
        changes.push(Change::SetNode(Node {
            source: to.node.source,
            locators: &from.node.locators | &to.node.locators,
            domain: &from.node.domain | &to.node.domain,
        }));
    }
}

/// Takes interfaces off that are circuit in one state and core in the other; returns them.
fn leave_old_side(from: &State, to: &State, changes: &mut Vec<Change>) -> BTreeSet<IfIndex> {
    let mut moved = BTreeSet::new();
    for interface in from.circuits.keys().filter(|interface| to.core.contains(interface)) {
        moved.insert(*interface);
        changes.push(Change::RemoveCircuit(*interface));
    }
    for interface in from.core.iter().filter(|interface| to.circuits.contains_key(interface)) {
        moved.insert(*interface);
        changes.push(Change::RemoveCore(*interface));
    }
    moved
}

fn make(from: &State, to: &State, moved: &BTreeSet<IfIndex>, changes: &mut Vec<Change>) {
    let vrfs = to.vrfs.iter().filter(|(id, vrf)| from.vrfs.get(id) != Some(vrf));
    changes.extend(vrfs.map(|(id, vrf)| Change::SetVrf(*id, vrf.clone())));
    changes.extend(
        changed(&from.filters, &to.filters).map(|(id, filter)| Change::SetFilter(*id, filter.clone())),
    );
    let core = to.core.iter().filter(|interface| !from.core.contains(interface) || moved.contains(interface));
    changes.extend(core.map(|interface| Change::AddCore(*interface)));
    let circuits = to.circuits.iter().filter(|(interface, circuit)| {
        from.circuits.get(interface) != Some(circuit) || moved.contains(interface)
    });
    changes.extend(circuits.map(|(interface, circuit)| Change::SetCircuit(*interface, circuit.clone())));
}

fn unmake(from: &State, to: &State, moved: &BTreeSet<IfIndex>, changes: &mut Vec<Change>) {
    let stays = |interface: &&IfIndex| !moved.contains(interface);
    let circuits =
        from.circuits.keys().filter(stays).filter(|interface| !to.circuits.contains_key(interface));
    changes.extend(circuits.map(|interface| Change::RemoveCircuit(*interface)));
    let core = from.core.iter().filter(stays).filter(|interface| !to.core.contains(interface));
    changes.extend(core.map(|interface| Change::RemoveCore(*interface)));
    changes.extend(gone(&from.filters, &to.filters).map(|id| Change::RemoveFilter(*id)));
    let vrfs = from.vrfs.keys().filter(|id| !to.vrfs.contains_key(id));
    changes.extend(vrfs.map(|id| Change::RemoveVrf(*id)));
}

/// Egress addresses, services and policies, in the order in which they need each other.
fn set_translations(from: &State, to: &State, changes: &mut Vec<Change>) {
    let addresses = changed(&from.egress_addresses, &to.egress_addresses);
    changes.extend(addresses.map(|(at, address)| Change::SetEgressAddress(*at, *address)));
    let services = changed(&from.services, &to.services);
    changes.extend(services.map(|(id, service)| Change::SetService(*id, service.clone())));
    let policies = changed(&from.egress_policies, &to.egress_policies);
    changes.extend(policies.map(|(name, policy)| Change::SetEgressPolicy(name.clone(), policy.clone())));
}

/// Those of a VRF that goes as well: their slots are another tenant's next.
fn remove_translations(from: &State, to: &State, changes: &mut Vec<Change>) {
    let policies = gone(&from.egress_policies, &to.egress_policies);
    changes.extend(policies.map(|name| Change::RemoveEgressPolicy(name.clone())));
    changes.extend(gone(&from.services, &to.services).map(|id| Change::RemoveService(*id)));
    let addresses = gone(&from.egress_addresses, &to.egress_addresses);
    changes.extend(addresses.map(|at| Change::RemoveEgressAddress(*at)));
}

/// What is new or other in `to`.
fn changed<'a, K: Ord, V: PartialEq>(
    from: &'a BTreeMap<K, V>,
    to: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    to.iter().filter(|(key, value)| from.get(key) != Some(value))
}

/// What is in `from` only.
fn gone<'a, K: Ord, V>(from: &'a BTreeMap<K, V>, to: &'a BTreeMap<K, V>) -> impl Iterator<Item = &'a K> {
    from.keys().filter(|key| !to.contains_key(key))
}

fn leaks(next_hop: &NextHop) -> bool {
    matches!(next_hop, NextHop::Vrf(_))
}

fn set_routes(from: &State, to: &State, changes: &mut Vec<Change>) {
    let new = |leaking: bool| {
        to.routes
            .iter()
            .filter(move |(key, next_hop)| {
                leaks(next_hop) == leaking && from.routes.get(key) != Some(next_hop)
            })
            .map(|((vrf, prefix), next_hop)| Change::SetRoute(*vrf, *prefix, next_hop.clone()))
    };
    changes.extend(new(false).chain(new(true)));
}

/// Routes of a VRF that goes as a whole go with it.
fn remove_routes(from: &State, to: &State, changes: &mut Vec<Change>) {
    let goes_whole = |vrf: &VrfId| from.vrfs.contains_key(vrf) && !to.vrfs.contains_key(vrf);
    let old = |leaking: bool| {
        from.routes
            .iter()
            .filter(move |(key @ (vrf, _), next_hop)| {
                // Of a VRF that goes, only what leads elsewhere: to a VRF that may go before it.
                let gone = !to.routes.contains_key(key) && !is_orphan(from, key);
                leaks(next_hop) == leaking && gone && (leaking || !goes_whole(vrf))
            })
            .map(|((vrf, prefix), _)| Change::RemoveRoute(*vrf, *prefix))
    };
    changes.extend(old(true).chain(old(false)));
}

impl State {
    /// What `change` makes of this state; refused where it names a VRF that is not there.
    pub fn apply(&mut self, change: &Change) -> Result<(), NoSuchVrf> {
        if let Some(vrf) = change.needs_vrf().filter(|vrf| !self.vrfs.contains_key(vrf)) {
            return Err(NoSuchVrf(vrf));
        }
        match change {
            Change::SetNode(node) => self.node = node.clone(),
            Change::AddCore(interface) => drop(self.core.insert(*interface)),
            Change::RemoveCore(interface) => drop(self.core.remove(interface)),
            Change::SetVrf(id, vrf) => drop(self.vrfs.insert(*id, vrf.clone())),
            Change::RemoveVrf(id) => {
                self.vrfs.remove(id);
                self.routes.retain(|(vrf, _), _| vrf != id);
            }
            Change::SetFilter(id, filter) => drop(self.filters.insert(*id, filter.clone())),
            Change::RemoveFilter(id) => drop(self.filters.remove(id)),
            Change::SetEgressAddress(at, address) => drop(self.egress_addresses.insert(*at, *address)),
            Change::RemoveEgressAddress(at) => drop(self.egress_addresses.remove(at)),
            Change::SetEgressPolicy(name, policy) => {
                drop(self.egress_policies.insert(name.clone(), policy.clone()));
            }
            Change::RemoveEgressPolicy(name) => drop(self.egress_policies.remove(name)),
            Change::SetService(id, service) => drop(self.services.insert(*id, service.clone())),
            Change::RemoveService(id) => drop(self.services.remove(id)),
            Change::SetCircuit(interface, circuit) => drop(self.circuits.insert(*interface, circuit.clone())),
            Change::RemoveCircuit(interface) => drop(self.circuits.remove(interface)),
            Change::SetSid(sid, local) => drop(self.sids.insert(*sid, *local)),
            Change::RemoveSid(sid) => drop(self.sids.remove(sid)),
            Change::SetRoute(vrf, prefix, next_hop) => {
                drop(self.routes.insert((*vrf, prefix.trunc()), next_hop.clone()));
            }
            Change::RemoveRoute(vrf, prefix) => drop(self.routes.remove(&(*vrf, prefix.trunc()))),
        }
        Ok(())
    }

    /// The longest match for `destination` in the table of `vrf`.
    pub fn longest_match(&self, vrf: VrfId, destination: std::net::IpAddr) -> Option<(IpNet, &NextHop)> {
        let widest = if destination.is_ipv4() { 32 } else { 128 };
        (0..=widest).rev().find_map(|len| {
            let prefix = IpNet::new(destination, len).ok()?.trunc();
            Some((prefix, self.routes.get(&(vrf, prefix))?))
        })
    }
}

impl Change {
    /// The VRF that has to be there before this change.
    pub(crate) fn needs_vrf(&self) -> Option<VrfId> {
        match self {
            Self::SetCircuit(_, circuit) => Some(circuit.vrf),
            Self::SetSid(_, local) => Some(local.vrf),
            Self::SetRoute(vrf, ..)
            | Self::SetEgressAddress((vrf, _), _)
            | Self::SetEgressPolicy((vrf, _), _)
            | Self::SetService(ServiceId { vrf, .. }, _) => Some(*vrf),
            _ => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetNode(_) => f.write_str("set the node"),
            Self::AddCore(interface) => write!(f, "add core interface {}", interface.0),
            Self::RemoveCore(interface) => write!(f, "remove core interface {}", interface.0),
            Self::SetVrf(id, _) => write!(f, "set VRF {id}"),
            Self::RemoveVrf(id) => write!(f, "remove VRF {id}"),
            Self::SetFilter(id, _) => write!(f, "set filter {}", id.0),
            Self::RemoveFilter(id) => write!(f, "remove filter {}", id.0),
            Self::SetEgressAddress((vrf, address), _) => {
                write!(f, "set egress address {address} of VRF {vrf}")
            }
            Self::RemoveEgressAddress((vrf, address)) => {
                write!(f, "remove egress address {address} of VRF {vrf}")
            }
            Self::SetEgressPolicy((vrf, name), _) => write!(f, "set egress policy {name} of VRF {vrf}"),
            Self::RemoveEgressPolicy((vrf, name)) => write!(f, "remove egress policy {name} of VRF {vrf}"),
            Self::SetService(id, _) => write!(f, "set service {id}"),
            Self::RemoveService(id) => write!(f, "remove service {id}"),
            Self::SetCircuit(interface, circuit) => {
                write!(f, "set circuit {} of VRF {}", interface.0, circuit.vrf)
            }
            Self::RemoveCircuit(interface) => write!(f, "remove circuit {}", interface.0),
            Self::SetSid(sid, local) => write!(f, "set SID {sid} ({} of VRF {})", local.behavior, local.vrf),
            Self::RemoveSid(sid) => write!(f, "remove SID {sid}"),
            Self::SetRoute(vrf, prefix, _) => write!(f, "set route {prefix} of VRF {vrf}"),
            Self::RemoveRoute(vrf, prefix) => write!(f, "remove route {prefix} of VRF {vrf}"),
        }
    }
}
