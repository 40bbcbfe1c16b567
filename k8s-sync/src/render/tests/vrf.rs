use vrf_manager::intent::{Circuit, SidMode, StaticRoute, Via, Vrf};

use super::*;
use crate::{
    api::{self, AttachmentCircuitSpec, SidAllocation, VrfInterface},
    render::testing::{addresses, key, object, selector},
};

/// The VRF by name.
fn vrf<'a>(intent: &'a Intent, name: &str) -> &'a Vrf {
    intent.vrfs.iter().find(|vrf| vrf.name == name).unwrap()
}

fn interfaces(vrf: &Vrf) -> Vec<&str> {
    vrf.circuits.iter().map(|circuit| circuit.interface.as_str()).collect()
}

fn interface(name: &str, of: &[&str]) -> VrfInterface {
    VrfInterface {
        name: name.into(),
        node_selector: None,
        addresses: of.iter().map(ToString::to_string).collect(),
    }
}

fn attachment_circuit(vrf: &str, node: &str, interface: &str) -> AttachmentCircuitSpec {
    AttachmentCircuitSpec {
        vrf: vrf.into(),
        node: node.into(),
        interface: interface.into(),
        addresses: vec!["10.9.0.1/24".into()],
        hosts: vec!["10.9.0.7".into()],
        proxy: true,
    }
}

fn blackhole(prefix: &str) -> api::StaticRoute {
    api::StaticRoute { prefix: prefix.into(), via: None, segments: vec![], blackhole: true }
}

fn via(prefix: &str, via: &str) -> api::StaticRoute {
    api::StaticRoute { via: Some(via.into()), blackhole: false, ..blackhole(prefix) }
}

#[test]
fn a_vrf_is_what_its_object_says() {
    let cluster = Cluster::new().vrf("red", |vrf| {
        vrf.rd = Some("65000:7".into());
        vrf.import_route_targets = vec!["65000:1".into(), "10.0.0.1:2".into()];
        vrf.sid_allocation = SidAllocation::PerFamily;
        vrf.interfaces = vec![interface("tap*", &[]), interface("eth1", &["10.0.0.1/24"])];
        vrf.static_routes = vec![via("10.1.0.0/16", "10.0.0.2"), blackhole("10.2.0.0/16")];
        vrf.max_flows = Some(2048);
    });
    let intent = clean(&cluster);
    let red = vrf(&intent, "red");
    assert_eq!(red.rd, Some("65000:7".parse().unwrap()));
    assert_eq!(red.import_route_targets.len(), 2);
    assert_eq!((red.sid_mode, red.max_flows), (SidMode::PerFamily, 2048));
    assert_eq!(interfaces(red), ["tap*", "eth1"]);
    let route = |prefix: &str, via| StaticRoute { prefix: prefix.parse().unwrap(), via };
    let routes = [
        route("10.1.0.0/16", Via::Address("10.0.0.2".parse().unwrap())),
        route("10.2.0.0/16", Via::Blackhole),
    ];
    assert_eq!(red.static_routes, routes);
    assert_eq!(red.redistribute, [].into(), "nothing is advertised that no BgpAdvertisement says");
}

#[test]
fn a_node_has_the_vrfs_that_select_it() {
    let cluster = Cluster::new()
        .vrf("here", |vrf| vrf.node_selector = Some(selector(&[("name", "n1")])))
        .vrf("there", |vrf| vrf.node_selector = Some(selector(&[("name", "n2")])));
    let names: Vec<_> = clean(&cluster).vrfs.into_iter().map(|vrf| vrf.name).collect();
    assert_eq!(names, ["here"]);
}

#[test]
fn what_means_nothing_in_a_vrf_takes_nothing_else_of_it_down() {
    let cluster = Cluster::new().vrf("red", |vrf| {
        vrf.rd = Some("nonsense".into());
        vrf.export_route_targets.push("65000".into());
        vrf.interfaces = vec![interface("eth1", &["10.0.0.1/24", "10.0.0.1"]), interface("a/b", &[])];
        vrf.static_routes = vec![blackhole("10.1.0.1/16"), blackhole("10.2.0.0/16")];
        vrf.static_routes.push(api::StaticRoute { via: Some("10.0.0.2".into()), ..blackhole("10.3.0.0/16") });
        vrf.max_flows = Some(1);
    });
    let (intent, problems) = rendered(&cluster);
    let red = vrf(&intent, "red");
    assert_eq!((red.rd, red.export_route_targets.len(), red.max_flows), (None, 1, 65_536));
    assert_eq!(interfaces(red), ["eth1"]);
    assert_eq!(red.static_routes.len(), 1);
    assert_eq!(problems, vec![("Vrf red".to_owned(), Reason::Invalid); 7]);
}

