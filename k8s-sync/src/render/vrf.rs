//! VRFs of a node.

use std::collections::BTreeMap;

use bgp_wire::nlri::RouteDistinguisher;
use vrf_manager::intent::{Encapsulation, RouteAttributes, SidMode, StaticRoute, Via, Vrf};

use super::{
    Membership, Problem, Reason, Scope,
    advertise::{Advertisements, InVrf},
    circuit::{self, Claims, Made},
    draft::{Origin, VrfOrigins},
    egress,
    locator::block,
    node::Node,
    parse::{ROUTE_DISTINGUISHER, ROUTE_TARGET, Reader},
    route,
    service::{self, Served},
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
            let mut made = self.vrf(&scope, named, &mut claims, problems);
            distinguish(&mut made.0, &mut distinguishers, problems);
            vrfs.push(made);
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

    fn vrf(
        &self,
        scope: &Scope<'_>,
        named: Vec<Made>,
        claims: &mut Claims,
        problems: &mut Vec<Problem>,
    ) -> (Vrf, VrfOrigins) {
        let origins = VrfOrigins::default();
        let mut made = (read(scope.name, &scope.vrf.spec, problems), origins);
        self.circuits(scope, named, claims, &mut made, problems);
        self.static_routes(scope, &mut made, problems);
        self.services(scope, &mut made, problems);
        self.egress(scope, &mut made, problems);
        made
    }

    fn circuits(
        &self,
        scope: &Scope<'_>,
        named: Vec<Made>,
        claims: &mut Claims,
        (vrf, origins): &mut (Vrf, VrfOrigins),
        problems: &mut Vec<Problem>,
    ) {
        let mut made = circuit::of_vrf(scope, self.node, problems);
        made.extend(named);
        made.extend(circuit::of_pods(scope, problems));
        made.retain(|circuit| claims.take(circuit, scope.name, problems));
        (origins.circuits, vrf.circuits) = made.into_iter().unzip();
    }

    /// Those that are written, and the aggregates of pods' addresses.
    fn static_routes(
        &self,
        scope: &Scope<'_>,
        (vrf, origins): &mut (Vrf, VrfOrigins),
        problems: &mut Vec<Problem>,
    ) {
        let object = ObjectRef::cluster("Vrf", scope.name);
        let mut routes = route::read(&object, &scope.vrf.spec.static_routes, problems);
        routes.retain(|(_, route)| route::leads_somewhere(route, &vrf.circuits));
        let advertised = self.advertisements.of_vrf(scope.name);
        let aggregates = self.aggregates(scope, advertised, !routes.is_empty(), problems);
        vrf.redistribute = advertised.redistribute(!aggregates.is_empty());
        routes.extend(aggregates);
        (origins.static_routes, vrf.static_routes) = routes.into_iter().unzip();
    }

    fn services(
        &self,
        scope: &Scope<'_>,
        (vrf, origins): &mut (Vrf, VrfOrigins),
        problems: &mut Vec<Problem>,
    ) {
        let advertised = self.advertisements.of_vrf(scope.name);
        for Served { key, object, kind, mut service } in service::of_vrf(scope, problems) {
            service.advertise = advertised.service(&object.labels, kind);
            let origin = Origin::new(ObjectRef::namespaced("Service", key), "spec");
            origins.services.insert(service.name.clone(), origin);
            vrf.services.push(service);
        }
    }

    fn egress(&self, scope: &Scope<'_>, (vrf, origins): &mut (Vrf, VrfOrigins), problems: &mut Vec<Problem>) {
        let advertised = self.advertisements.of_vrf(scope.name);
        for (name, mut policy) in egress::of_vrf(scope, problems) {
            let labels = scope.inputs.world.egress_policies.get(name).map(|object| &object.labels);
            if let (Some(gateway), Some(labels)) = (&mut policy.gateway, labels) {
                let local_preference = gateway.attributes.local_preference;
                gateway.attributes = RouteAttributes { local_preference, ..advertised.egress(labels) };
            }
            let origin = Origin::new(ObjectRef::cluster("EgressPolicy", name), "spec");
            origins.egress.insert(policy.name.clone(), origin);
            vrf.egress.push(policy);
        }
    }

    /// The node's blocks of pods' addresses as routes: what no pod has is dropped here.
    fn aggregates(
        &self,
        scope: &Scope<'_>,
        advertised: InVrf<'_, '_>,
        has_static: bool,
        problems: &mut Vec<Problem>,
    ) -> Vec<(Origin, StaticRoute)> {
        let blocks = block(scope.inputs.world, scope.inputs.node, scope.name).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        let Some(origin) = advertised.aggregate(has_static, problems) else { return Vec::new() };
        let route = |prefix| (origin.clone(), StaticRoute { prefix, via: Via::Blackhole });
        blocks.into_iter().map(route).collect()
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
