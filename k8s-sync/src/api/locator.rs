use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where nodes have their locators from.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "LocatorPool",
    plural = "locatorpools",
    status = "LocatorPoolStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct LocatorPoolSpec {
    /// The prefix that locators are from, at least as long as the block.
    pub prefix: String,
    /// Lengths in bits.
    #[serde(default)]
    pub structure: LocatorStructure,
    /// Nodes that are given one; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// Locators that are given by hand; nobody else is given these.
    #[serde(default)]
    pub nodes: Vec<NodeLocator>,
}

/// Lengths in bits of the parts of SIDs, RFC 9252 section 3.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocatorStructure {
    /// Locator block.
    pub block: u8,
    /// Locator node.
    pub node: u8,
    /// Function.
    pub function: u8,
    /// Argument.
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
    pub node: String,
    /// Its locator.
    pub locator: String,
}

/// What nodes were given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocatorPoolStatus {
    /// By node. What is here stays: SIDs that peers hold are made of it.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
    /// `Accepted`, `Ready`.
    #[serde(default)]
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
