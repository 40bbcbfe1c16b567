use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CommonStatus;

/// A tenant's routing table on every node that it is wanted on.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "Vrf",
    plural = "vrfs",
    status = "CommonStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct VrfSpec {
    /// Route distinguisher; `<router id>:<n>` where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rd: Option<String>,
    /// Route targets of routes that are imported.
    #[serde(default)]
    pub import_route_targets: Vec<String>,
    /// Route targets of routes that are exported.
    #[serde(default)]
    pub export_route_targets: Vec<String>,
    /// One SID for both families (End.DT46), or one each (End.DT4 and End.DT6).
    #[serde(default)]
    pub sid_allocation: SidAllocation,
    /// Headend behaviour for what leaves the node.
    #[serde(default)]
    pub encapsulation: Encapsulation,
    /// Nodes that have the VRF; all that a BgpCluster selects where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// Namespaces whose pods may land in the VRF; none where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Which pods of these namespaces; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
    /// Where pods that sixedge itself gives addresses to have them from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_network: Option<PodNetwork>,
    /// Interfaces of nodes that are circuits of the VRF, beside pods: VMs' taps, bridges, physical ones.
    #[serde(default)]
    pub interfaces: Vec<VrfInterface>,
    /// Static routes.
    #[serde(default)]
    pub static_routes: Vec<StaticRoute>,
    /// Most flows that a node remembers for services, egress addresses and policies, 1024 to 4194304.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_flows: Option<u32>,
}

/// SIDs of a VRF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SidAllocation {
    /// End.DT46.
    #[default]
    PerVrf,
    /// End.DT4 and End.DT6.
    PerFamily,
}

/// Headend behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Encapsulation {
    /// H.Encaps.Red.
    #[default]
    Reduced,
    /// H.Encaps.
    Full,
}

/// Addresses of pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodNetwork {
    /// At most one of each family; tenants' may overlap.
    pub ranges: Vec<PodRange>,
}

/// A range of a VRF that every node has a block of, by the number of its locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodRange {
    /// The range.
    pub cidr: String,
    /// Length of a node's block: 24 and 64 where it is not set. The first address of a block is the pods' gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_prefix_length: Option<u8>,
}

/// Interfaces of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrfInterface {
    /// Name, or a pattern with `*` and `?`.
    pub name: String,
    /// On these nodes; on all that have the VRF where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// Gateway addresses with the length of the subnet.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// A static route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticRoute {
    /// Destination.
    pub prefix: String,
    /// A neighbour on a circuit; or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// segments, the service SID last; or
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blackhole: bool,
}
