use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// How to speak to peers.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpPeerConfig",
    doc = "How to speak BGP to peers.",
    plural = "bgppeerconfigs",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "bgppc",
    printcolumn(name = "Hold", type_ = "integer", json_path = ".spec.holdTimeSeconds"),
    printcolumn(name = "Families", type_ = "string", json_path = ".spec.families"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.holdTimeSeconds == 0 || self.holdTimeSeconds >= 3").message("a hold time of 1 s or 2 s is not allowed; write 0 (no keepalives) or 3 to 65535"))]
#[x_kube(validation = Rule::new("!has(self.keepaliveSeconds) || self.holdTimeSeconds == 0 || self.keepaliveSeconds * 3 <= self.holdTimeSeconds").message("keepaliveSeconds is more than a third of holdTimeSeconds; write less, or leave it away"))]
pub struct BgpPeerConfigSpec {
    /// TCP port of the peer; 179 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = 179))]
    pub peer_port: Option<u16>,
    /// Hold time, seconds: 0 or 3 to 65535; 90 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65535), extend("default" = 90))]
    pub hold_time_seconds: Option<u16>,
    /// Keepalive interval, seconds; a third of the hold time where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 21845))]
    pub keepalive_seconds: Option<u16>,
    /// Time between attempts to connect, seconds; 5 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = 5))]
    pub connect_retry_seconds: Option<u16>,
    /// Families; vpnv4 and vpnv6 where none is named.
    #[serde(default)]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "set", "default" = ["vpnv4", "vpnv6"]))]
    pub families: Vec<Family>,
    /// Secret in the agent's namespace whose key `password` is that of TCP MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_secret_ref: Option<SecretRef>,
    /// Most hops to an external peer, 2 to 255; 1 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 255))]
    pub ebgp_multihop: Option<u8>,
    /// Most routes of one family that it may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_prefixes: Option<u32>,
    /// Only accept.
    #[serde(default)]
    pub passive: bool,
}

/// A Secret by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name.
    #[schemars(with = "schema::Name")]
    pub name: String,
}

/// A family of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Family {
    /// IPv4 unicast.
    #[serde(rename = "ipv4-unicast")]
    Ipv4Unicast,
    /// IPv6 unicast.
    #[serde(rename = "ipv6-unicast")]
    Ipv6Unicast,
    /// VPN-IPv4.
    #[serde(rename = "vpnv4")]
    Vpnv4,
    /// VPN-IPv6.
    #[serde(rename = "vpnv6")]
    Vpnv6,
}
