//! Circuits of VRFs: pods' interfaces, interfaces that a Vrf names, and AttachmentCircuits.

use std::collections::BTreeMap;

use cni::protocol::Attachment;
use ipnet::IpNet;
use vrf_manager::intent::Circuit;

use super::{
    Problem, Reason, Scope,
    draft::Origin,
    network_policy,
    node::Node,
    parse::{ADDRESS, INTERFACE, INTERFACE_ADDRESS, Reader},
};
use crate::{
    api::{AttachmentCircuitSpec, VrfInterface},
    world::{Key, ObjectRef, matches},
};

/// A circuit with where it comes from.
pub(super) type Made = (Origin, Circuit);

/// The node's AttachmentCircuits by VRF.
pub(super) fn of_node<'a>(node: &Node<'a>, problems: &mut Vec<Problem>) -> BTreeMap<&'a str, Vec<Made>> {
    let mut circuits = BTreeMap::<_, Vec<_>>::new();
    let all = &node.inputs.world.attachment_circuits;
    for (name, circuit) in all.iter().filter(|(_, circuit)| circuit.spec.node == node.inputs.node) {
        let made = read(name, &circuit.spec, problems);
        circuits.entry(circuit.spec.vrf.as_str()).or_default().extend(made);
    }
    circuits
}

/// An AttachmentCircuit; without the interface there is none.
pub(super) fn read(name: &str, spec: &AttachmentCircuitSpec, problems: &mut Vec<Problem>) -> Option<Made> {
    let object = ObjectRef::cluster("AttachmentCircuit", name);
    let mut reader = Reader::new(object.clone(), problems);
    let addresses = reader.list(&INTERFACE_ADDRESS, "spec.addresses", &spec.addresses);
    let hosts = reader.list(&ADDRESS, "spec.hosts", &spec.hosts);
    let interface = reader.read(&INTERFACE, "spec.interface", &spec.interface)?;
    let circuit = Circuit {
        interface,
        addresses,
        hosts,
        host_mac: None,
        proxy: spec.proxy,
        probes: false,
        filter: Vec::new(),
    };
    Some((Origin::new(object, "spec"), circuit))
}

/// The interfaces that the Vrf names for this node.
pub(super) fn of_vrf(scope: &Scope<'_>, node: &Node<'_>, problems: &mut Vec<Problem>) -> Vec<Made> {
    let here = |interface: &VrfInterface| {
        interface.node_selector.as_ref().is_none_or(|selector| matches(selector, &node.known.labels))
    };
    let interfaces = scope.vrf.spec.interfaces.iter().enumerate().filter(|(_, interface)| here(interface));
    interfaces.filter_map(|(i, interface)| read_interface(scope.name, i, interface, problems)).collect()
}

pub(super) fn read_interface(
    vrf: &str,
    index: usize,
    interface: &VrfInterface,
    problems: &mut Vec<Problem>,
) -> Option<Made> {
    let path = format!("spec.interfaces[{index}]");
    let object = ObjectRef::cluster("Vrf", vrf);
    let mut reader = Reader::new(object.clone(), problems);
    let addresses = reader.list(&INTERFACE_ADDRESS, &format!("{path}.addresses"), &interface.addresses);
    let name = reader.read(&INTERFACE, format_args!("{path}.name"), &interface.name)?;
    let circuit = Circuit {
        interface: name,
        addresses,
        hosts: Vec::new(),
        host_mac: None,
        proxy: false,
        probes: false,
        filter: Vec::new(),
    };
    Some((Origin::new(object, path), circuit))
}

/// The interfaces of pods, with what NetworkPolicies say. All have the same gateways, each a subnet of its own.
pub(super) fn of_pods(scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Vec<Made> {
    let made = |attachment: &&Attachment| {
        let pod = Key::new(&attachment.pod.namespace, &attachment.pod.name);
        let circuit = Circuit {
            interface: attachment.host_interface.clone(),
            addresses: attachment.gateways.iter().map(|gateway| IpNet::from(*gateway)).collect(),
            hosts: attachment.addresses.clone(),
            host_mac: attachment.mac,
            proxy: attachment.proxy,
            probes: true,
            filter: network_policy::of_pod(scope, &pod, problems),
        };
        (Origin::new(ObjectRef::namespaced("Pod", &pod), "interface"), circuit)
    };
    scope.circuits.iter().map(made).collect()
}

/// Who has an interface: the core, or the first VRF by name.
pub(super) struct Claims(BTreeMap<String, String>);

impl Claims {
    pub(super) fn of_core(core: &[String]) -> Self {
        Self(core.iter().map(|interface| (interface.clone(), "the core".to_owned())).collect())
    }

    /// Whether the circuit's interface is to be had.
    pub(super) fn take(&mut self, (origin, circuit): &Made, vrf: &str, problems: &mut Vec<Problem>) -> bool {
        let Some(owner) = self.0.get(&circuit.interface) else {
            self.0.insert(circuit.interface.clone(), format!("VRF {vrf}"));
            return true;
        };
        let message = format!(
            "{}: {} is {owner}'s already; an interface serves one VRF or the core: remove it from one of them",
            origin.path, circuit.interface
        );
        problems.push(Problem::new(origin.object.clone(), Reason::Conflict, message));
        false
    }
}
