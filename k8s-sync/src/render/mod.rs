//! From the world to the intent of one node: pure.

mod address;
mod egress;
mod membership;
mod names;
mod namespace;
mod network_policy;
mod parse;
mod problem;
mod room;
mod service;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;

use cni::protocol::{Attachment, AttachmentId};
use serde::{Deserialize, Serialize};
use vrf_manager::intent::Intent;

pub(crate) use membership::Scope;
pub use membership::{Ambiguous, vrf_of};
pub use problem::{Problem, Reason};

use crate::world::World;

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
