//! What tenants have: their own site and pods, a Service, egress addresses, policies, machines beside pods.

use std::{collections::BTreeSet, net::SocketAddr};

use serde_json::json;

use crate::{
    cluster::Cluster,
    hosts::{Connection, ask},
    peers::{eventually, items, reaches},
    pods::{Pod, give_vips, set_endpoints},
};

const SITE: [&str; 2] = ["10.0.3.2:8080", "[fd00:3::2]:8080"];
const WORLD: [&str; 2] = ["203.0.113.10:8080", "[2001:db8:113::10]:8080"];
const VIP: [&str; 2] = ["10.100.0.1:80", "[fd00:100::1]:80"];
const EGRESS: [&str; 2] = ["192.0.2.7", "2001:db8:2::7"];

fn sockets(texts: [&str; 2]) -> [SocketAddr; 2] {
    texts.map(|text| text.parse().unwrap())
}

#[test]
fn a_cluster_tells_the_nodes_who_reaches_whom() {
    let Some(cluster) = Cluster::up("tenants") else { return };
    wrong_objects_are_told_and_leave_others_alone(&cluster);
    let clients = ["red-shop", "blue-shop"]
        .map(|of| Pod::start(&cluster, ["node1", "tenants", of, "client"], "client"));
    let webs =
        ["red-shop", "blue-shop"].map(|of| Pod::start(&cluster, ["node2", "tenants", of, "web2"], "web"));
    let chained = Pod::start(&cluster, ["node1", "cluster", "red-shop", "chained"], "other");
    pods_of_one_address_reach_their_own_tenant(clients, webs);
    a_chained_pod_keeps_the_address_of_its_plugin(&chained);
    a_namespace_that_is_not_selected_does_not_enter(&cluster);
    machines_are_circuits_beside_pods(&cluster, &webs[0]);
    a_service_is_served_by_the_pods_of_both_nodes(&cluster, webs[0]);
    pods_leave_under_the_egress_address(&cluster, clients);
    a_policy_is_for_the_tenants_pods_alone(&cluster, clients, webs);
    an_interface_that_vanishes_leaves_the_node_in_step(&cluster);
}

fn wrong_objects_are_told_and_leave_others_alone(cluster: &Cluster) {
    let object = |kind: &str, spec| json!({ "apiVersion": "sixedge.io/v1alpha1", "kind": kind, "metadata": { "name": "wrong" }, "spec": spec });
    cluster.apply(&object(
        "AttachmentCircuit",
        json!({ "vrf": "nobody", "node": "node1", "interface": "eth9" }),
    ));
    cluster.apply(&object(
        "BgpAdvertisement",
        json!({ "vrf": "nobody", "advertisements": [{ "type": "PodCIDR" }] }),
    ));
    for kind in ["attachmentcircuit", "bgpadvertisement"] {
        cluster.await_condition(&format!("{kind}/wrong"), "Accepted", "False");
        let message = cluster.condition(&format!("{kind}/wrong"), "Accepted")["message"].clone();
        assert!(message.as_str().unwrap().contains("nobody"), "{message}");
    }
    for vrf in ["red", "blue"] {
        assert_eq!(cluster.condition(&format!("vrf/{vrf}"), "Accepted")["status"], "True");
    }
}

fn pods_of_one_address_reach_their_own_tenant(clients: [Pod<'_>; 2], webs: [Pod<'_>; 2]) {
    for (ipv4, site) in [true, false].into_iter().zip(sockets(SITE)) {
        let address = clients[0].address(ipv4);
        assert_eq!(address, clients[1].address(ipv4), "the tenants' blocks are the same");
        for (tenant, (client, web)) in ["red", "blue"].into_iter().zip(clients.iter().zip(&webs)) {
            assert_eq!(client.await_answer(site, &format!("{tenant}-site")).sees.ip(), address);
            assert_eq!(client.await_answer(web.socket(ipv4), &web.host()).sees.ip(), address);
            let site = client.cluster.node(&format!("{tenant}-site"));
            assert_eq!(Connection::open(&site, 0, web.socket(ipv4)).unwrap().answer.by, web.host());
            assert_eq!(ask(&site, 0, client.socket(ipv4)).unwrap().by, client.host());
        }
    }
    clients.iter().chain(&webs).for_each(|pod| drop(pod.runtime("check").unwrap()));
}

fn a_chained_pod_keeps_the_address_of_its_plugin(chained: &Pod<'_>) {
    assert!(chained.address(true).to_string().starts_with("10.244.1."));
    for (ipv4, site) in [true, false].into_iter().zip(sockets(SITE)) {
        assert_eq!(chained.await_answer(site, "red-site").sees.ip(), chained.address(ipv4));
    }
    chained.runtime("check").unwrap();
}

fn a_namespace_that_is_not_selected_does_not_enter(cluster: &Cluster) {
    let intruder = Pod::create(cluster, ["node1", "tenants", "guests", "intruder"], "web");
    let refusal = intruder.runtime("add").unwrap_err();
    assert!(refusal.contains("guests/intruder"), "{refusal}");
    intruder.delete();
    let visitor = Pod::start(cluster, ["node1", "cluster", "guests", "visitor"], "web");
    assert_eq!(visitor.ask(sockets(SITE)[0]), None);
    visitor.delete();
}

