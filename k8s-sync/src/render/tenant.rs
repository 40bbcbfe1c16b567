//! What is in a VRF of a node.

use vrf_manager::intent::{RouteAttributes, StaticRoute, Via, Vrf};

use super::{
    Problem, Scope,
    advertise::InVrf,
    circuit::{self, Claims, Made},
    draft::{Origin, VrfOrigins},
    egress,
    locator::block,
    node::Node,
    route,
    service::{self, Served},
    vrf,
};
use crate::world::ObjectRef;

/// A VRF of a node as it is filled.
pub(super) struct Tenant<'t, 'a> {
    node: &'t Node<'a>,
    scope: &'t Scope<'t>,
    advertised: InVrf<'t, 'a>,
    pub(super) vrf: Vrf,
    pub(super) origins: VrfOrigins,
}

impl<'t, 'a> Tenant<'t, 'a> {
    pub(super) fn new(
        node: &'t Node<'a>,
        scope: &'t Scope<'t>,
        advertised: InVrf<'t, 'a>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let vrf = vrf::read(scope.name, &scope.vrf.spec, problems);
        Self { node, scope, advertised, vrf, origins: VrfOrigins::default() }
    }

    /// Interfaces that the Vrf names, these AttachmentCircuits, and pods.
    pub(super) fn circuits(&mut self, named: Vec<Made>, claims: &mut Claims, problems: &mut Vec<Problem>) {
        let mut made = circuit::of_vrf(self.scope, self.node, problems);
        made.extend(named);
        made.extend(circuit::of_pods(self.scope, problems));
        made.retain(|circuit| claims.take(circuit, self.scope.name, problems));
        (self.origins.circuits, self.vrf.circuits) = made.into_iter().unzip();
    }

    /// Those that are written, and the aggregates of pods' addresses; what is redistributed with them.
    pub(super) fn static_routes(&mut self, problems: &mut Vec<Problem>) {
        let object = ObjectRef::cluster("Vrf", self.scope.name);
        let mut routes = route::read(&object, &self.scope.vrf.spec.static_routes, problems);
        routes.retain(|(_, route)| route::leads_somewhere(route, &self.vrf.circuits));
        let aggregates = self.aggregates(!routes.is_empty(), problems);
        self.vrf.redistribute = self.advertised.redistribute(!aggregates.is_empty());
        routes.extend(aggregates);
        (self.origins.static_routes, self.vrf.static_routes) = routes.into_iter().unzip();
    }

    /// The node's blocks of pods' addresses as routes: what no pod has is dropped here.
    fn aggregates(&self, has_static: bool, problems: &mut Vec<Problem>) -> Vec<(Origin, StaticRoute)> {
        let inputs = &self.scope.inputs;
        let blocks = block(inputs.world, inputs.node, self.scope.name).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        if blocks.is_empty() {
            return Vec::new();
        }
        let Some(origin) = self.advertised.aggregate(has_static, problems) else { return Vec::new() };
        let route = |prefix| (origin.clone(), StaticRoute { prefix, via: Via::Blackhole });
        blocks.into_iter().map(route).collect()
    }

    pub(super) fn services(&mut self, problems: &mut Vec<Problem>) {
        for Served { key, object, kind, mut service } in service::of_vrf(self.scope, problems) {
            service.advertise = self.advertised.service(&object.labels, kind);
            self.origins.services.push(Origin::new(ObjectRef::namespaced("Service", key), "spec"));
            self.vrf.services.push(service);
        }
    }

    /// The order of gateways gives LOCAL_PREF, an advertisement the rest.
    pub(super) fn egress(&mut self, problems: &mut Vec<Problem>) {
        for (name, mut policy) in egress::of_vrf(self.scope, problems) {
            let object = self.scope.inputs.world.egress_policies.get(name);
            if let Some((gateway, object)) = policy.gateway.as_mut().zip(object) {
                let local_preference = gateway.attributes.local_preference;
                gateway.attributes =
                    RouteAttributes { local_preference, ..self.advertised.egress(&object.labels) };
            }
            self.origins.egress.push(Origin::new(ObjectRef::cluster("EgressPolicy", name), "spec"));
            self.vrf.egress.push(policy);
        }
    }
}
