//! NetworkPolicy as its documentation says it, with no thought of speed: what a packet meets, one question at a time.

use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::{NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};

use super::*;
use crate::world::{Labels, World};

/// A packet of a pod, and the far end of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) side: Side,
    pub(super) far: IpAddr,
    pub(super) protocol: u8,
    /// The destination's.
    pub(super) port: u16,
}

/// All that policies are asked about: the world, the VRF's pods, and the pod.
pub(super) struct Asked<'a> {
    pub(super) world: &'a World,
    pub(super) vrf: &'a [Key],
    pub(super) pod: &'a Key,
}

impl Asked<'_> {
    pub(super) fn lets_pass(&self, packet: Packet) -> bool {
        let pod = &self.world.pods[self.pod];
        let mut isolated = false;
        for (name, policy) in &self.world.network_policies {
            let policy = &policy.spec;
            let everyone = LabelSelector::default();
            let selected = selects(policy.pod_selector.as_ref().unwrap_or(&everyone), &pod.labels);
            if name.namespace != self.pod.namespace || !selected || !is_about(policy, packet.side) {
                continue;
            }
            isolated = true;
            if self.allows(name, policy, packet) {
                return true;
            }
        }
        // "A pod cannot block access to itself."
        !isolated || pod.addresses.contains(&packet.far)
    }

    fn allows(&self, name: &Key, policy: &NetworkPolicySpec, packet: Packet) -> bool {
        match packet.side {
            Side::Ingress => policy.ingress.iter().flatten().any(|rule| {
                self.is_peer(name, rule.from.as_deref(), packet)
                    && self.is_port(rule.ports.as_deref(), packet)
            }),
            Side::Egress => policy.egress.iter().flatten().any(|rule| {
                self.is_peer(name, rule.to.as_deref(), packet) && self.is_port(rule.ports.as_deref(), packet)
            }),
        }
    }

    fn is_peer(&self, name: &Key, peers: Option<&[NetworkPolicyPeer]>, packet: Packet) -> bool {
        let peers = peers.unwrap_or(&[]);
        peers.is_empty() || peers.iter().any(|peer| self.is_one(name, peer, packet))
    }

    fn is_one(&self, name: &Key, peer: &NetworkPolicyPeer, packet: Packet) -> bool {
        if let Some(block) = &peer.ip_block {
            let holds = |net: &String| net.parse::<IpNet>().unwrap().contains(&packet.far);
            return holds(&block.cidr) && !block.except.iter().flatten().any(holds);
        }
        self.far_pods(packet).any(|key| {
            let in_namespace = match &peer.namespace_selector {
                Some(selector) => selects(selector, &self.world.namespaces[&key.namespace].labels),
                None => key.namespace == name.namespace,
            };
            let everyone = LabelSelector::default();
            let pod = peer.pod_selector.as_ref().unwrap_or(&everyone);
            in_namespace && selects(pod, &self.world.pods[key].labels)
        })
    }

    fn far_pods(&self, packet: Packet) -> impl Iterator<Item = &Key> {
        self.vrf.iter().filter(move |key| self.world.pods[*key].addresses.contains(&packet.far))
    }

    fn is_port(&self, ports: Option<&[NetworkPolicyPort]>, packet: Packet) -> bool {
        let ports = ports.unwrap_or(&[]);
        ports.is_empty() || ports.iter().any(|port| self.is_this_port(port, packet))
    }

    fn is_this_port(&self, port: &NetworkPolicyPort, packet: Packet) -> bool {
        let (protocol, number) = match port.protocol.as_deref() {
            Some("UDP") => (Protocol::Udp, 17),
            Some("SCTP") => (Protocol::Sctp, 132),
            _ => (Protocol::Tcp, 6),
        };
        let is_named = |key: &Key, name: &String| {
            self.world.pods[key].ports.get(name) == Some(&PodPort { protocol, port: packet.port })
        };
        packet.protocol == number
            && match &port.port {
                None => true,
                Some(IntOrString::Int(first)) => {
                    (*first..=port.end_port.unwrap_or(*first)).contains(&i32::from(packet.port))
                }
                Some(IntOrString::String(name)) => match packet.side {
                    Side::Ingress => is_named(self.pod, name),
                    Side::Egress => self.far_pods(packet).any(|key| is_named(key, name)),
                },
            }
    }
}

fn is_about(policy: &NetworkPolicySpec, side: Side) -> bool {
    let types = policy.policy_types.clone().unwrap_or_default();
    if !types.is_empty() {
        return types.contains(&format!("{side:?}"));
    }
    match side {
        Side::Ingress => true,
        Side::Egress => !policy.egress.clone().unwrap_or_default().is_empty(),
    }
}

fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    for (key, value) in selector.match_labels.iter().flatten() {
        if labels.get(key) != Some(value) {
            return false;
        }
    }
    for expression in selector.match_expressions.iter().flatten() {
        let value = labels.get(&expression.key);
        let values = expression.values.clone().unwrap_or_default();
        let holds = match expression.operator.as_str() {
            "In" => value.is_some_and(|value| values.contains(value)),
            "NotIn" => value.is_none_or(|value| !values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            other => panic!("no operator {other}"),
        };
        if !holds {
            return false;
        }
    }
    true
}
