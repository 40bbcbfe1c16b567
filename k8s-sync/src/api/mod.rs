//! The custom resources, group `sixedge.io`, version `v1alpha1`.

mod bgp;
mod circuit;
mod condition;
mod egress;
mod locator;
mod node_state;
mod schema;
mod vrf;

pub use bgp::{
    Advertisement, AdvertisementKind, BgpAdvertisement, BgpAdvertisementSpec, BgpCluster, BgpClusterSpec,
    BgpInstance, BgpNodeOverride, BgpNodeOverrideSpec, BgpPeer, BgpPeerConfig, BgpPeerConfigSpec, Family,
    PeerConfigRef, PeerOverride, RouteAttributes, SecretRef, ServiceAddress, Srv6,
};
pub use circuit::{AttachmentCircuit, AttachmentCircuitSpec};
pub use condition::{CommonStatus, Nodes};
pub use egress::{EgressGateways, EgressPolicy, EgressPolicySpec, EgressSource};
pub use locator::{
    Allocation, LocatorPool, LocatorPoolSpec, LocatorPoolStatus, LocatorStructure, NodeLocator,
};
pub use node_state::{
    FamilyState, LocatorState, NodeState, NodeStateSpec, NodeStateStatus, ObjectState, SessionState, VrfState,
};
pub use vrf::{Encapsulation, PodNetwork, PodRange, SidAllocation, StaticRoute, Vrf, VrfInterface, VrfSpec};

/// The group of all of them.
pub const GROUP: &str = "sixedge.io";
