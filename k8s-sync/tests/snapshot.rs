//! What is written of the world is what is read of it, and nobody else can read it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, fs, net::IpAddr, os::unix::fs::PermissionsExt as _, time::Duration};

use k8s_sync::{
    snapshot,
    world::{
        Endpoint, EndpointPort, EndpointSlice, Key, Labels, Namespace, Node, Pod, PodPort, Protocol, Service,
        ServicePort, TrafficPolicy, World,
    },
};
use proptest::{collection, option, prelude::*};
use serde_json::{from_value, json};
use vrf_manager::intent::Secret;

fn labels() -> impl Strategy<Value = Labels> {
    collection::btree_map("[a-z./]{1,8}", "\\PC{0,8}", 0..3)
}

fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
    collection::vec(any::<IpAddr>(), 0..3)
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Sctp)]
}

fn key() -> impl Strategy<Value = Key> {
    ("[a-z]{1,3}", "[a-z]{1,3}").prop_map(|(namespace, name)| Key { namespace, name })
}

fn node() -> impl Strategy<Value = Node> {
    let cidrs = collection::vec(
        any::<[u8; 4]>()
            .prop_map(|octets| format!("{}/24", std::net::Ipv4Addr::from(octets)).parse().unwrap()),
        0..2,
    );
    (labels(), addresses(), cidrs, any::<[bool; 2]>()).prop_map(
        |(labels, addresses, pod_cidrs, [unschedulable, ready])| Node {
            labels,
            addresses,
            pod_cidrs,
            unschedulable,
            ready,
        },
    )
}

fn pod() -> impl Strategy<Value = Pod> {
    let port = (protocol(), any::<u16>()).prop_map(|(protocol, port)| PodPort { protocol, port });
    let ports = collection::btree_map("[a-z]{1,4}", port, 0..2);
    ("\\PC{0,8}", labels(), option::of("[a-z]{1,3}"), addresses(), any::<bool>(), ports).prop_map(
        |(uid, labels, node, addresses, host_network, ports)| Pod {
            uid,
            labels,
            node,
            addresses,
            host_network,
            ports,
        },
    )
}

fn service() -> impl Strategy<Value = Service> {
    let port = ("[a-z]{0,4}", protocol(), any::<u16>()).prop_map(|(name, protocol, port)| ServicePort {
        name,
        protocol,
        port,
    });
    let policy =
        || any::<bool>().prop_map(|local| if local { TrafficPolicy::Local } else { TrafficPolicy::Cluster });
    let affinity = option::of(any::<u32>().prop_map(|seconds| Duration::from_secs(seconds.into())));
    let addresses = (addresses(), addresses(), addresses());
    (labels(), addresses, collection::vec(port, 0..3), policy(), policy(), affinity).prop_map(
        |(labels, (cluster_ips, external_ips, load_balancer_ips), ports, external, internal, affinity)| {
            Service {
                labels,
                cluster_ips,
                external_ips,
                load_balancer_ips,
                ports,
                external_traffic_policy: external,
                internal_traffic_policy: internal,
                affinity,
            }
        },
    )
}

fn slice() -> impl Strategy<Value = EndpointSlice> {
    let port = ("[a-z]{0,4}", protocol(), any::<u16>()).prop_map(|(name, protocol, port)| EndpointPort {
        name,
        protocol,
        port,
    });
    let endpoint = (addresses(), any::<[bool; 3]>(), option::of("[a-z]{1,3}"), option::of("[a-z]{1,3}"))
        .prop_map(|(addresses, [ready, serving, terminating], node, pod)| Endpoint {
            addresses,
            ready,
            serving,
            terminating,
            node,
            pod,
        });
    ("[a-z]{1,4}", collection::vec(port, 0..2), collection::vec(endpoint, 0..3))
        .prop_map(|(service, ports, endpoints)| EndpointSlice { service, ports, endpoints })
}

fn keyed<V: std::fmt::Debug>(value: impl Strategy<Value = V>) -> impl Strategy<Value = BTreeMap<Key, V>> {
    collection::btree_map(key(), value, 0..4)
}

prop_compose! {
    fn world()(
        nodes in collection::btree_map("[a-z]{1,3}", node(), 0..4),
        namespaces in collection::btree_map("[a-z]{1,3}", labels().prop_map(|labels| Namespace { labels }), 0..4),
        pods in keyed(pod()),
        services in keyed(service()),
        endpoint_slices in keyed(slice()),
    ) -> World {
        World { nodes, namespaces, pods, services, endpoint_slices, ..ours() }
    }
}

/// Kinds of ours, and policies: as the API server has them.
fn ours() -> World {
    let object = |spec| json!({"generation": 3, "uid": "u", "labels": {"a": "b"}, "spec": spec});
    let policy = json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": "http"}]}]});
    from_value(json!({
        "networkPolicies": [[{"namespace": "red", "name": "deny"}, object(policy)]],
        "vrfs": {"red": object(json!({"importRouteTargets": ["65000:1"], "podNetwork": {"ranges": [{"cidr": "10.0.0.0/8"}]}}))},
        "attachmentCircuits": {"vm": object(json!({"vrf": "red", "node": "n1", "interface": "tap0"}))},
        "locatorPools": {"main": object(json!({
            "spec": {"prefix": "fcbb:bb00::/32"},
            "allocations": [{"node": "n1", "locator": "fcbb:bb00:1::/48", "index": 0}]
        }))},
        "bgpClusters": {"c": object(json!({"instances": [{"name": "i", "localAsn": 65000}]}))},
        "bgpPeerConfigs": {"p": object(json!({"authSecretRef": {"name": "key"}}))},
        "bgpAdvertisements": {"a": object(json!({"advertisements": [{"type": "PodCIDR"}]}))},
        "bgpNodeOverrides": {"n1": object(json!({"routerId": "192.0.2.1"}))},
        "egressPolicies": {"e": object(json!({
            "vrf": "red", "destinationCIDRs": ["0.0.0.0/0"], "egressIPs": ["198.51.100.1"], "gateways": {"nodeSelector": {}}
        }))}
    }))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read(world in world()) {
        let folder = std::env::temp_dir().join(format!("sixedge-snapshot-{}", std::process::id()));
        let path = folder.join("kubernetes.json");
        snapshot::save(&path, &world).unwrap();
        let read = snapshot::load(&path);
        let mode = fs::metadata(&path).map(|metadata| metadata.permissions().mode() & 0o777);
        fs::remove_dir_all(&folder).unwrap();
        prop_assert_eq!(read.unwrap(), Some(world));
        prop_assert_eq!(mode.unwrap(), 0o600);
    }
}

#[test]
fn passwords_are_not_written() {
    let folder = std::env::temp_dir().join(format!("sixedge-passwords-{}", std::process::id()));
    let path = folder.join("kubernetes.json");
    let world = World { passwords: [("key".into(), Secret(b"hush".to_vec()))].into(), ..ours() };
    snapshot::save(&path, &world).unwrap();
    let read = snapshot::load(&path).unwrap().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(read, World { passwords: BTreeMap::new(), ..world });
}
