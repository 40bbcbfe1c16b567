//! Which nodes should hold an object.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::{
    api::BgpClusterSpec,
    world::{Object, ObjectRef, World, matches},
};

/// The provider edges of a world, by the BgpCluster that they are in.
pub(super) struct Edges<'a> {
    world: &'a World,
    cluster_of: BTreeMap<&'a str, &'a str>,
}

/// An object with the nodes that should hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) generation: i64,
    pub(super) nodes: BTreeSet<&'a str>,
}

impl<'a> Edges<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let mut cluster_of = BTreeMap::new();
        for (cluster, object) in &world.bgp_clusters {
            for node in selected(world, object.spec.node_selector.as_ref()) {
                // Of two clusters the first by name counts.
                cluster_of.entry(node).or_insert(cluster.as_str());
            }
        }
        Self { world, cluster_of }
    }

    /// `None` where the world does not know the object yet, or not any more.
    pub(super) fn wanting(&self, object: &ObjectRef) -> Option<Wanted<'a>> {
        let (world, name) = (self.world, object.name.as_str());
        match object.kind.as_str() {
            "Vrf" => Some(wanted(world.vrfs.get(name)?, self.of_vrf(name))),
            "BgpCluster" => {
                let is_in = |cluster: &str| cluster == name;
                Some(wanted(world.bgp_clusters.get(name)?, self.of_clusters(is_in)))
            }
            "BgpPeerConfig" => Some(wanted(
                world.bgp_peer_configs.get(name)?,
                self.of_clusters(|cluster| self.refers(cluster, name)),
            )),
            "BgpAdvertisement" => {
                let advertisement = world.bgp_advertisements.get(name)?;
                let all = match &advertisement.spec.vrf {
                    Some(vrf) => self.of_vrf(vrf),
                    None => self.of_clusters(|_| true),
                };
                let chosen = selected(world, advertisement.spec.node_selector.as_ref());
                Some(wanted(advertisement, &all & &chosen.collect()))
            }
            "BgpNodeOverride" => Some(wanted(world.bgp_node_overrides.get(name)?, self.one(name))),
            "EgressPolicy" => {
                let policy = world.egress_policies.get(name)?;
                Some(wanted(policy, self.of_vrf(&policy.spec.vrf)))
            }
            "AttachmentCircuit" => {
                let circuit = world.attachment_circuits.get(name)?;
                Some(wanted(circuit, &self.of_vrf(&circuit.spec.vrf) & &self.one(&circuit.spec.node)))
            }
            _ => None,
        }
    }

    fn of_clusters(&self, is_in: impl Fn(&str) -> bool) -> BTreeSet<&'a str> {
        self.cluster_of.iter().filter(|(_, cluster)| is_in(cluster)).map(|(node, _)| *node).collect()
    }

    /// Nodes of customer edges have no VRFs.
    fn of_vrf(&self, name: &str) -> BTreeSet<&'a str> {
        let Some(vrf) = self.world.vrfs.get(name) else { return BTreeSet::new() };
        let has_srv6 = |cluster: &str| self.cluster(cluster).is_some_and(|cluster| cluster.srv6.is_some());
        &self.of_clusters(has_srv6) & &selected(self.world, vrf.spec.node_selector.as_ref()).collect()
    }

    fn one(&self, node: &str) -> BTreeSet<&'a str> {
        self.cluster_of.get_key_value(node).map(|(node, _)| *node).into_iter().collect()
    }

    fn cluster(&self, name: &str) -> Option<&'a BgpClusterSpec> {
        self.world.bgp_clusters.get(name).map(|cluster| &cluster.spec)
    }

    fn refers(&self, cluster: &str, config: &str) -> bool {
        let peers = self
            .cluster(cluster)
            .into_iter()
            .flat_map(|cluster| &cluster.instances)
            .flat_map(|instance| &instance.peers);
        peers.filter_map(|peer| peer.peer_config_ref.as_ref()).any(|reference| reference.name == config)
    }
}

fn wanted<'a, S>(object: &Object<S>, nodes: BTreeSet<&'a str>) -> Wanted<'a> {
    Wanted { generation: object.generation, nodes }
}

fn selected<'a>(world: &'a World, selector: Option<&LabelSelector>) -> impl Iterator<Item = &'a str> {
    let takes = move |labels| selector.is_none_or(|selector| matches(selector, labels));
    world.nodes.iter().filter(move |(_, node)| takes(&node.labels)).map(|(name, _)| name.as_str())
}
