//! The custom resources, group `sixedge.io`, version `v1alpha1`.

mod advertisement;
mod circuit;
mod cluster;
mod condition;
mod egress;
mod locator;
mod node_override;
mod node_state;
mod peer_config;
mod schema;
mod vrf;

pub use advertisement::{
    Advertisement, AdvertisementKind, BgpAdvertisement, BgpAdvertisementSpec, RouteAttributes, ServiceAddress,
};
pub use circuit::{AttachmentCircuit, AttachmentCircuitSpec};
pub use cluster::{BgpCluster, BgpClusterSpec, BgpInstance, BgpPeer, PeerConfigRef, Srv6};
pub use condition::{CommonStatus, Nodes};
pub use egress::{EgressGateways, EgressPolicy, EgressPolicySpec, EgressSource};
pub use locator::{
    Allocation, LocatorPool, LocatorPoolSpec, LocatorPoolStatus, LocatorStructure, NodeLocator,
};
pub use node_override::{BgpNodeOverride, BgpNodeOverrideSpec, PeerOverride};
pub use node_state::{
    FamilyState, LocatorState, NodeState, NodeStateSpec, NodeStateStatus, NodeSummary, ObjectState,
    SessionState, VrfState,
};
pub use peer_config::{BgpPeerConfig, BgpPeerConfigSpec, Family, SecretRef};
pub use vrf::{Encapsulation, PodNetwork, PodRange, SidAllocation, StaticRoute, Vrf, VrfInterface, VrfSpec};

/// The group of all of them.
pub const GROUP: &str = "sixedge.io";
