//! VRFs of a node.

use std::collections::BTreeMap;

use bgp_wire::nlri::RouteDistinguisher;
use vrf_manager::intent::{Encapsulation, SidMode, Vrf};

use super::{
    Membership, Problem, Reason,
    advertise::Advertisements,
    circuit::{self, Claims, Made},
    draft::{Origin, VrfOrigins},
    node::Node,
    parse::{ROUTE_DISTINGUISHER, ROUTE_TARGET, Reader},
    tenant::Tenant,
};
use crate::{
    api::{self, SidAllocation, VrfSpec},
    world::{Key, ObjectRef, matches},
};

/// What a node remembers where nothing is said.
const FLOWS: u32 = 65_536;

/// What all VRFs of a node are made of.
pub(super) struct Makings<'m, 'a> {
    pub(super) node: &'m Node<'a>,
    pub(super) membership: &'m Membership<'a>,
    pub(super) advertisements: &'m Advertisements<'a>,
    /// Interfaces towards the core.
    pub(super) core: &'m [String],
}

impl Makings<'_, '_> {
    /// The VRFs of the node, by name.
    pub(super) fn vrfs(&self, problems: &mut Vec<Problem>) -> Vec<(Vrf, VrfOrigins)> {
        let mut circuits = circuit::of_node(self.node, problems);
        let mut claims = Claims::of_core(self.core);
        let mut distinguishers = BTreeMap::new();
        let mut vrfs = Vec::new();
        for (name, vrf) in &self.node.inputs.world.vrfs {
            let Some(scope) = self.membership.scope(name).filter(|_| self.has(name, &vrf.spec, problems))
            else {
                continue;
            };
            let named = circuits.remove(name.as_str()).unwrap_or_default();
            let mut tenant = Tenant::new(self.node, &scope, self.advertisements.of_vrf(name), problems);
            tenant.circuits(named, &mut claims, problems);
            tenant.static_routes(problems);
            tenant.services(problems);
            tenant.egress(problems);
            distinguish(&mut tenant.vrf, &mut distinguishers, problems);
            vrfs.push((tenant.vrf, tenant.origins));
        }
        self.not_here(&circuits, &vrfs, problems);
        vrfs
    }

    /// Whether the node is to have the VRF.
    fn has(&self, vrf: &str, spec: &VrfSpec, problems: &mut Vec<Problem>) -> bool {
        let selector = spec.node_selector.as_ref();
        let selected = selector.is_none_or(|selector| matches(selector, &self.node.known.labels));
        let provider_edge = self.node.spec.srv6.is_some();
        if selected && !provider_edge && selector.is_some() {
            let message = format!(
                "spec.nodeSelector: node {} has no SRv6 and so no VRFs; write spec.srv6 in BgpCluster {}",
                self.node.inputs.node, self.node.cluster
            );
            problems.push(Problem::new(ObjectRef::cluster("Vrf", vrf), Reason::Unsupported, message));
        }
        selected && provider_edge
    }

    /// What is in a VRF that the node does not have.
    fn not_here(
        &self,
        circuits: &BTreeMap<&str, Vec<Made>>,
        vrfs: &[(Vrf, VrfOrigins)],
        problems: &mut Vec<Problem>,
    ) {
        let node = self.node.inputs.node;
        for (vrf, of_vrf) in circuits {
            for (Origin { object, path }, _) in of_vrf {
                let message = format!(
                    "{path}.vrf: node {node} has no VRF {vrf}; correct it, or let the Vrf select the node"
                );
                problems.push(Problem::new(object.clone(), Reason::NotFound, message));
            }
        }
        let has = |name: &str| vrfs.binary_search_by(|(vrf, _)| vrf.name.as_str().cmp(name)).is_ok();
        for (vrf, of_vrf) in self.membership.circuits().filter(|(vrf, _)| !has(vrf)) {
            for attachment in of_vrf {
                let pod = Key::new(&attachment.pod.namespace, &attachment.pod.name);
                let message = format!(
                    "node {node} has no VRF {vrf}; let the Vrf select the node, or move the pod to one that it selects"
                );
                problems.push(Problem::new(ObjectRef::namespaced("Pod", &pod), Reason::NotFound, message));
            }
        }
    }
}

/// What a Vrf says of itself, without what is in it.
pub(super) fn read(name: &str, spec: &VrfSpec, problems: &mut Vec<Problem>) -> Vrf {
    let mut reader = Reader::new(ObjectRef::cluster("Vrf", name), problems);
    Vrf {
        name: name.to_owned(),
        rd: reader.maybe(&ROUTE_DISTINGUISHER, "spec.rd", spec.rd.as_ref()),
        import_route_targets: reader.list(
            &ROUTE_TARGET,
            "spec.importRouteTargets",
            &spec.import_route_targets,
        ),
        export_route_targets: reader.list(
            &ROUTE_TARGET,
            "spec.exportRouteTargets",
            &spec.export_route_targets,
        ),
        sid_mode: match spec.sid_allocation {
            SidAllocation::PerVrf => SidMode::PerVrf,
            SidAllocation::PerFamily => SidMode::PerFamily,
        },
        locator: None,
        encapsulation: match spec.encapsulation {
            api::Encapsulation::Reduced => Encapsulation::Reduced,
            api::Encapsulation::Full => Encapsulation::Full,
        },
        circuits: Vec::new(),
        static_routes: Vec::new(),
        redistribute: BTreeMap::new(),
        services: Vec::new(),
        egress: Vec::new(),
        filter: Vec::new(),
        max_flows: reader.number("spec.maxFlows", spec.max_flows, 1024..=4_194_304).unwrap_or(FLOWS),
    }
}

/// Routes of two VRFs with one distinguisher would be the same route to every other speaker: the first by name keeps it.
pub(super) fn distinguish(
    vrf: &mut Vrf,
    taken: &mut BTreeMap<RouteDistinguisher, String>,
    problems: &mut Vec<Problem>,
) {
    let Some(rd) = vrf.rd else { return };
    let Some(first) = taken.get(&rd) else {
        taken.insert(rd, vrf.name.clone());
        return;
    };
    let message = format!("spec.rd: {rd} is Vrf {first}'s already; write one of its own, or leave it away");
    problems.push(Problem::new(ObjectRef::cluster("Vrf", &vrf.name), Reason::Conflict, message));
    vrf.rd = None;
}
