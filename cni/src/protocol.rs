//! What the plugin asks the agent over its socket: one JSON object on a line, answered by one.
//!
//! ADD is two steps where the agent gives the addresses: reserve, make the interface, attach. Behind another plugin it is the second
//! alone. When an attachment is answered, the dataplane holds it: no packet of the pod leaves into another VRF.

use std::{net::IpAddr, path::PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where the agent listens.
pub const SOCKET: &str = "/run/sixedge/cni.sock";

/// An interface of a container: the CNI specification's `CNI_CONTAINERID` and `CNI_IFNAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentId {
    /// Container, as the runtime names it.
    pub container: String,
    /// Interface inside it.
    pub interface: String,
}

/// A pod, from `CNI_ARGS`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRef {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `K8S_POD_UID`, where the runtime tells it.
    pub uid: Option<String>,
}

/// A pod's interface with the node's end of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Which.
    pub id: AttachmentId,
    /// Whose.
    pub pod: PodRef,
    /// The node's end: the circuit.
    pub host_interface: String,
    /// The pod's addresses.
    pub addresses: Vec<IpAddr>,
    /// MAC address of the pod's end: packets go there without asking, which a bridge would keep from working.
    #[serde(default)]
    pub mac: Option<[u8; 6]>,
    /// The gateway addresses that the pod has routes to.
    pub gateways: Vec<IpAddr>,
    /// Path of the pod's network namespace.
    pub netns: PathBuf,
    /// The addresses are the agent's, to be given to others after DEL.
    pub reserved: bool,
    /// Pods take others of their subnet for being on their link, as behind a bridge: the circuit answers for them.
    pub proxy: bool,
}

/// What the plugin asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "ask")]
pub enum Request {
    /// Addresses for a pod's interface, the same ones again when asked again.
    Reserve {
        /// Which.
        id: AttachmentId,
        /// Whose.
        pod: PodRef,
    },
    /// The interface is there: make it a circuit of the pod's VRF.
    Attach(Attachment),
    /// It goes; no error where it is not known.
    Detach(AttachmentId),
    /// Whether the attachment is as it was made.
    Check(AttachmentId),
    /// Whether ADD would be served.
    Status,
    /// Everything but these is gone (GC).
    Retain(Vec<AttachmentId>),
}

/// What the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "answer")]
pub enum Response {
    /// Addresses are kept for the interface.
    Reserved(Reservation),
    /// The dataplane holds the circuit.
    Attached {
        /// MTU for the pod's routes, octets.
        mtu: u32,
        /// The VRF.
        vrf: String,
    },
    /// The pod is in no VRF: nothing of ours to do.
    NotOurs,
    /// Done, or nothing to do.
    Done,
    /// Not done.
    Refused {
        /// Error code of the CNI specification.
        code: u32,
        /// Why, and what to do.
        message: String,
    },
}

/// Addresses kept for an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The VRF.
    pub vrf: String,
    /// The pod's, /32 and /128.
    pub addresses: Vec<IpNet>,
    /// Its gateways, of each family that it has an address of.
    pub gateways: Vec<IpAddr>,
    /// MTU of the interface, octets.
    pub mtu: u32,
    /// Name for the node's end.
    pub host_interface: String,
}

/// Error codes of the CNI specification, section 5, that the agent answers with.
pub mod code {
    /// Invalid network configuration, or what the pod asks for is not to be had.
    pub const INVALID: u32 = 7;
    /// Try again later.
    pub const TRY_AGAIN: u32 = 11;
    /// The plugin is not available: ADD would fail.
    pub const NOT_AVAILABLE: u32 = 50;
    /// Not available, and containers that are there may have limited connectivity.
    pub const LIMITED: u32 = 51;
    /// Ours: the attachment is not as it was made.
    pub const NOT_AS_MADE: u32 = 100;
}
