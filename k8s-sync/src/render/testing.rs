//! A cluster to start from: two nodes of one BgpCluster, a route reflector, and no VRF.

use std::{collections::BTreeMap, net::IpAddr};

use cni::protocol::{Attachment, AttachmentId, PodRef};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Attached, Inputs};
use crate::{
    api::{
        Allocation, BgpClusterSpec, BgpInstance, BgpPeer, LocatorPoolSpec, LocatorStructure, Srv6, VrfSpec,
    },
    world::{Key, Labels, LocatorPool, Namespace, Node, Object, Pod, World},
};

/// A world with the attachments of node `n1`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) world: World,
    pub(crate) attachments: BTreeMap<AttachmentId, Attached>,
}

pub(crate) fn labels(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// `matchLabels`.
pub(crate) fn selector(of: &[(&str, &str)]) -> LabelSelector {
    LabelSelector { match_labels: Some(labels(of)), match_expressions: None }
}

pub(crate) fn object<S>(spec: S) -> Object<S> {
    Object { generation: 1, uid: String::new(), labels: Labels::new(), spec }
}

/// `namespace/name`.
pub(crate) fn key(text: &str) -> Key {
    let (namespace, name) = text.split_once('/').unwrap();
    Key::new(namespace, name)
}

pub(crate) fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

impl Cluster {
    /// Nodes `n1` (192.0.2.1, 2001:db8::1, fc00:0:1::/48) and `n2` with 2 in these places, in AS 65000.
    pub(crate) fn new() -> Self {
        let mut world = World::default();
        for (name, n) in [("n1", 1), ("n2", 2)] {
            let node = Node {
                labels: labels(&[("name", name)]),
                addresses: addresses(&[&format!("192.0.2.{n}"), &format!("2001:db8::{n}")]),
                pod_cidrs: vec![format!("10.244.{n}.0/24").parse().unwrap()],
                unschedulable: false,
                ready: true,
            };
            world.nodes.insert(name.into(), node);
        }
        world.locator_pools.insert("main".into(), object(pool()));
        world.bgp_clusters.insert("core".into(), object(bgp_cluster()));
        Self { world, attachments: BTreeMap::new() }
    }

    pub(crate) fn namespace(mut self, name: &str, of: &[(&str, &str)]) -> Self {
        self.world.namespaces.insert(name.into(), Namespace { labels: labels(of) });
        self
    }

    /// A VRF that imports and exports 65000:1 and is open to namespaces whose label `tenant` is its name.
    pub(crate) fn vrf(mut self, name: &str, edit: impl FnOnce(&mut VrfSpec)) -> Self {
        let mut spec = vrf(name);
        edit(&mut spec);
        self.world.vrfs.insert(name.into(), object(spec));
        self
    }

    /// The VRF `name` and the namespace `name` in it.
    pub(crate) fn tenant(self, name: &str) -> Self {
        self.namespace(name, &[("tenant", name)]).vrf(name, |_| ())
    }

    /// A pod `namespace/name`; with an interface where it is on `n1`.
    pub(crate) fn pod(mut self, pod: &str, node: &str, of: &[&str], with: &[(&str, &str)]) -> Self {
        let pod_key = key(pod);
        let there = Pod {
            uid: format!("uid of {pod}"),
            labels: labels(with),
            node: Some(node.into()),
            addresses: addresses(of),
            ..Pod::default()
        };
        if let (Ok(Some(vrf)), "n1") = (super::vrf_of(&self.world, &pod_key, &there), node) {
            let attached = Attached { vrf: vrf.to_owned(), attachment: attachment(&pod_key, &there) };
            self.attachments.insert(attached.attachment.id.clone(), attached);
        }
        self.world.pods.insert(pod_key, there);
        self
    }

    /// Anything else.
    pub(crate) fn with(mut self, edit: impl FnOnce(&mut World)) -> Self {
        edit(&mut self.world);
        self
    }

    pub(crate) const fn inputs<'a>(&'a self, node: &'a str) -> Inputs<'a> {
        Inputs { node, world: &self.world, attachments: &self.attachments }
    }
}

/// Host interface `veth-NAME`.
pub(crate) fn attachment(key: &Key, pod: &Pod) -> Attachment {
    let gateway = |address: &IpAddr| match address {
        IpAddr::V4(_) => "169.254.1.1".parse().unwrap(),
        IpAddr::V6(_) => "2001:db8:ffff::1".parse().unwrap(),
    };
    Attachment {
        id: AttachmentId { container: format!("container of {key}"), interface: "eth0".into() },
        pod: PodRef { namespace: key.namespace.clone(), name: key.name.clone(), uid: Some(pod.uid.clone()) },
        host_interface: format!("veth-{}", key.name),
        addresses: pod.addresses.clone(),
        mac: None,
        gateways: pod.addresses.iter().map(gateway).collect(),
        netns: "/var/run/netns/pod".into(),
        reserved: true,
        proxy: false,
    }
}

pub(crate) fn vrf(name: &str) -> VrfSpec {
    VrfSpec {
        rd: None,
        import_route_targets: vec!["65000:1".into()],
        export_route_targets: vec!["65000:1".into()],
        sid_allocation: Default::default(),
        encapsulation: Default::default(),
        node_selector: None,
        namespace_selector: Some(selector(&[("tenant", name)])),
        pod_selector: None,
        pod_network: None,
        interfaces: vec![],
        static_routes: vec![],
        max_flows: None,
    }
}

fn pool() -> LocatorPool {
    let allocation = |(node, index): (&str, u32)| Allocation {
        node: node.into(),
        locator: format!("fc00:0:{index}::/48"),
        index,
    };
    LocatorPool {
        spec: LocatorPoolSpec {
            prefix: "fc00::/32".into(),
            structure: LocatorStructure::default(),
            node_selector: None,
            nodes: vec![],
        },
        allocations: [("n1", 1), ("n2", 2)].map(allocation).to_vec(),
    }
}

fn bgp_cluster() -> BgpClusterSpec {
    BgpClusterSpec {
        node_selector: None,
        srv6: Some(Srv6 { locator_pools: vec!["main".into()], core_interfaces: vec!["eth0".into()] }),
        instances: vec![BgpInstance {
            name: "main".into(),
            local_asn: 65000,
            listen_port: None,
            install_unicast: false,
            peers: vec![peer("rr", "2001:db8::f")],
        }],
    }
}

/// A peer of the same AS.
pub(crate) fn peer(name: &str, address: &str) -> BgpPeer {
    BgpPeer { name: name.into(), peer_address: address.into(), peer_asn: 65000, peer_config_ref: None }
}
