use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// Where nodes have their locators from.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "LocatorPool",
    doc = "Where nodes have their SRv6 locators from.",
    plural = "locatorpools",
    status = "LocatorPoolStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "lp",
    printcolumn(name = "Prefix", type_ = "string", json_path = ".spec.prefix"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!isCIDR(self.prefix) || (cidr(self.prefix).prefixLength() >= self.structure.block && cidr(self.prefix).prefixLength() <= self.structure.block + self.structure.node)").message("prefix is shorter than the block, or longer than block and node; write one whose length is from block to block + node"))]
#[x_kube(validation = Rule::new("!isCIDR(self.prefix) || self.nodes.all(given, isCIDR(given.locator) && cidr(self.prefix).containsCIDR(given.locator))").message("a locator of nodes is not within prefix; write one of prefix, or add a LocatorPool for it"))]
#[x_kube(validation = Rule::new("self.nodes.all(given, isCIDR(given.locator) && cidr(given.locator).prefixLength() == self.structure.block + self.structure.node)").message("a locator of nodes is not as long as block and node of structure; write that length"))]
pub struct LocatorPoolSpec {
    /// The prefix that locators are from, at least as long as the block.
    #[schemars(with = "schema::Ipv6Prefix")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("prefix cannot change: locators that nodes have are of it; create another LocatorPool"))]
    pub prefix: String,
    /// Lengths in bits.
    #[serde(default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("structure cannot change: locators that nodes have are of it; create another LocatorPool"))]
    pub structure: LocatorStructure,
    /// Nodes that are given one; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub node_selector: Option<LabelSelector>,
    /// Locators that are given by hand; nobody else is given these.
    #[serde(default)]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["node"]))]
    pub nodes: Vec<NodeLocator>,
}

/// Lengths in bits of the parts of SIDs, RFC 9252 section 3.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.block + self.node + self.function + self.argument <= 128").message("block, node, function and argument are more than 128 bits together; shorten one of the lengths"))]
#[x_kube(validation = Rule::new("self.function > 0").message("0 bits of function leave no SIDs; write 16"))]
#[x_kube(validation = Rule::new("self.block + self.node > 0").message("block and node of 0 bits are every address; write 32 and 16"))]
pub struct LocatorStructure {
    /// Locator block.
    #[schemars(range(min = 0, max = 128))]
    pub block: u8,
    /// Locator node.
    #[schemars(range(min = 0, max = 128))]
    pub node: u8,
    /// Function.
    #[schemars(range(min = 0, max = 128))]
    pub function: u8,
    /// Argument.
    #[schemars(range(min = 0, max = 128))]
    pub argument: u8,
}

impl Default for LocatorStructure {
    /// F3216.
    fn default() -> Self {
        Self { block: 32, node: 16, function: 16, argument: 0 }
    }
}

/// A locator that is given by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLocator {
    /// The node.
    #[schemars(with = "schema::Name")]
    pub node: String,
    /// Its locator.
    #[schemars(with = "schema::Ipv6Prefix")]
    pub locator: String,
}

/// What nodes were given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocatorPoolStatus {
    /// By node. What is here stays: SIDs that peers hold are made of it.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["node"]))]
    pub allocations: Vec<Allocation>,
    /// `Accepted`, `Ready`.
    #[serde(default)]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A node's locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// The node.
    pub node: String,
    /// Its locator, as a prefix.
    pub locator: String,
    /// Its number in the pool, from 0: also that of its blocks of pods' addresses.
    pub index: u32,
}