#[test]
fn of_two_vrfs_with_one_distinguisher_or_interface_the_first_by_name_keeps_it() {
    let same = |vrf: &mut api::VrfSpec| {
        vrf.rd = Some("65000:7".into());
        vrf.interfaces = vec![interface("eth1", &["10.0.0.1/24"]), interface("eth0", &[])];
    };
    let (intent, problems) = rendered(&Cluster::new().vrf("blue", same).vrf("red", same));
    assert!(vrf(&intent, "blue").rd.is_some());
    assert_eq!(vrf(&intent, "red").rd, None);
    assert_eq!(interfaces(vrf(&intent, "blue")), ["eth1"]);
    assert_eq!(interfaces(vrf(&intent, "red")), [""; 0]);
    let told = |vrf: &str| (format!("Vrf {vrf}"), Reason::Conflict);
    assert_eq!(problems, [told("blue"), told("red"), told("red"), told("red")], "eth0 is the core's");
}

#[test]
fn a_route_via_a_neighbor_is_for_the_nodes_that_it_is_behind() {
    let cluster = Cluster::new().vrf("red", |vrf| {
        vrf.interfaces = vec![VrfInterface {
            node_selector: Some(selector(&[("name", "n2")])),
            ..interface("eth1", &["10.0.0.1/24"])
        }];
        vrf.static_routes = vec![via("10.1.0.0/16", "10.0.0.2")];
    });
    assert_eq!(vrf(&clean(&cluster), "red").static_routes, []);
    let there = render(&cluster.inputs("n2")).intent.unwrap();
    assert_eq!(vrf(&there, "red").static_routes.len(), 1);
}

#[test]
fn a_pod_is_a_circuit_with_its_own_addresses_behind_the_gateway_of_all() {
    let cluster = Cluster::new()
        .tenant("red")
        .pod("red/a", "n1", &["10.0.1.2", "fd00::2"], &[])
        .pod("red/b", "n1", &["10.0.1.3"], &[])
        .pod("red/c", "n2", &["10.0.2.2"], &[])
        .namespace("none", &[])
        .pod("none/d", "n1", &["10.244.1.9"], &[]);
    let intent = clean(&cluster);
    let red = vrf(&intent, "red");
    assert_eq!(interfaces(red), ["veth-a", "veth-b"]);
    let Circuit { addresses: gateways, hosts, proxy, probes, .. } = &red.circuits[0];
    assert_eq!(*gateways, ["169.254.1.1/32".parse().unwrap(), "2001:db8:ffff::1/128".parse().unwrap()]);
    assert_eq!(*hosts, addresses(&["10.0.1.2", "fd00::2"]));
    assert_eq!((*proxy, *probes), (false, true));
}

#[test]
fn a_pod_whose_vrf_is_no_more_that_of_its_interface_is_in_none() {
    let cluster = || Cluster::new().tenant("red").tenant("blue").pod("red/a", "n1", &["10.0.1.2"], &[]);
    let moves: [(Edit, Reason); 5] = [
        (
            |w| drop(w.namespaces.get_mut("red").unwrap().labels.insert("tenant".into(), "blue".into())),
            Reason::Conflict,
        ),
        (|w| w.namespaces.get_mut("red").unwrap().labels.clear(), Reason::Conflict),
        (|w| w.vrfs.get_mut("blue").unwrap().spec.namespace_selector = Some(selector(&[])), Reason::Conflict),
        (|w| drop(w.pods.remove(&key("red/a"))), Reason::NotFound),
        (|w| w.pods.get_mut(&key("red/a")).unwrap().uid = "another's".into(), Reason::NotFound),
    ];
    for (i, (edit, reason)) in moves.into_iter().enumerate() {
        let (intent, problems) = rendered(&cluster().with(edit));
        assert!(intent.vrfs.iter().all(|vrf| vrf.circuits.is_empty()), "case {i}");
        assert_eq!(problems, [("Pod red/a".into(), reason)], "case {i}");
    }
}

#[test]
fn an_attachment_circuit_is_of_its_node_and_vrf() {
    let cluster = Cluster::new().vrf("red", |_| ()).with(|world| {
        for (name, vrf, node, interface) in [
            ("vm", "red", "n1", "tap1"),
            ("elsewhere", "red", "n2", "tap2"),
            ("lost", "green", "n1", "tap3"),
            ("same", "red", "n1", "tap4"),
        ] {
            world.attachment_circuits.insert(name.into(), object(attachment_circuit(vrf, node, interface)));
        }
    });
    let (intent, problems) = rendered(&cluster);
    let red = vrf(&intent, "red");
    assert_eq!(interfaces(red), ["tap4"], "in the order of the objects' names");
    assert_eq!((red.circuits[0].proxy, red.circuits[0].probes), (true, false));
    assert_eq!(red.circuits[0].hosts, addresses(&["10.9.0.7"]));
    let told = |name: &str, reason| (format!("AttachmentCircuit {name}"), reason);
    let same = told("vm", Reason::Invalid);
    assert_eq!(problems, [told("lost", Reason::NotFound), same.clone(), same], "one subnet, and one host");
}

#[test]
fn on_a_customer_edge_there_are_no_vrfs() {
    let cluster = Cluster::new().tenant("red").with(|world| {
        let core = &mut world.bgp_clusters.get_mut("core").unwrap().spec;
        core.srv6 = None;
    });
    let intent = clean(&cluster);
    assert_eq!((intent.vrfs, intent.srv6.locators), (vec![], vec![]));
}
