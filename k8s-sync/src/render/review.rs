//! What is wrong with our objects whichever the node is.

use std::collections::BTreeMap;

use vrf_manager::intent::Circuit;

use super::{
    Inputs, Membership, Problem, Reason, advertise, bgp, circuit,
    draft::Origin,
    egress, locator,
    node::{self, CLUSTER, OVERRIDE},
    parse::{INTERFACE, Reader},
    route, vrf,
};
use crate::{
    api::{AttachmentCircuitSpec, BgpClusterSpec, VrfSpec},
    world::{ObjectRef, World},
};

/// The problems that do not depend on the node; those that do are told by the nodes.
pub fn review(world: &World) -> Vec<Problem> {
    let mut problems = Vec::new();
    vrfs(world, &mut problems);
    let circuits = &world.attachment_circuits;
    circuits.iter().for_each(|(name, circuit)| attachment_circuit(world, name, &circuit.spec, &mut problems));
    for (name, pool) in &world.locator_pools {
        locator::review_pool(name, &pool.spec, &mut problems);
    }
    world.bgp_clusters.iter().for_each(|(name, of)| cluster(world, name, &of.spec, &mut problems));
    for (name, config) in &world.bgp_peer_configs {
        bgp::review_config(name, &config.spec, &mut problems);
    }
    overrides(world, &mut problems);
    advertisements(world, &mut problems);
    egress_policies(world, &mut problems);
    problems.sort();
    problems.dedup();
    problems
}

fn vrfs(world: &World, problems: &mut Vec<Problem>) {
    let mut circuits = of_attachment_circuits(world);
    let mut distinguishers = BTreeMap::new();
    for (name, object) in &world.vrfs {
        let spec = &object.spec;
        let mut read = vrf::read(name, spec, problems);
        vrf::distinguish(&mut read, &mut distinguishers, problems);
        locator::review_ranges(name, spec, problems);
        let mut circuits = circuits.remove(name.as_str()).unwrap_or_default();
        let interfaces = spec.interfaces.iter().enumerate();
        circuits.extend(interfaces.filter_map(|(i, of)| circuit::read_interface(name, i, of, problems)));
        let circuits: Vec<_> = circuits.into_iter().map(|(_, circuit)| circuit).collect();
        static_routes(name, spec, &circuits, problems);
    }
}

fn of_attachment_circuits(world: &World) -> BTreeMap<&str, Vec<circuit::Made>> {
    let mut circuits = BTreeMap::<_, Vec<_>>::new();
    for (name, object) in &world.attachment_circuits {
        // What is wrong is told with the objects themselves.
        let made = circuit::read(name, &object.spec, &mut Vec::new());
        circuits.entry(object.spec.vrf.as_str()).or_default().extend(made);
    }
    circuits
}

/// A neighbour may be on some nodes only, but not on none.
fn static_routes(name: &str, spec: &VrfSpec, circuits: &[Circuit], problems: &mut Vec<Problem>) {
    let object = ObjectRef::cluster("Vrf", name);
    for (Origin { path, .. }, route) in route::read(&object, &spec.static_routes, problems) {
        if !route::leads_somewhere(&route, circuits) {
            let problem = "the neighbor is in no subnet of the VRF's interfaces and AttachmentCircuits; give one of them \
                           an address of its subnet";
            let mut reader = Reader::new(object.clone(), problems);
            reader.tell(Reason::NotFound, format_args!("{path}.via"), problem);
        }
    }
}

fn attachment_circuit(world: &World, name: &str, spec: &AttachmentCircuitSpec, problems: &mut Vec<Problem>) {
    circuit::read(name, spec, problems);
    let mut reader = Reader::new(ObjectRef::cluster("AttachmentCircuit", name), problems);
    if !world.vrfs.contains_key(&spec.vrf) {
        no_vrf(&mut reader, &spec.vrf);
    }
    if !world.nodes.contains_key(&spec.node) {
        let problem = format_args!("there is no Node {}; correct the name", spec.node);
        reader.tell(Reason::NotFound, "spec.node", problem);
    }
}

fn no_vrf(reader: &mut Reader<'_>, name: &str) {
    let problem = format_args!("there is no Vrf {name}; name one that there is, or create it");
    reader.tell(Reason::NotFound, "spec.vrf", problem);
}

fn cluster(world: &World, name: &str, spec: &BgpClusterSpec, problems: &mut Vec<Problem>) {
    let object = ObjectRef::cluster(CLUSTER, name);
    match node::instance(name, spec) {
        Err(problem) => problems.push(problem),
        Ok(instance) => {
            bgp::listen_port(name, instance, problems);
            for (i, peer) in instance.peers.iter().enumerate() {
                let origin = Origin::new(object.clone(), bgp::path(i));
                bgp::read_peer(&origin, peer, problems);
                bgp::config_of(world, &origin, peer, problems);
            }
        }
    }
    let mut reader = Reader::new(object, problems);
    let Some(srv6) = &spec.srv6 else { return };
    let _: Vec<_> = reader.list(&INTERFACE, "spec.srv6.coreInterfaces", &srv6.core_interfaces);
    for (i, pool) in
        srv6.locator_pools.iter().enumerate().filter(|(_, p)| !world.locator_pools.contains_key(*p))
    {
        let problem = format_args!("there is no LocatorPool {pool}; create it, or correct the name");
        reader.tell(Reason::NotFound, format_args!("spec.srv6.locatorPools[{i}]"), problem);
    }
}

fn overrides(world: &World, problems: &mut Vec<Problem>) {
    for (name, own) in &world.bgp_node_overrides {
        node::read_override(name, &own.spec, problems);
        bgp::review_override(name, &own.spec, problems);
        if !world.nodes.contains_key(name) {
            let mut reader = Reader::new(ObjectRef::cluster(OVERRIDE, name), problems);
            let problem = format_args!("there is no Node {name}, whose name it must have; correct it");
            reader.tell(Reason::NotFound, "metadata.name", problem);
        }
    }
}

fn advertisements(world: &World, problems: &mut Vec<Problem>) {
    for (name, advertisement) in &world.bgp_advertisements {
        advertise::read(name, &advertisement.spec, problems);
        if let Some(vrf) = advertisement.spec.vrf.as_ref().filter(|vrf| !world.vrfs.contains_key(*vrf)) {
            no_vrf(&mut Reader::new(ObjectRef::cluster("BgpAdvertisement", name), problems), vrf);
        }
    }
}

/// As a node that is no gateway and has no pods looks at them.
fn egress_policies(world: &World, problems: &mut Vec<Problem>) {
    egress::without_vrf(world, problems);
    let none = BTreeMap::new();
    let inputs = Inputs { node: "", world, attachments: &none };
    let membership = Membership::of(inputs, problems);
    for scope in world.vrfs.keys().filter_map(|name| membership.scope(name)) {
        egress::of_vrf(&scope, problems);
    }
}
