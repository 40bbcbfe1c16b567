//! What the API server says, as little of it as we need.
//!
//! Plain data that can be written to disk, so that a node that starts without an API server goes on with what it knew.

mod generation;
mod kubernetes;
mod object;
mod selector;

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use serde::{Deserialize, Serialize};

pub use kubernetes::{
    Endpoint, EndpointPort, EndpointSlice, Namespace, Node, Pod, PodPort, Protocol, Service, ServicePort,
    TargetPort, TrafficPolicy,
};
pub use object::{Key, Labels, Object, ObjectRef};
pub use selector::matches;

use crate::api;

/// Everything that the API server has told. Cluster-scoped objects stand by name, the others by namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct World {
    /// Nodes.
    pub nodes: BTreeMap<String, Node>,
    /// Namespaces.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Pods of all nodes: policies and services name them. Those that have ended are left out.
    #[serde(with = "object::by_key")]
    pub pods: BTreeMap<Key, Pod>,
    /// Services.
    #[serde(with = "object::by_key")]
    pub services: BTreeMap<Key, Service>,
    /// Their endpoints.
    #[serde(with = "object::by_key")]
    pub endpoint_slices: BTreeMap<Key, EndpointSlice>,
    /// NetworkPolicies.
    #[serde(with = "object::by_key")]
    pub network_policies: BTreeMap<Key, Object<NetworkPolicySpec>>,
    /// Keys of TCP MD5 by the Secret's name, of those Secrets that a BgpPeerConfig names. Never written to disk.
    #[serde(skip)]
    pub passwords: BTreeMap<String, vrf_manager::intent::Secret>,
    /// VRFs.
    pub vrfs: BTreeMap<String, Object<api::VrfSpec>>,
    /// Circuits.
    pub attachment_circuits: BTreeMap<String, Object<api::AttachmentCircuitSpec>>,
    /// Pools of locators, with what was allotted.
    pub locator_pools: BTreeMap<String, Object<LocatorPool>>,
    /// BGP.
    pub bgp_clusters: BTreeMap<String, Object<api::BgpClusterSpec>>,
    /// How to speak to peers.
    pub bgp_peer_configs: BTreeMap<String, Object<api::BgpPeerConfigSpec>>,
    /// What is advertised.
    pub bgp_advertisements: BTreeMap<String, Object<api::BgpAdvertisementSpec>>,
    /// What nodes have otherwise.
    pub bgp_node_overrides: BTreeMap<String, Object<api::BgpNodeOverrideSpec>>,
    /// Egress policies.
    pub egress_policies: BTreeMap<String, Object<api::EgressPolicySpec>>,
}

/// A pool of locators with what was allotted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocatorPool {
    /// What it is.
    pub spec: api::LocatorPoolSpec,
    /// What was allotted.
    pub allocations: Vec<api::Allocation>,
}
