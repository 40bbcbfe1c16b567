//! From the world to the intent of one node: pure.
//!
//! What is wrong is left out and told; everything else goes on working. What comes out, `vrf_manager::intent::check` takes.

mod address;
mod advertise;
mod bgp;
mod circuit;
mod draft;
mod egress;
mod global;
mod locator;
mod membership;
mod names;
mod namespace;
mod network_policy;
mod node;
mod parse;
mod problem;
mod review;
mod room;
mod route;
mod service;
mod settle;
mod tenant;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod vrf;

use std::collections::BTreeMap;

use cni::protocol::{Attachment, AttachmentId};
use serde::{Deserialize, Serialize};
use vrf_manager::intent::Intent;

pub use locator::block;
pub use membership::{Ambiguous, vrf_of};
pub(crate) use membership::{Membership, Scope};
pub use node::is_wanted;
pub use problem::{Problem, Reason};
pub use review::review;

use crate::world::{ObjectRef, World};
use advertise::Advertisements;
use draft::Draft;
use node::Node;

/// What a node's intent is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The node.
    pub node: &'a str,
    /// What the API server has told.
    pub world: &'a World,
    /// Pods' interfaces on this node.
    pub attachments: &'a BTreeMap<AttachmentId, Attached>,
}

/// A pod's interface in the VRF that the pod was in when it was made. A pod does not change its VRF while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The VRF.
    pub vrf: String,
    /// The interface.
    pub attachment: Attachment,
}

/// A node's intent.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// What is wanted of the node; why there is nothing to be wanted yet.
    pub intent: Result<Intent, Problem>,
    /// Objects that are left out, whole or in part; everything else goes on working.
    pub problems: Vec<Problem>,
}

/// What is wanted of a node. Same input, same output.
pub fn render(inputs: &Inputs<'_>) -> Rendered {
    let mut problems = Vec::new();
    let intent = intent(*inputs, &mut problems);
    problems.sort();
    problems.dedup();
    Rendered { intent, problems }
}

fn intent(inputs: Inputs<'_>, problems: &mut Vec<Problem>) -> Result<Intent, Problem> {
    let node = Node::find(inputs, problems)?;
    let membership = Membership::of(inputs, problems);
    let advertisements = Advertisements::of(&node, problems);
    let mut draft = draft(&node, &membership, &advertisements, problems)?;
    room::fit(&mut draft, problems);
    settle::settle(&mut draft, problems)?;
    // Last, for what is left out is not originated.
    let networks = global::networks(&node, &membership, advertisements.global(), &draft);
    (draft.networks, draft.intent.bgp.networks) = networks.into_iter().unzip();
    settle::settle(&mut draft, problems)?;
    Ok(draft.intent)
}

/// All but the networks of the global table.
fn draft<'a>(
    node: &Node<'a>,
    membership: &Membership<'a>,
    advertisements: &Advertisements<'a>,
    problems: &mut Vec<Problem>,
) -> Result<Draft, Problem> {
    let router = node.router(problems)?;
    let srv6 = node.srv6(problems)?;
    let (bgp, neighbors) = bgp::of_node(node, router.asn, problems);
    let makings = vrf::Makings { node, membership, advertisements, core: &srv6.core_interfaces };
    let (vrfs, of_vrfs) = makings.vrfs(problems).into_iter().unzip();
    Ok(Draft {
        intent: Intent { router, srv6, bgp, vrfs, underlay_routes: Vec::new() },
        cluster: ObjectRef::cluster(node::CLUSTER, node.cluster),
        neighbors,
        networks: Vec::new(),
        vrfs: of_vrfs,
    })
}
