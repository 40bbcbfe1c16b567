use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// What is advertised, and how.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "BgpAdvertisement",
    doc = "What is advertised, and how.",
    plural = "bgpadvertisements",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "bgpadv",
    printcolumn(name = "VRF", type_ = "string", json_path = ".spec.vrf"),
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
    #[schemars(with = "schema::Selector")]
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
    #[schemars(with = "schema::Selector")]
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
