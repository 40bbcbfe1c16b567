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

/// How to speak to peers.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpPeerConfig",
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

/// What is advertised, and how.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpAdvertisement",
    plural = "bgpadvertisements",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "bgpadv",
    printcolumn(name = "VRF", type_ = "string", json_path = ".spec.vrf"),
    printcolumn(name = "Types", type_ = "string", json_path = ".spec.advertisements[*].type"),
    printcolumn(name = "Nodes", type_ = "string", json_path = ".status.nodes.summary"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Accepted\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.vrf) || self.advertisements.all(of, of.type != 'Locator')").message("locators are of the global table; write type Locator in an advertisement without vrf"))]
#[x_kube(validation = Rule::new("has(self.vrf) || self.advertisements.all(of, !(of.type in ['Connected', 'Static']))").message("Connected and Static are of a VRF; write vrf, or remove them"))]
#[x_kube(validation = Rule::new("!has(self.vrf) || self.advertisements.all(of, of.type != 'PodIP' || !has(of.selector))").message("hosts of a VRF are advertised all or none; leave selector away, or use a Vrf of its own for these pods"))]
#[x_kube(validation = Rule::new("!has(self.vrf) || self.advertisements.all(of, of.type != 'EgressIP' || !has(of.attributes) || !has(of.attributes.localPreference))").message("the order of an EgressPolicy's gateways gives LOCAL_PREF in a VRF; leave localPreference away"))]
pub struct BgpAdvertisementSpec {
    /// In this VRF; in the global table (plain unicast) where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Name")]
    pub vrf: Option<String>,
    /// From these nodes; from all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// What.
    #[schemars(length(min = 1, max = 64))]
    pub advertisements: Vec<Advertisement>,
}

/// A kind of what is advertised. Where several match, the first counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.type == 'Service') == (self.addresses.size() > 0)").message("addresses are of type Service, and it needs them; write LoadBalancerIP, ClusterIP, ExternalIP or more of them there, and none elsewhere"))]
#[x_kube(validation = Rule::new("!has(self.selector) || !(self.type in ['PodCIDR', 'Locator', 'Connected', 'Static'])").message("a selector means nothing with this type; leave it away"))]
pub struct Advertisement {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: AdvertisementKind,
    /// Kind `Service`: which of its addresses.
    #[serde(default)]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub addresses: Vec<ServiceAddress>,
    /// Which pods, services or egress policies, by label; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// What the routes carry.
    #[serde(default)]
    pub attributes: RouteAttributes,
}

/// Kinds of what is advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdvertisementKind {
    /// Global table: the node's `podCIDRs`. VRF: the node's block of the VRF's pod network.
    #[serde(rename = "PodCIDR")]
    PodCidr,
    /// A host route for each pod.
    #[serde(rename = "PodIP")]
    PodIp,
    /// Service addresses, while there is a ready backend.
    Service,
    /// Egress addresses of gateways. In a VRF they are advertised anyhow: this says how.
    #[serde(rename = "EgressIP")]
    EgressIp,
    /// Global table only: the node's locators.
    Locator,
    /// VRF only: subnets of interfaces and circuits.
    Connected,
    /// VRF only: static routes.
    Static,
}

/// Addresses of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ServiceAddress {
    /// `status.loadBalancer.ingress`.
    #[serde(rename = "LoadBalancerIP")]
    LoadBalancerIp,
    /// `spec.clusterIPs`.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// `spec.externalIPs`.
    #[serde(rename = "ExternalIP")]
    ExternalIp,
}

/// What routes carry besides their prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteAttributes {
    /// Communities, `AS:number` or a well-known name.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::Community, 32>")]
    pub communities: Vec<String>,
    /// Colour, RFC 9012 section 4.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<u32>,
    /// LOCAL_PREF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_preference: Option<u32>,
}

/// What one node has otherwise than its BgpCluster says; its name is the node's.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpNodeOverride",
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
