use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CommonStatus;

/// One interface of one node as a circuit of a VRF: a VM's tap, a bare metal host's port.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "AttachmentCircuit",
    plural = "attachmentcircuits",
    status = "CommonStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentCircuitSpec {
    /// The VRF.
    pub vrf: String,
    /// The node.
    pub node: String,
    /// The interface.
    pub interface: String,
    /// Gateway addresses with the length of the subnet.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Hosts behind it, one route each; needed where several circuits share a subnet.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Answer ARP and neighbour discovery for every other address: hosts take the subnet for their link.
    #[serde(default)]
    pub proxy: bool,
}
