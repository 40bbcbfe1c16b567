//! What the plugin asks the agent over its socket: one JSON object on a line, answered by one.
//!
//! ADD is two steps where the agent gives the addresses: reserve, make the interface, attach. Behind another plugin it is the second
//! alone. When an attachment is answered, the dataplane holds it: no packet of the pod leaves into another VRF.

use std::{net::IpAddr, path::PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where the agent listens.
pub const SOCKET: &str = "/run/sixedge/cni.sock";

/// Octets of a line, either way: GC of a large node names each of its attachments in some 100.
pub const MAX_MESSAGE: u64 = 1 << 20;

/// An interface of a container: the CNI specification's `CNI_CONTAINERID` and `CNI_IFNAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentId {
    /// Container, as the runtime names it.
    pub container: String,
    /// Interface inside it.
    pub interface: String,
}

/// Octets of a container's name that still fit a file name with the interface's.
const MAX_CONTAINER: usize = 200;
/// `IFNAMSIZ` without the end.
pub const MAX_INTERFACE: usize = 15;

/// What cannot name an interface of a container: these become names of files and interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// As the specification has it, section 2.
    #[error(
        "CNI_CONTAINERID is letters, digits, '_', '.' and '-', begins with a letter or digit, and has {MAX_CONTAINER} octets at most"
    )]
    Container,
    /// As the kernel has it.
    #[error(
        "CNI_IFNAME is an interface's name: 1 to {MAX_INTERFACE} octets without blanks, '/' and ':', and not '.' or '..'"
    )]
    Interface,
}

impl AttachmentId {
    /// Refuses what a runtime that keeps to the specification does not say.
    pub fn check(&self) -> Result<(), BadId> {
        if !is_container(&self.container) {
            return Err(BadId::Container);
        }
        if is_interface(&self.interface) { Ok(()) } else { Err(BadId::Interface) }
    }
}

fn is_container(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    starts && name.len() <= MAX_CONTAINER && name.chars().all(rest)
}

/// Whether the kernel takes it for an interface's name.
pub fn is_interface(name: &str) -> bool {
    let refused = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    (1..=MAX_INTERFACE).contains(&name.len()) && name != "." && name != ".." && !name.contains(refused)
}

/// The name that the node's end of an interface of ours has. The plugin finds it by this also when no agent tells it, whatever
/// the versions of both: never change it.
pub fn host_interface(id: &AttachmentId) -> String {
    // FNV-1a: the same everywhere, which the hashes of the standard library do not promise.
    let octets = id.container.bytes().chain([0]).chain(id.interface.bytes());
    let hash = octets.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)
    });
    format!("sx{:013x}", hash >> 12)
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
    /// `name` of the network configuration: GC is one network's.
    pub network: String,
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
        /// `name` of the network configuration.
        network: String,
        /// Whose.
        pod: PodRef,
    },
    /// The interface is there: make it a circuit of the pod's VRF.
    Attach(Attachment),
    /// It goes; no error where it is not known.
    Detach(AttachmentId),
    /// Whether the attachment is as the plugin finds it, and the dataplane holds it.
    Check(Attachment),
    /// Whether ADD would be served.
    Status,
    /// Everything of this network but these is gone (GC).
    Retain {
        /// `name` of the network configuration; attachments of others stay.
        network: String,
        /// What is still there.
        valid: Vec<AttachmentId>,
    },
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
    /// These are gone (GC): the plugin takes away what it made for them.
    Released {
        /// Which.
        ids: Vec<AttachmentId>,
    },
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

/// Error codes of the CNI specification, section 5, that the agent answers with, and ours.
pub mod code {
    /// Input or output failed.
    pub const IO: u32 = 5;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(container: &str, interface: &str) -> AttachmentId {
        AttachmentId { container: container.to_owned(), interface: interface.to_owned() }
    }

    #[test]
    fn what_could_leave_the_state_folder_or_name_no_interface_is_no_id() {
        assert_eq!(id("0af3-x_1.b", "eth0").check(), Ok(()));
        for container in ["", "../x", "a/b", ".a", "-a", "a b", "a\n", "ä", &"a".repeat(201)] {
            assert_eq!(id(container, "eth0").check(), Err(BadId::Container), "{container:?}");
        }
        for interface in ["", ".", "..", "a/b", "a:b", "a b", "eth\0", "sixteen-octets-x"] {
            assert_eq!(id("a", interface).check(), Err(BadId::Interface), "{interface:?}");
        }
    }

    #[test]
    fn the_name_of_the_nodes_end_never_changes() {
        assert_eq!(host_interface(&id("0af3", "eth0")), "sx0916ee5c72c4c");
        assert_ne!(host_interface(&id("0af3", "eth0")), host_interface(&id("0af3", "eth1")));
        assert!(is_interface(&host_interface(&id("a", "b"))));
    }

    #[test]
    fn every_request_survives_the_wire() {
        let attachment = Attachment {
            id: id("a", "eth0"),
            network: "red-net".to_owned(),
            pod: PodRef { namespace: "red".to_owned(), name: "web".to_owned(), uid: None },
            host_interface: "veth0".to_owned(),
            addresses: vec!["10.0.0.2".parse().unwrap()],
            mac: Some([2, 0, 0, 0, 0, 1]),
            gateways: vec!["10.0.0.1".parse().unwrap()],
            netns: "/run/netns/a".into(),
            reserved: false,
            proxy: true,
        };
        let (network, pod) = (attachment.network.clone(), attachment.pod.clone());
        let requests = [
            Request::Reserve { id: id("a", "eth0"), network: network.clone(), pod },
            Request::Attach(attachment.clone()),
            Request::Detach(id("a", "eth0")),
            Request::Check(attachment),
            Request::Status,
            Request::Retain { network, valid: vec![id("a", "eth0")] },
        ];
        for request in requests {
            let line = serde_json::to_string(&request).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request, "{line}");
        }
    }
}
