use vrf_manager::intent::Intent;

use crate::world::ObjectRef;

/// Where a part of the intent comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The object.
    pub(super) object: ObjectRef,
    /// Place in it; empty where it is the whole object.
    pub(super) path: String,
}

impl Origin {
    pub(super) fn new(object: ObjectRef, path: impl Into<String>) -> Self {
        Self { object, path: path.into() }
    }
}

/// An intent whose parts know the objects that they are of: each list of origins is as long as that of the parts.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) intent: Intent,
    /// What the node itself is of.
    pub(super) cluster: ObjectRef,
    /// Of `bgp.neighbors`.
    pub(super) neighbors: Vec<Origin>,
    /// Of `bgp.networks`.
    pub(super) networks: Vec<Origin>,
    /// Of `vrfs`.
    pub(super) vrfs: Vec<VrfOrigins>,
}

/// Of the lists of a VRF.
#[derive(Clone, Debug, Default)]
pub(super) struct VrfOrigins {
    pub(super) circuits: Vec<Origin>,
    pub(super) static_routes: Vec<Origin>,
    pub(super) services: Vec<Origin>,
    pub(super) egress: Vec<Origin>,
}
