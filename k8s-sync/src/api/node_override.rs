use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// What one node has otherwise than its BgpCluster says; its name is the node's.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpNodeOverride",
    doc = "What one node has otherwise than its BgpCluster says; its name is the node's.",
    plural = "bgpnodeoverrides",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "bgpno",
    printcolumn(name = "Router-ID", type_ = "string", json_path = ".spec.routerId"),
    printcolumn(name = "Shutdown", type_ = "boolean", json_path = ".spec.gracefulShutdown"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct BgpNodeOverrideSpec {
    /// BGP identifier; the node's first IPv4 InternalIP where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::RouterId")]
    pub router_id: Option<String>,
    /// AS number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub local_asn: Option<u32>,
    /// Source of outer headers and next hop of VPN routes; the node's first IPv6 InternalIP where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Ipv6")]
    pub source_address: Option<String>,
    /// Interfaces towards the core, instead of the cluster's.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::InterfacePattern, 64>")]
    pub core_interfaces: Vec<String>,
    /// Everything is advertised with the GRACEFUL_SHUTDOWN community (RFC 8326): the node is to be taken out of service.
    #[serde(default)]
    pub graceful_shutdown: bool,
    /// Peers of the cluster, by name.
    #[serde(default)]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub peers: Vec<PeerOverride>,
}

/// A peer of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerOverride {
    /// Name of the peer in the BgpCluster.
    #[schemars(with = "schema::Name")]
    pub name: String,
    /// Address to connect from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Address")]
    pub local_address: Option<String>,
    /// Address of the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Address")]
    pub peer_address: Option<String>,
}
