use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node has: written by its agent, and by nobody else. Its name is the node's.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "NodeState",
    doc = "What a node has: written by its agent, and by nobody else. Its name is the node's.",
    plural = "nodestates",
    status = "NodeStateStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "nst",
    printcolumn(name = "Router-ID", type_ = "string", json_path = ".status.routerId"),
    printcolumn(name = "AS", type_ = "integer", json_path = ".status.localAsn"),
    printcolumn(name = "Sessions", type_ = "string", json_path = ".status.summary.sessions"),
    printcolumn(name = "VRFs", type_ = "integer", json_path = ".status.summary.vrfs"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(
        name = "Programmed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Programmed\")].status"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct NodeStateSpec {}

/// What a node has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStateStatus {
    /// Version of the agent.
    pub version: String,
    /// For the printer columns.
    #[serde(default)]
    pub summary: NodeSummary,
    /// BGP identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_id: Option<String>,
    /// AS number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_asn: Option<u32>,
    /// Source of outer headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// `Accepted` (there is a configuration), `Programmed` (the dataplane holds it), `Ready` (and BGP is up).
    #[serde(default)]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Locators.
    #[serde(default)]
    pub locators: Vec<LocatorState>,
    /// Sessions.
    #[serde(default)]
    pub sessions: Vec<SessionState>,
    /// VRFs.
    #[serde(default)]
    pub vrfs: Vec<VrfState>,
    /// Objects that the node has looked at and does not hold as they are, with the reason.
    #[serde(default)]
    pub objects: Vec<ObjectState>,
    /// What cannot be had now, each with its remedy.
    #[serde(default)]
    pub problems: Vec<String>,
}

impl NodeStateStatus {
    /// Brings the summary up to date.
    pub fn summarize(&mut self) {
        let up = self.sessions.iter().filter(|session| session.state == "Established").count();
        let sessions = format!("{up}/{}", self.sessions.len());
        self.summary = NodeSummary { sessions, vrfs: self.vrfs.len().try_into().unwrap_or(u32::MAX) };
    }
}

/// A node in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeSummary {
    /// Sessions that are up, and all: `1/2`.
    pub sessions: String,
    /// VRFs.
    pub vrfs: u32,
}

/// A locator of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocatorState {
    /// Name of the pool.
    pub name: String,
    /// The locator.
    pub prefix: String,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    /// Address of the peer.
    pub peer: String,
    /// Its AS number.
    #[serde(rename = "peerASN")]
    pub peer_asn: u32,
    /// State of the session's machine, as RFC 4271 names it.
    pub state: String,
    /// Since when, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Why it went down the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Families in use.
    #[serde(default)]
    pub families: Vec<FamilyState>,
}

/// Routes of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FamilyState {
    /// The family.
    pub family: String,
    /// Received.
    pub received: u64,
    /// Accepted.
    pub accepted: u64,
    /// Advertised.
    pub advertised: u64,
}

/// A VRF of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrfState {
    /// Name.
    pub name: String,
    /// Generation of the Vrf that is in force.
    pub observed_generation: i64,
    /// Route distinguisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rd: Option<String>,
    /// Service SIDs.
    #[serde(default)]
    pub sids: Vec<String>,
    /// Circuits that are up, pods among them.
    pub circuits: u32,
    /// Routes in the dataplane.
    pub routes: u32,
    /// What cannot be had now, each with its remedy.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// An object that a node does not hold as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectState {
    /// Kind.
    pub kind: String,
    /// Namespace, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Generation that was looked at.
    pub observed_generation: i64,
    /// Reason, in CamelCase.
    pub reason: String,
    /// In words, with the remedy.
    pub message: String,
}
