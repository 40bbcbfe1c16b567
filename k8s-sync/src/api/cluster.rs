use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// Nodes that are provider edges, and what they speak to whom.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpCluster",
    doc = "Nodes that are provider edges, and what they speak to whom.",
    plural = "bgpclusters",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "bgpc",
    printcolumn(name = "AS", type_ = "integer", json_path = ".spec.instances[0].localAsn"),
    printcolumn(name = "Nodes", type_ = "string", json_path = ".status.nodes.summary"),
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
pub struct BgpClusterSpec {
    /// The nodes; all where it is not set. No node may be in two clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub node_selector: Option<LabelSelector>,
    /// SRv6; without it the nodes have no VRFs (customer-edge role).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srv6: Option<Srv6>,
    /// BGP instances; one.
    #[schemars(length(min = 1, max = 1), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub instances: Vec<BgpInstance>,
}

/// SRv6 of the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Srv6 {
    /// Pools that nodes have locators of; VRFs have their SIDs of the first.
    #[schemars(with = "schema::ListOf<schema::Name, 16>")]
    #[x_kube(validation = Rule::new("self.size() > 0").message("no pool is named; write one, or leave srv6 away for nodes without VRFs"))]
    pub locator_pools: Vec<String>,
    /// Interfaces towards the core, by name or pattern.
    #[schemars(with = "schema::SetOf<schema::InterfacePattern, 64>")]
    pub core_interfaces: Vec<String>,
}

/// A BGP instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.peers.all(peer, self.peers.exists_one(other, other.peerAddress == peer.peerAddress))").message("two peers have one address; leave one session to each address"))]
pub struct BgpInstance {
    /// Name.
    #[schemars(with = "schema::Name")]
    pub name: String,
    /// AS number.
    #[schemars(range(min = 1))]
    pub local_asn: u32,
    /// TCP port that sessions are accepted on; 179 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = 179))]
    pub listen_port: Option<u16>,
    /// Put the best unicast routes into the kernel's table.
    #[serde(default)]
    pub install_unicast: bool,
    /// Peers.
    #[serde(default)]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub peers: Vec<BgpPeer>,
}

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BgpPeer {
    /// Name.
    #[schemars(with = "schema::Name")]
    pub name: String,
    /// Address.
    #[schemars(with = "schema::Address")]
    pub peer_address: String,
    /// AS number.
    #[serde(rename = "peerASN")]
    #[schemars(range(min = 1))]
    pub peer_asn: u32,
    /// How to speak to it; defaults where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_config_ref: Option<PeerConfigRef>,
}

/// A BgpPeerConfig by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerConfigRef {
    /// Name.
    #[schemars(with = "schema::Name")]
    pub name: String,
}
