use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// A tenant's routing table on every node that it is wanted on.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "Vrf",
    doc = "A tenant's routing table on every node that it is wanted on.",
    plural = "vrfs",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    validation = Rule::new("size(self.metadata.name) <= 63").message("the name of a Vrf has at most 63 characters; write a shorter one"),
    printcolumn(name = "RD", type_ = "string", json_path = ".spec.rd"),
    printcolumn(name = "Import", type_ = "string", json_path = ".spec.importRouteTargets"),
    printcolumn(name = "Export", type_ = "string", json_path = ".spec.exportRouteTargets"),
    printcolumn(name = "Nodes", type_ = "string", json_path = ".status.nodes.summary"),
    printcolumn(name = "Accepted", type_ = "string", json_path = ".status.conditions[?(@.type==\"Accepted\")].status"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.podSelector) || has(self.namespaceSelector)").message("podSelector chooses among the pods of namespaceSelector's namespaces; write namespaceSelector too"))]
pub struct VrfSpec {
    /// Route distinguisher; `<router id>:<n>` where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::RouteDistinguisher")]
    pub rd: Option<String>,
    /// Route targets of routes that are imported.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::RouteTarget, 64>")]
    pub import_route_targets: Vec<String>,
    /// Route targets of routes that are exported.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::RouteTarget, 64>")]
    pub export_route_targets: Vec<String>,
    /// One SID for both families (End.DT46), or one each (End.DT4 and End.DT6).
    #[serde(default)]
    pub sid_allocation: SidAllocation,
    /// Headend behaviour for what leaves the node.
    #[serde(default)]
    pub encapsulation: Encapsulation,
    /// Nodes that have the VRF; all that a BgpCluster selects where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub node_selector: Option<LabelSelector>,
    /// Namespaces whose pods may land in the VRF; none where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub namespace_selector: Option<LabelSelector>,
    /// Which pods of these namespaces; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub pod_selector: Option<LabelSelector>,
    /// Where pods that sixedge itself gives addresses to have them from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_network: Option<PodNetwork>,
    /// Interfaces of nodes that are circuits of the VRF, beside pods: VMs' taps, bridges, physical ones.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub interfaces: Vec<VrfInterface>,
    /// Static routes.
    #[serde(default)]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["prefix"]))]
    pub static_routes: Vec<StaticRoute>,
    /// Most flows that a node remembers for services, egress addresses and policies, 1024 to 4194304.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 4194304), extend("default" = 65536))]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.ranges.size() < 2 || !self.ranges.all(range, isCIDR(range.cidr)) || cidr(self.ranges[0].cidr).ip().family() != cidr(self.ranges[1].cidr).ip().family()").message("both ranges are of one family; leave one of each"))]
pub struct PodNetwork {
    /// At most one of each family; tenants' may overlap.
    #[schemars(length(min = 1, max = 2))]
    pub ranges: Vec<PodRange>,
}

/// A range of a VRF that every node has a block of, by the number of its locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!isCIDR(self.cidr) || cidr(self.cidr).prefixLength() <= (cidr(self.cidr).ip().family() == 4 ? 30 : 126)").message("cidr has no room for pods; write a shorter prefix"))]
#[x_kube(validation = Rule::new("!isCIDR(self.cidr) || !has(self.nodePrefixLength) || (self.nodePrefixLength >= cidr(self.cidr).prefixLength() && self.nodePrefixLength <= (cidr(self.cidr).ip().family() == 4 ? 30 : 126))").message("nodePrefixLength is no block of cidr; write a length from that of cidr to 30, for IPv6 to 126"))]
pub struct PodRange {
    /// The range.
    #[schemars(with = "schema::Prefix")]
    pub cidr: String,
    /// Length of a node's block: 24 and 64 where it is not set. The first address of a block is the pods' gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 126))]
    pub node_prefix_length: Option<u8>,
}

/// Interfaces of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrfInterface {
    /// Name, or a pattern with `*` and `?`.
    #[schemars(with = "schema::InterfacePattern")]
    pub name: String,
    /// On these nodes; on all that have the VRF where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub node_selector: Option<LabelSelector>,
    /// Gateway addresses with the length of the subnet.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::InterfaceAddress, 16>")]
    pub addresses: Vec<String>,
}

/// A static route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.via), has(self.segments) && self.segments.size() > 0, has(self.blackhole) && self.blackhole].filter(is, is).size() == 1").message("write exactly one of via, segments and blackhole: true"))]
pub struct StaticRoute {
    /// Destination.
    #[schemars(with = "schema::Prefix")]
    pub prefix: String,
    /// A neighbour on a circuit; or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Address")]
    pub via: Option<String>,
    /// segments, the service SID last; or
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "schema::ListOf<schema::Ipv6, 4>")]
    pub segments: Vec<String>,
    /// nowhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blackhole: bool,
}
