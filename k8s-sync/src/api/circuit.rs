use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{CommonStatus, schema};

/// One interface of one node as a circuit of a VRF: a VM's tap, a bare metal host's port.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "sixedge.io",
    version = "v1alpha1",
    kind = "AttachmentCircuit",
    doc = "One interface of one node as a circuit of a VRF.",
    plural = "attachmentcircuits",
    status = "CommonStatus",
    derive = "PartialEq",
    category = "sixedge",
    shortname = "ac",
    printcolumn(name = "VRF", type_ = "string", json_path = ".spec.vrf"),
    printcolumn(name = "Node", type_ = "string", json_path = ".spec.node"),
    printcolumn(name = "Interface", type_ = "string", json_path = ".spec.interface"),
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
pub struct AttachmentCircuitSpec {
    /// The VRF.
    #[schemars(with = "schema::Name")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("vrf cannot change: the circuit would move a tenant; create another AttachmentCircuit"))]
    pub vrf: String,
    /// The node.
    #[schemars(with = "schema::Name")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("node cannot change; create another AttachmentCircuit"))]
    pub node: String,
    /// The interface.
    #[schemars(with = "schema::Interface")]
    pub interface: String,
    /// Gateway addresses with the length of the subnet.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::InterfaceAddress, 16>")]
    pub addresses: Vec<String>,
    /// Hosts behind it, one route each; needed where several circuits share a subnet.
    #[serde(default)]
    #[schemars(with = "schema::SetOf<schema::Address, 256>")]
    pub hosts: Vec<String>,
    /// Answer ARP and neighbour discovery for every other address: hosts take the subnet for their link.
    #[serde(default)]
    pub proxy: bool,
}
