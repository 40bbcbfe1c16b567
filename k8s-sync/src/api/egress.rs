use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CommonStatus;

/// Pods of a VRF that leave under fixed addresses.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "EgressPolicy",
    plural = "egresspolicies",
    status = "CommonStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct EgressPolicySpec {
    /// The VRF.
    pub vrf: String,
    /// Which pods; those of any of these.
    #[serde(default)]
    pub sources: Vec<EgressSource>,
    /// Where to.
    #[serde(rename = "destinationCIDRs")]
    pub destination_cidrs: Vec<String>,
    /// And where not.
    #[serde(default, rename = "exceptCIDRs")]
    pub except_cidrs: Vec<String>,
    /// Egress addresses in the order of preference, at most 4 of each family.
    #[serde(rename = "egressIPs")]
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
    pub namespace_selector: Option<LabelSelector>,
    /// Which pods; all where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
    /// Or hosts of the VRF by address: VMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cidrs: Vec<String>,
}

/// Gateways of an egress policy. One has the addresses at a time; of several the first by name that is ready and not
/// cordoned is preferred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EgressGateways {
    /// The nodes.
    pub node_selector: LabelSelector,
    /// Ports of a pod's block, 1 to 1024; 128 where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_block: Option<u16>,
}