/// A VM's tap by the pattern of the Vrf, a port by an AttachmentCircuit.
fn machines_are_circuits_beside_pods(cluster: &Cluster, web: &Pod<'_>) {
    let machine = |node: &str, interface: &str, subnet: u8| {
        cluster.node(node).check(["sh", "-c", &format!(
            "ip netns add {interface} && ip link add {interface} up type veth peer name eth0 netns {interface} \
             && ip -n {interface} link set eth0 up && ip -n {interface} address add 10.0.{subnet}.2/24 dev eth0 \
             && ip -n {interface} route add default via 10.0.{subnet}.1"
        )]);
    };
    machine("node1", "tap-red0", 7);
    machine("node2", "port1", 8);
    cluster.apply(&json!({
        "apiVersion": "sixedge.io/v1alpha1", "kind": "AttachmentCircuit", "metadata": { "name": "port1" },
        "spec": { "vrf": "red", "node": "node2", "interface": "port1", "addresses": ["10.0.8.1/24"] },
    }));
    for (node, interface) in [("node1", "tap-red0"), ("node2", "port1")] {
        for to in ["10.0.3.2".to_owned(), web.address(true).to_string()] {
            let ping = ["ip", "netns", "exec", interface, "ping", "-n", "-c1", "-W1", &to];
            eventually(&format!("{to} answers {interface}"), || {
                cluster.node(node).run(ping).status.success()
            });
        }
    }
    reaches(&cluster.node("red-site"), "10.0.8.2");
    cluster.await_condition("attachmentcircuit/port1", "Ready", "True");
}

fn a_service_is_served_by_the_pods_of_both_nodes(cluster: &Cluster, there: Pod<'_>) {
    let here = Pod::start(cluster, ["node1", "tenants", "red-shop", "web1"], "web");
    cluster.manifest("service");
    give_vips(cluster);
    set_endpoints(cluster, "red-shop", "web", &[here, there]);
    await_backends(cluster, &[&here, &there]);
    for vip in sockets(VIP) {
        assert!(Connection::open(&cluster.node("blue-site"), 0, vip).is_err(), "blue has no such Service");
    }
}

/// Waits until the site is answered by all of these at both VIPs, and each sees its own address.
#[track_caller]
pub(crate) fn await_backends(cluster: &Cluster, pods: &[&Pod<'_>]) {
    let wanted: BTreeSet<_> = pods.iter().map(|pod| pod.host()).collect();
    let site = cluster.node("red-site");
    for (vip, client) in sockets(VIP).into_iter().zip(sockets(SITE)) {
        eventually(&format!("{wanted:?} answer at {vip}"), || {
            let answers: Option<Vec<_>> = (0..24)
                .map(|_| Connection::open(&site, 0, vip).ok().map(|connection| connection.answer))
                .collect();
            answers.is_some_and(|answers| {
                assert!(answers.iter().all(|answer| answer.sees.ip() == client.ip()), "{answers:?}");
                answers.into_iter().map(|answer| answer.by).collect::<BTreeSet<_>>() == wanted
            })
        });
    }
}

fn pods_leave_under_the_egress_address(cluster: &Cluster, [red, blue]: [Pod<'_>; 2]) {
    cluster.manifest("egress");
    for (world, egress) in sockets(WORLD).into_iter().zip(EGRESS) {
        eventually(&format!("the world sees {egress}"), || {
            red.ask(world)
                .is_some_and(|answer| answer.by == "red-site" && answer.sees.ip().to_string() == egress)
        });
        assert_eq!(blue.await_answer(world, "blue-site").sees.ip(), blue.address(world.is_ipv4()));
    }
    cluster.await_condition("egresspolicy/red-world", "Ready", "True");
}

fn a_policy_is_for_the_tenants_pods_alone(cluster: &Cluster, clients: [Pod<'_>; 2], webs: [Pod<'_>; 2]) {
    clients[0].await_answer(webs[0].socket(true), &webs[0].host());
    cluster.manifest("policy");
    for ipv4 in [true, false] {
        let to = webs[0].socket(ipv4);
        eventually(&format!("{to} is denied to pods"), || clients[0].ask(to).is_none());
        assert_eq!(Connection::open(&cluster.node("red-site"), 0, to).unwrap().answer.by, webs[0].host());
        assert!(ask(&cluster.node("red-site"), 0, to).is_err(), "UDP is not allowed");
        clients[1].await_answer(to, &webs[1].host());
    }
}

fn an_interface_that_vanishes_leaves_the_node_in_step(cluster: &Cluster) {
    cluster.node("node1").check(["ip", "link", "delete", "tap-red0"]);
    let up = |name: &str| {
        let vrfs = cluster.pe("node1").show(&["vrf"]);
        items(&vrfs["vrfs"]).any(|vrf| {
            items(&vrf["circuits"]).any(|circuit| circuit["interface"] == name && circuit["state"] == "up")
        })
    };
    eventually("tap-red0 is gone", || !up("tap-red0"));
    eventually("node1 is ready", || cluster.node("node1").run(["sixedge", "ready"]).status.success());
}
