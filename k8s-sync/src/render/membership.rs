//! Which pods are in which VRF: identity is (VRF, address), and the admin's selectors alone decide the VRF.

use std::collections::BTreeMap;

use cni::protocol::Attachment;

use super::Inputs;
use crate::{
    api::VrfSpec,
    world::{Key, Object, Pod, World, matches},
};

/// A pod that the selectors of several VRFs take is in none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VRFs {} select the pod; leave it to one of them", .0.join(" and "))]
pub struct Ambiguous(pub Vec<String>);

/// The VRF of a pod; `None` where no VRF selects it, or it is in the node's network namespace.
pub fn vrf_of<'a>(world: &'a World, key: &Key, pod: &Pod) -> Result<Option<&'a str>, Ambiguous> {
    let takes = |vrf: &VrfSpec| is_open_to(vrf, world, &key.namespace) && selects(vrf, pod);
    let mut takers = world.vrfs.iter().filter(|(_, vrf)| !pod.host_network && takes(&vrf.spec));
    let first = takers.next();
    let others: Vec<String> = takers.map(|(name, _)| name.clone()).collect();
    match first {
        Some((name, _)) if !others.is_empty() => {
            Err(Ambiguous([name.clone()].into_iter().chain(others).collect()))
        }
        first => Ok(first.map(|(name, _)| name.as_str())),
    }
}

/// Whether the VRF's admin has opened it to the namespace.
pub(super) fn is_open_to(vrf: &VrfSpec, world: &World, namespace: &str) -> bool {
    let namespace = world.namespaces.get(namespace);
    namespace.zip(vrf.namespace_selector.as_ref()).is_some_and(|(ns, selector)| matches(selector, &ns.labels))
}

fn selects(vrf: &VrfSpec, pod: &Pod) -> bool {
    vrf.pod_selector.as_ref().is_none_or(|selector| matches(selector, &pod.labels))
}

/// A VRF with what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    /// What everything is made of.
    pub(crate) inputs: Inputs<'a>,
    /// The VRF's name.
    pub(crate) name: &'a str,
    /// The VRF.
    pub(crate) vrf: &'a Object<VrfSpec>,
    /// Its pods, of all nodes.
    pub(crate) pods: BTreeMap<&'a Key, &'a Pod>,
    /// The circuits of its pods on this node.
    pub(crate) circuits: Vec<&'a Attachment>,
}
