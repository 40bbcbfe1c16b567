//! Which pods are in which VRF: identity is (VRF, address), and the admin's selectors alone decide the VRF.

use std::collections::BTreeMap;

use cni::protocol::{Attachment, PodRef};

use super::{Attached, Inputs, Problem, Reason};
use crate::{
    api::VrfSpec,
    world::{Key, Object, ObjectRef, Pod, World, matches},
};

/// A pod that the selectors of several VRFs take is in none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VRFs {} select the pod; leave it to one of them", .0.join(" and "))]
pub struct Ambiguous(pub Vec<String>);

/// A VRF by name.
type Named<'a> = (&'a String, &'a Object<VrfSpec>);

/// The VRF of a pod; `None` where no VRF selects it, or it is in the node's network namespace.
pub fn vrf_of<'a>(world: &'a World, key: &Key, pod: &Pod) -> Result<Option<&'a str>, Ambiguous> {
    one_of(&open_to(world, &key.namespace), pod)
}

/// The VRFs that their admin has opened to the namespace.
fn open_to<'a>(world: &'a World, namespace: &str) -> Vec<Named<'a>> {
    world.vrfs.iter().filter(|(_, vrf)| is_open_to(&vrf.spec, world, namespace)).collect()
}

/// Whether the VRF's admin has opened it to the namespace.
pub(super) fn is_open_to(vrf: &VrfSpec, world: &World, namespace: &str) -> bool {
    let namespace = world.namespaces.get(namespace);
    namespace.zip(vrf.namespace_selector.as_ref()).is_some_and(|(ns, selector)| matches(selector, &ns.labels))
}

/// The one of these VRFs that selects the pod.
fn one_of<'a>(open: &[Named<'a>], pod: &Pod) -> Result<Option<&'a str>, Ambiguous> {
    let selects = |vrf: &VrfSpec| vrf.pod_selector.as_ref().is_none_or(|s| matches(s, &pod.labels));
    let takers = open.iter().filter(|(_, vrf)| !pod.host_network && selects(&vrf.spec));
    match takers.map(|(name, _)| name.as_str()).collect::<Vec<_>>()[..] {
        [] => Ok(None),
        [name] => Ok(Some(name)),
        ref several => Err(Ambiguous(several.iter().map(ToString::to_string).collect())),
    }
}

/// The VRF of every pod, found once: each namespace is held against the VRFs once only.
pub(crate) struct Membership<'a> {
    inputs: Inputs<'a>,
    vrfs: BTreeMap<&'a Key, Result<Option<&'a str>, Ambiguous>>,
    pods: BTreeMap<&'a str, BTreeMap<&'a Key, &'a Pod>>,
    circuits: BTreeMap<&'a str, Vec<&'a Attachment>>,
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

impl<'a> Membership<'a> {
    pub(crate) fn of(inputs: Inputs<'a>, problems: &mut Vec<Problem>) -> Self {
        let mut membership =
            Self { inputs, vrfs: BTreeMap::new(), pods: BTreeMap::new(), circuits: BTreeMap::new() };
        membership.find_pods(problems);
        for Attached { vrf, attachment } in inputs.attachments.values() {
            match membership.refusal(vrf, &attachment.pod) {
                None => membership.circuits.entry(vrf).or_default().push(attachment),
                Some(problem) => problems.push(problem),
            }
        }
        membership
    }

    fn find_pods(&mut self, problems: &mut Vec<Problem>) {
        let world = self.inputs.world;
        let mut open: BTreeMap<&str, Vec<Named<'_>>> = BTreeMap::new();
        for (key, pod) in &world.pods {
            let open = open.entry(&key.namespace).or_insert_with(|| open_to(world, &key.namespace));
            let vrf = one_of(open, pod);
            match &vrf {
                Ok(Some(vrf)) => drop(self.pods.entry(vrf).or_default().insert(key, pod)),
                Err(error) if pod.node.as_deref() == Some(self.inputs.node) => {
                    let object = ObjectRef::namespaced("Pod", key);
                    problems.push(Problem::new(object, Reason::Conflict, error));
                }
                _ => {}
            }
            self.vrfs.insert(key, vrf);
        }
    }

    /// Why a pod's interface is no circuit of the VRF that it was made in.
    fn refusal(&self, made_in: &str, pod: &PodRef) -> Option<Problem> {
        let key = Key::new(&pod.namespace, &pod.name);
        let known = self.inputs.world.pods.get(&key);
        let same = known.filter(|known| pod.uid.as_ref().is_none_or(|uid| known.uid == *uid));
        let remedy =
            "recreate the pod: its VRF is fixed when its interface is made, and this one carries nothing";
        let (reason, message) = match same.and_then(|_| self.vrfs.get(&key)) {
            Some(Ok(Some(vrf))) if *vrf == made_in => return None,
            Some(Ok(Some(vrf))) => {
                let now = format!("the pod was started in VRF {made_in}, VRF {vrf} selects it now; {remedy}");
                (Reason::Conflict, now)
            }
            Some(Ok(None)) => {
                let now = format!("the pod was started in VRF {made_in}, no VRF selects it now; {remedy}");
                (Reason::Conflict, now)
            }
            Some(Err(error)) => (Reason::Conflict, error.to_string()),
            None => {
                let gone = format!(
                    "the pod of an interface of VRF {made_in} is gone; the interface carries nothing"
                );
                (Reason::NotFound, gone)
            }
        };
        Some(Problem::new(ObjectRef::namespaced("Pod", &key), reason, message))
    }

    /// The circuits of pods of this node, by VRF.
    pub(crate) fn circuits(&self) -> impl Iterator<Item = (&'a str, &[&'a Attachment])> {
        self.circuits.iter().map(|(vrf, circuits)| (*vrf, circuits.as_slice()))
    }

    /// Whether no VRF has to do with the pod: not even several that contend for it.
    pub(crate) fn is_global(&self, pod: &Key) -> bool {
        matches!(self.vrfs.get(pod), Some(Ok(None)))
    }

    /// A VRF with what is in it; `None` where there is no such VRF.
    pub(crate) fn scope(&'a self, name: &str) -> Option<Scope<'a>> {
        let (name, vrf) = self.inputs.world.vrfs.get_key_value(name)?;
        Some(Scope {
            inputs: self.inputs,
            name,
            vrf,
            pods: self.pods.get(name.as_str()).cloned().unwrap_or_default(),
            circuits: self.circuits.get(name.as_str()).cloned().unwrap_or_default(),
        })
    }
}
