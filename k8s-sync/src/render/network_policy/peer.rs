use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::NetworkPolicyPeer;

use super::{
    super::{Reason, Scope, parse::Reader},
    OfPolicy, block,
};
use crate::world::{Key, Pod, matches};

/// The far ends that a rule speaks of.
pub(super) enum Peers<'a> {
    /// All of them, pods or not.
    Everything(&'a Scope<'a>),
    /// Those of any of these.
    Of(Vec<Peer<'a>>),
}

/// One of the list.
pub(super) enum Peer<'a> {
    /// Addresses of the VRF, pods' or not.
    Block(Vec<IpNet>, &'a Scope<'a>),
    /// Pods of the VRF.
    Pods(Vec<&'a Pod>),
}

/// Far ends by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Far {
    Everywhere,
    Prefixes(Vec<IpNet>),
}

impl<'a> Peers<'a> {
    /// An empty list is everything; one of which nothing can be read is nothing.
    pub(super) fn read(
        of: &OfPolicy<'a>,
        peers: &[NetworkPolicyPeer],
        path: &str,
        reader: &mut Reader<'_>,
    ) -> Self {
        if peers.is_empty() {
            return Self::Everything(of.scope);
        }
        let list = match of.side {
            super::Side::Ingress => "from",
            super::Side::Egress => "to",
        };
        let read = |(k, peer): (usize, &NetworkPolicyPeer)| {
            Peer::read(of, peer, &format!("{path}.{list}[{k}]"), reader)
        };
        Self::Of(peers.iter().enumerate().filter_map(read).collect())
    }

    pub(super) fn far(&self) -> Far {
        match self {
            Self::Everything(_) => Far::Everywhere,
            Self::Of(peers) => Far::Prefixes(peers.iter().flat_map(Peer::prefixes).collect()),
        }
    }

    /// The pods among them, each with those of its addresses that are.
    pub(super) fn pods(&self) -> Vec<(&'a Pod, Vec<IpNet>)> {
        match self {
            Self::Everything(scope) => scope.pods.values().map(|pod| (*pod, hosts(pod).collect())).collect(),
            Self::Of(peers) => peers.iter().flat_map(Peer::pods).collect(),
        }
    }
}

impl<'a> Peer<'a> {
    fn read(
        of: &OfPolicy<'a>,
        peer: &NetworkPolicyPeer,
        path: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        match peer {
            NetworkPolicyPeer { ip_block: Some(block), namespace_selector: None, pod_selector: None } => {
                Some(Self::Block(block::read(block, &format!("{path}.ipBlock"), reader), of.scope))
            }
            NetworkPolicyPeer { ip_block: Some(_), .. } => {
                let problem =
                    "an ipBlock stands beside selectors, and is left out with them; write two peers";
                reader.tell(Reason::Invalid, path, problem);
                None
            }
            NetworkPolicyPeer { namespace_selector: None, pod_selector: None, .. } => {
                let problem = "it names nobody; write podSelector: {}, namespaceSelector: {} or an ipBlock";
                reader.tell(Reason::Invalid, path, problem);
                None
            }
            NetworkPolicyPeer { .. } => Some(Self::Pods(selected(of, peer))),
        }
    }

    fn prefixes(&self) -> Vec<IpNet> {
        match self {
            Self::Block(prefixes, _) => prefixes.clone(),
            Self::Pods(pods) => pods.iter().flat_map(|pod| hosts(pod)).collect(),
        }
    }

    fn pods(&self) -> Vec<(&'a Pod, Vec<IpNet>)> {
        match self {
            Self::Block(prefixes, scope) => {
                let within = |host: &IpNet| prefixes.iter().any(|prefix| prefix.contains(host));
                scope.pods.values().map(|pod| (*pod, hosts(pod).filter(within).collect())).collect()
            }
            Self::Pods(pods) => pods.iter().map(|pod| (*pod, hosts(pod).collect())).collect(),
        }
    }
}

fn hosts(pod: &Pod) -> impl Iterator<Item = IpNet> {
    pod.addresses.iter().map(|address: &IpAddr| IpNet::from(*address))
}

/// Of the VRF, those that the peer's selectors take: without one for namespaces those of the policy's own.
fn selected<'a>(of: &OfPolicy<'a>, peer: &NetworkPolicyPeer) -> Vec<&'a Pod> {
    let takes = |pod: &&Pod| peer.pod_selector.as_ref().is_none_or(|selector| matches(selector, &pod.labels));
    let of_namespace = |namespace: &str| in_namespace(of.scope, namespace).filter(takes).collect::<Vec<_>>();
    let Some(selector) = &peer.namespace_selector else { return of_namespace(&of.name.namespace) };
    let namespaces = of.scope.inputs.world.namespaces.iter();
    let namespaces = namespaces.filter(|(_, namespace)| matches(selector, &namespace.labels));
    namespaces.flat_map(|(name, _)| of_namespace(name)).collect()
}

fn in_namespace<'a>(scope: &'a Scope<'a>, namespace: &str) -> impl Iterator<Item = &'a Pod> {
    let first = Key::new(namespace, "");
    let from = scope.pods.range::<Key, _>(first..);
    let namespace = namespace.to_owned();
    from.take_while(move |(key, _)| key.namespace == namespace).map(|(_, pod)| *pod)
}
