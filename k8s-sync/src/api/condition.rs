use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Status of what nodes take over: conditions `Accepted`, `Programmed`, `Ready`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// Positive conditions, by type.
    #[serde(default)]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// How many nodes hold it.
    #[serde(default)]
    pub nodes: Nodes,
}

/// Nodes that hold an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Nodes {
    /// For the printer column: `ready/wanted`.
    pub summary: String,
    /// Nodes that hold it as it is.
    pub ready: u32,
    /// Nodes that should.
    pub wanted: u32,
}
