use super::{ObjectRef, World};

impl World {
    /// The generation of an object of ours, or of a NetworkPolicy; `None` where it is not there, or is of a kind without one.
    pub fn generation(&self, object: &ObjectRef) -> Option<i64> {
        let name = &object.name;
        match object.kind.as_str() {
            "Vrf" => self.vrfs.get(name).map(|it| it.generation),
            "AttachmentCircuit" => self.attachment_circuits.get(name).map(|it| it.generation),
            "LocatorPool" => self.locator_pools.get(name).map(|it| it.generation),
            "BgpCluster" => self.bgp_clusters.get(name).map(|it| it.generation),
            "BgpPeerConfig" => self.bgp_peer_configs.get(name).map(|it| it.generation),
            "BgpAdvertisement" => self.bgp_advertisements.get(name).map(|it| it.generation),
            "BgpNodeOverride" => self.bgp_node_overrides.get(name).map(|it| it.generation),
            "EgressPolicy" => self.egress_policies.get(name).map(|it| it.generation),
            "NetworkPolicy" => {
                let namespaced = self.network_policies.iter();
                let mut named = namespaced.filter(|(key, _)| {
                    key.name == *name && object.namespace.as_ref() == Some(&key.namespace)
                });
                named.next().map(|(_, it)| it.generation)
            }
            _ => None,
        }
    }
}
