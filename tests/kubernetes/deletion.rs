//! Objects go in any order, and nothing of them stays.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    cluster::{Cluster, NODES},
    peers::{eventually, items},
    pods::{Pod, give_vips, set_endpoints},
};

/// Everything but pods: kind, name, and the namespace if it has one.
const OBJECTS: [[&str; 3]; 11] = [
    ["vrf", "red", ""],
    ["vrf", "blue", ""],
    ["bgpadvertisement", "red", ""],
    ["bgpadvertisement", "blue", ""],
    ["egresspolicy", "red-world", ""],
    ["service", "web", "red-shop"],
    ["endpointslice", "web-ipv4", "red-shop"],
    ["endpointslice", "web-ipv6", "red-shop"],
    ["networkpolicy", "deny", "red-shop"],
    ["networkpolicy", "allow-site", "red-shop"],
    ["namespace", "red-shop", ""],
];

const PODS: [[&str; 4]; 4] = [
    ["node1", "tenants", "red-shop", "client"],
    ["node1", "cluster", "red-shop", "chained"],
    ["node2", "tenants", "red-shop", "web2"],
    ["node2", "tenants", "blue-shop", "client"],
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Object(usize),
    /// The object of a pod.
    Pod(usize),
    /// The runtime's DEL of a pod.
    Runtime(usize),
}

fn steps() -> Vec<Step> {
    let pods = (0..PODS.len()).flat_map(|pod| [Step::Pod(pod), Step::Runtime(pod)]);
    (0..OBJECTS.len()).map(Step::Object).chain(pods).collect()
}

#[test]
fn whatever_goes_first_nothing_is_left() {
    let Some(cluster) = Cluster::up("deletion") else { return };
    let config = Config { cases: 3, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let orders = Just(steps()).prop_shuffle();
    let outcome = TestRunner::new(config).run(&orders, |order| {
        eprintln!("{order:?}");
        let pids = NODES.map(|node| cluster.node(node).main_pids());
        fill(&cluster);
        order.iter().for_each(|step| take(&cluster, *step));
        assert_empty(&cluster);
        prop_assert_eq!(pids, NODES.map(|node| cluster.node(node).main_pids()), "an agent has ended");
        Ok(())
    });
    outcome.unwrap();
}

fn fill(cluster: &Cluster) {
    cluster.manifest("tenants");
    for node in NODES {
        eventually("both VRFs are there", || items(&cluster.pe(node).show(&["vrf"])["vrfs"]).count() == 2);
    }
    let pods = PODS.map(|at| Pod::start(cluster, at, "web"));
    ["service", "egress", "policy"].iter().for_each(|name| cluster.manifest(name));
    give_vips(cluster);
    set_endpoints(cluster, "red-shop", "web", &[pods[2]]);
    cluster.pe("pe3").await_learnt("red", "10.100.0.1/32");
    for tenant in ["red", "blue"] {
        cluster.pe("pe3").await_learnt(tenant, "10.1.1.0/24");
    }
}

fn take(cluster: &Cluster, step: Step) {
    match step {
        Step::Object(number) => match OBJECTS[number] {
            [kind, name, ""] => cluster.delete(&[kind, name]),
            [kind, name, namespace] => cluster.delete(&[kind, name, "-n", namespace]),
        },
        Step::Pod(number) => {
            let [_, _, namespace, name] = PODS[number];
            cluster.delete(&["pod", name, "-n", namespace]);
        }
        Step::Runtime(number) => {
            let [node, network, namespace, name] = PODS[number];
            let pod = Pod { cluster, node, network, namespace, name };
            pod.runtime("del").unwrap();
        }
    }
}

#[track_caller]
fn assert_empty(cluster: &Cluster) {
    for node in NODES {
        let pe = cluster.pe(node);
        let none =
            |what: &str| items(&pe.show(&[what])[format!("{}s", what.trim_end_matches('s'))]).count() == 0;
        eventually(&format!("{node} has no VRF, no SID and no service"), || {
            ["vrf", "sids", "services"].into_iter().all(none)
        });
        let interfaces = pe.0.check(["ip", "-o", "link"]);
        assert!(!interfaces.contains("veth") && !interfaces.contains(": sx"), "{interfaces}");
        let left = pe.0.check(["find", "/var/lib/sixedge/attachments", "-name", "*@*"]);
        assert_eq!(left, "", "attachments are left at {node}");
        eventually(&format!("{node} is ready"), || pe.0.run(["sixedge", "ready"]).status.success());
    }
    for tenant in ["red", "blue"] {
        eventually(&format!("pe3 has nothing of {tenant}'s nodes"), || {
            let routes = cluster.pe("pe3").show(&["vrf", tenant, "routes"]);
            items(&routes["routes"]).all(|route| !route["source"].as_str().unwrap().ends_with("Bgp"))
        });
    }
}
