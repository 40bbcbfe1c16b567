//! A world of a given size, the same in every run. Tenants' addresses overlap where there are several VRFs.

use std::{collections::BTreeMap, net::IpAddr};

use cni::protocol::AttachmentId;
use k8s_sync::{
    render::Attached,
    world::{Key, LocatorPool, Object, World},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Options;

/// Of ten pods of a namespace, each has another.
const APPS: usize = 10;
const ENDPOINTS: usize = 5;
const TEAMS: usize = 40;

/// A world with the attachments of `node-0`.
pub(super) struct Cluster {
    pub(super) world: World,
    pub(super) attachments: BTreeMap<AttachmentId, Attached>,
}

fn object<S: DeserializeOwned>(spec: Value) -> Result<Object<S>, serde_json::Error> {
    Ok(of(serde_json::from_value(spec)?))
}

fn of<S>(spec: S) -> Object<S> {
    Object { generation: 1, uid: String::new(), labels: BTreeMap::new(), spec }
}

impl Cluster {
    pub(super) fn new(options: &Options) -> Result<Self, serde_json::Error> {
        let mut cluster = Self { world: World::default(), attachments: BTreeMap::new() };
        cluster.add_nodes(options)?;
        cluster.add_tenants(options)?;
        for n in 0..options.pods {
            cluster.add_pod(options, n)?;
        }
        for n in 0..options.services {
            cluster.add_service(options, n)?;
        }
        for n in 0..options.policies {
            cluster.add_policy(options, n)?;
        }
        for n in 0..options.egress {
            cluster.add_egress(options, n)?;
        }
        Ok(cluster)
    }

    fn add_nodes(&mut self, options: &Options) -> Result<(), serde_json::Error> {
        let nodes = options.pods.div_ceil(options.pods_per_node.max(1)).max(1);
        for n in 0..nodes {
            let gateway = if n < 3 { "yes" } else { "no" };
            let node = json!({
                "labels": { "gateway": gateway }, "podCidrs": [], "unschedulable": false, "ready": true,
                "addresses": [IpAddr::from([192, 0, 2, (n % 250) as u8]), format!("2001:db8::{n:x}")],
            });
            self.world.nodes.insert(format!("node-{n}"), serde_json::from_value(node)?);
        }
        let pool = json!({ "prefix": "fc00::/32" });
        let allocation = json!({ "node": "node-0", "locator": "fc00:0:1::/48", "index": 1 });
        let pool = LocatorPool {
            spec: serde_json::from_value(pool)?,
            allocations: vec![serde_json::from_value(allocation)?],
        };
        self.world.locator_pools.insert("main".into(), of(pool));
        let bgp = json!({
            "srv6": { "locatorPools": ["main"], "coreInterfaces": ["core0"] },
            "instances": [{ "name": "main", "localAsn": 65000, "peers": [
                { "name": "rr", "peerAddress": "2001:db8:f::1", "peerASN": 65000 },
            ] }],
        });
        self.world.bgp_clusters.insert("core".into(), object(bgp)?);
        Ok(())
    }

    fn add_tenants(&mut self, options: &Options) -> Result<(), serde_json::Error> {
        for n in 0..options.vrfs {
            let target = format!("65000:{}", n + 1);
            let vrf = json!({
                "importRouteTargets": [&target], "exportRouteTargets": [&target],
                "namespaceSelector": { "matchLabels": { "tenant": format!("vrf-{n}") } },
            });
            self.world.vrfs.insert(format!("vrf-{n}"), object(vrf)?);
        }
        for n in 0..options.namespaces {
            let namespace = json!({
                "labels": { "tenant": format!("vrf-{}", n % options.vrfs), "team": team(n) },
            });
            self.world.namespaces.insert(format!("ns-{n}"), serde_json::from_value(namespace)?);
        }
        Ok(())
    }

    fn add_pod(&mut self, options: &Options, n: usize) -> Result<(), serde_json::Error> {
        let (namespace, node) = (n % options.namespaces, n / options.pods_per_node.max(1));
        let key = Key::new(format!("ns-{namespace}"), format!("pod-{n}"));
        let addresses = addresses(10, n / options.vrfs.min(options.namespaces) + 2);
        let pod = json!({
            "uid": format!("uid-{n}"), "labels": { "app": app(options, n) }, "node": format!("node-{node}"),
            "addresses": addresses, "hostNetwork": false,
            "ports": { "http": { "protocol": "TCP", "port": 8080 } },
        });
        self.world.pods.insert(key.clone(), serde_json::from_value(pod)?);
        if node == 0 {
            let attached: Attached = serde_json::from_value(json!({
                "vrf": format!("vrf-{}", namespace % options.vrfs),
                "attachment": {
                    "id": { "container": format!("container-{n}"), "interface": "eth0" },
                    "pod": { "namespace": key.namespace, "name": key.name, "uid": format!("uid-{n}") },
                    "hostInterface": format!("six{n}"), "addresses": addresses,
                    "gateways": ["169.254.1.1", "2001:db8:ffff::1"],
                    "netns": "/run/netns/pod", "reserved": true, "proxy": false, "mac": null,
                },
            }))?;
            self.attachments.insert(attached.attachment.id.clone(), attached);
        }
        Ok(())
    }

    fn add_service(&mut self, options: &Options, n: usize) -> Result<(), serde_json::Error> {
        let namespace = n % options.namespaces;
        let key = Key::new(format!("ns-{namespace}"), format!("service-{n}"));
        let vips = addresses(172, n + 1);
        let service = json!({
            "labels": {}, "clusterIps": vips, "externalIps": [], "loadBalancerIps": [],
            "ports": [{ "name": "http", "protocol": "TCP", "port": 80 }],
            "externalTrafficPolicy": "cluster", "internalTrafficPolicy": "cluster", "affinity": null,
        });
        self.world.services.insert(key.clone(), serde_json::from_value(service)?);
        let first = n / options.namespaces * ENDPOINTS;
        let pods = (0..ENDPOINTS).map(|k| namespace + (first + k) * options.namespaces);
        let pods: Vec<_> = pods.filter(|pod| *pod < options.pods).collect();
        for family in 0..2 {
            let endpoint = |pod: &usize| {
                let of_pod = Key::new(&key.namespace, format!("pod-{pod}"));
                let address = self.world.pods.get(&of_pod).map(|pod| pod.addresses[family]);
                json!({
                    "addresses": [address], "ready": true, "serving": true, "terminating": false,
                    "node": null, "pod": of_pod.name,
                })
            };
            let slice = json!({
                "service": key.name, "ports": [{ "name": "http", "protocol": "TCP", "port": 8080 }],
                "endpoints": pods.iter().map(endpoint).collect::<Vec<_>>(),
            });
            let name = Key::new(&key.namespace, format!("{}-{family}", key.name));
            self.world.endpoint_slices.insert(name, serde_json::from_value(slice)?);
        }
        Ok(())
    }

    /// In from the namespace and, to a port, from the team's other ones, out to names and to all that is no tenant's.
    fn add_policy(&mut self, options: &Options, n: usize) -> Result<(), serde_json::Error> {
        let namespace = n % options.namespaces;
        let policy = json!({
            "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                { "from": [{ "podSelector": {} }] },
                {
                    "from": [{ "namespaceSelector": { "matchLabels": { "team": team(namespace) } } }],
                    "ports": [{ "port": "http" }],
                },
            ],
            "egress": [
                { "ports": [{ "protocol": "UDP", "port": 53 }] },
                { "to": [
                    { "podSelector": {} },
                    { "ipBlock": { "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12"] } },
                ] },
            ],
        });
        self.world
            .network_policies
            .insert(Key::new(format!("ns-{namespace}"), format!("policy-{n}")), object(policy)?);
        Ok(())
    }

    fn add_egress(&mut self, options: &Options, n: usize) -> Result<(), serde_json::Error> {
        let policy = json!({
            "vrf": format!("vrf-{}", n % options.vrfs),
            "sources": [{ "podSelector": { "matchLabels": { "app": app(options, n * options.namespaces) } } }],
            "destinationCIDRs": ["0.0.0.0/0"], "exceptCIDRs": ["10.0.0.0/8"],
            "egressIPs": [IpAddr::from([198, 51, (n / 250) as u8, (n % 250 + 1) as u8])],
            "gateways": { "nodeSelector": { "matchLabels": { "gateway": "yes" } } },
        });
        self.world.egress_policies.insert(format!("egress-{n}"), object(policy)?);
        Ok(())
    }
}

/// Namespaces of a team share their VRF's pods with each other.
fn team(namespace: usize) -> String {
    format!("team-{}", namespace % TEAMS)
}

fn app(options: &Options, pod: usize) -> String {
    format!("app-{}", pod / options.namespaces % APPS)
}

/// The host by its number, of both families.
fn addresses(first: u8, host: usize) -> [IpAddr; 2] {
    let [.., a, b, c] = (host as u64).to_be_bytes();
    let v6 = [0xfd00, first.into(), 0, 0, 0, 0, u16::from(a), u16::from_be_bytes([b, c])];
    [IpAddr::from([first, 16 + a, b, c]), IpAddr::from(v6)]
}
