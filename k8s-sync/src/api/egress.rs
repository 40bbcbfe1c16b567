use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// Pods of a VRF that leave under fixed addresses.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "EgressPolicy",
    doc = "Pods of a VRF that leave under fixed addresses.",
    plural = "egresspolicies",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "egp",
    printcolumn(name = "VRF", type_ = "string", json_path = ".spec.vrf"),
    printcolumn(name = "Egress-IPs", type_ = "string", json_path = ".spec.egressIPs"),
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
#[x_kube(validation = Rule::new("self.sources.size() > 0").message("the policy is for no host; write {} as a source for all pods of the VRF"))]
#[x_kube(validation = Rule::new("self.egressIPs.filter(address, isIP(address) && ip(address).family() == 4).size() <= 4 && self.egressIPs.filter(address, isIP(address) && ip(address).family() == 6).size() <= 4").message("more than 4 egressIPs of a family; remove what is least preferred"))]
#[x_kube(validation = Rule::new("self.destinationCIDRs.size() > 0").message("the policy is for no destination; write 0.0.0.0/0 or ::/0 for all"))]
#[x_kube(validation = Rule::new("self.destinationCIDRs.all(to, !isCIDR(to) || self.egressIPs.exists(address, isIP(address) && ip(address).family() == cidr(to).ip().family()))").message("no egress address is of the family of a destination; add one to egressIPs, or remove the destination"))]
pub struct EgressPolicySpec {
    /// The VRF.
    #[schemars(with = "schema::Name")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("vrf cannot change: flows are of the one VRF; create another EgressPolicy"))]
    pub vrf: String,
    /// Which pods; those of any of these.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub sources: Vec<EgressSource>,
    /// Where to.
    #[serde(rename = "destinationCIDRs")]
    #[schemars(with = "schema::SetOf<schema::Prefix, 128>")]
    pub destination_cidrs: Vec<String>,
    /// And where not.
    #[serde(default, rename = "exceptCIDRs")]
    #[schemars(with = "schema::SetOf<schema::Prefix, 128>")]
    pub except_cidrs: Vec<String>,
    /// Egress addresses in the order of preference, at most 4 of each family.
    #[serde(rename = "egressIPs")]
    #[schemars(with = "schema::ListOf<schema::Address, 8>")]
    pub egress_ips: Vec<String>,
    /// Nodes that have the addresses.
    pub gateways: EgressGateways,
}

/// Pods of an egress policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EgressSource {
    /// In these namespaces; in all of the VRF where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub namespace_selector: Option<LabelSelector>,
    /// Which pods; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "schema::Selector")]
    pub pod_selector: Option<LabelSelector>,
    /// Or hosts of the VRF by address: VMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "schema::SetOf<schema::Prefix, 128>")]
    pub cidrs: Vec<String>,
}

/// Gateways of an egress policy. One has the addresses at a time; of several the first by name that is ready and not
/// cordoned is preferred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EgressGateways {
    /// The nodes.
    #[schemars(with = "schema::Selector")]
    pub node_selector: LabelSelector,
    /// Ports of a pod's block, 1 to 1024; 128 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024), extend("default" = 128))]
    pub port_block: Option<u16>,
}
