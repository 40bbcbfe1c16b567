//! Which VRF a pod belongs to, as far as it can be told now.

use cni::protocol::PodRef;

use super::{Readiness, Seen, refusal::Refusal};
use crate::{
    render::vrf_of,
    world::{Key, Pod, matches},
};

/// Where a pod belongs.
pub(super) enum Membership<'a> {
    In(&'a str),
    NotOurs,
    Fetch(Key),
}

pub(super) fn membership<'a>(pod: &PodRef, seen: &Seen<'a>) -> Result<Membership<'a>, Refusal> {
    if let Readiness::NotYet(why) | Readiness::Limited(why) = seen.readiness {
        return Err(Refusal::NotYet(why.clone()));
    }
    let key = key(pod);
    let Some(known) = known(pod, &key, seen) else {
        return if seen.fetched { Err(Refusal::NoPod(key)) } else { Ok(Membership::Fetch(key)) };
    };
    match vrf_of(seen.world, &key, known) {
        Err(ambiguous) => Err(Refusal::Ambiguous(key, ambiguous)),
        Ok(None) => Ok(Membership::NotOurs),
        Ok(Some(vrf)) if is_on_node(vrf, seen) => Ok(Membership::In(vrf)),
        Ok(Some(vrf)) => {
            Err(Refusal::NotOnNode { pod: key, vrf: vrf.to_owned(), node: seen.node.to_owned() })
        }
    }
}

/// The pod with its namespace. One of the same name with another UID is an older one, unless the API server says so when it is
/// asked: the UID of a static pod is the kubelet's, and not that of its mirror.
fn known<'a>(pod: &PodRef, key: &Key, seen: &Seen<'a>) -> Option<&'a Pod> {
    let same = |known: &Pod| pod.uid.as_ref().is_none_or(|uid| *uid == known.uid);
    let found = seen.world.pods.get(key).filter(|known| seen.fetched || same(known));
    found.filter(|_| seen.world.namespaces.contains_key(&key.namespace))
}

fn is_on_node(vrf: &str, seen: &Seen<'_>) -> bool {
    let selector = seen.world.vrfs.get(vrf).and_then(|vrf| vrf.spec.node_selector.as_ref());
    let node = seen.world.nodes.get(seen.node);
    selector.is_none_or(|selector| node.is_some_and(|node| matches(selector, &node.labels)))
}

pub(super) fn key(pod: &PodRef) -> Key {
    Key::new(&pod.namespace, &pod.name)
}
