//! Pods' interfaces that are in no VRF are closed: what was a tenant's must not come out in the node's own network.

use std::collections::BTreeSet;

use tracing::warn;
use vrf_manager::intent::Intent;

use super::Kubernetes;
use crate::agent::{chain, node::Node};

impl Kubernetes {
    /// Sets interfaces down that are no circuit of the intent: to be called before the dataplane lets go of them.
    pub(super) async fn close(&self, intent: &Intent, node: &Node) {
        self.set(intent, node, false).await;
    }

    /// Sets interfaces up that are circuits: to be called once the dataplane holds them.
    pub(super) async fn open_again(&self, node: &Node) {
        self.set(&node.intent, node, true).await;
    }

    async fn set(&self, intent: &Intent, node: &Node, up: bool) {
        let circuits = intent.vrfs.iter().flat_map(|vrf| &vrf.circuits);
        let circuits: BTreeSet<&str> = circuits.map(|circuit| circuit.interface.as_str()).collect();
        let ours = self.attachments.attached().values();
        let ours = ours.map(|attached| attached.attachment.host_interface.as_str());
        for interface in ours.filter(|interface| circuits.contains(interface) == up) {
            if let Err(error) = node.set_link(interface, up).await {
                warn!("{}", chain(&error));
            }
        }
    }
}
