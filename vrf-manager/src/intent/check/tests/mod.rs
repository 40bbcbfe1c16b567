mod translations;

use std::time::Duration;

use bgp_wire::Family;
use ipnet::IpNet;

use super::*;
use crate::{
    intent::{Secret, UnderlayRoute, Via},
    testing::{intent, locator, neighbor, segments, via, vrf},
};

/// One red VRF that is all right.
fn sound() -> Intent {
    let mut intent = intent(vec![
        vrf("red")
            .circuit("eth1", &["10.0.0.1/24", "2001:db8:a::1/64"])
            .route("10.9.0.0/16", via("10.0.0.2")),
    ]);
    intent.bgp.networks.push("192.0.2.0/24".parse::<IpNet>().unwrap().into());
    intent
}

/// The paths at which `break_it` makes a sound intent fail.
fn paths(break_it: impl FnOnce(&mut Intent)) -> Vec<String> {
    let mut intent = sound();
    break_it(&mut intent);
    let errors = check(&intent);
    assert!(errors.iter().all(|e| !e.problem.is_empty() && !e.remedy.is_empty()), "{errors:?}");
    errors.into_iter().map(|error| error.path).collect()
}

#[test]
fn a_sound_intent_has_no_faults() {
    assert_eq!(check(&sound()), []);
}

#[test]
fn overlapping_tenants_are_no_fault() {
    let twin = vrf("blue").circuit("eth2", &["10.0.0.1/24", "2001:db8:a::1/64"]);
    assert_eq!(paths(|intent| intent.vrfs.push(twin)), [""; 0]);
}

#[test]
fn an_error_names_place_problem_and_remedy() {
    let mut intent = sound();
    intent.vrfs[0].circuits[0].addresses[0] = "10.0.0.0/24".parse().unwrap();
    let text = check(&intent)[0].to_string();
    assert!(text.starts_with("vrfs[0].attachmentCircuits[0].addresses[0]: 10.0.0.0 is "), "{text}");
    assert!(text.ends_with("write a host's address, such as 10.0.0.1/24"), "{text}");
}

#[test]
fn a_customer_edge_needs_no_srv6() {
    let ce = |intent: &mut Intent| {
        intent.vrfs.clear();
        intent.srv6.locators.clear();
        intent.srv6.source = "::".parse().unwrap();
        intent.bgp.neighbors[0].families = [Family::Ipv4Unicast].into();
    };
    assert_eq!(paths(ce), [""; 0]);
}

type Break = fn(&mut Intent);

#[test]
fn faults_of_the_node_are_found_at_their_place() {
    let table: &[(&str, Break)] = &[
        ("router.asn", |i| i.router.asn = 0),
        ("router.asn", |i| {
            i.router.asn = 23456;
            i.bgp.neighbors.clear();
        }),
        ("router.routerId", |i| i.router.router_id = [0, 0, 0, 0].into()),
        ("srv6.source", |i| i.srv6.source = "ff02::1".parse().unwrap()),
        ("srv6.source", |i| i.srv6.source = "fe80::1".parse().unwrap()),
        ("srv6.source", |i| i.srv6.source = "fc00:0:1::1".parse().unwrap()),
        ("srv6.coreInterfaces[1]", |i| i.srv6.core_interfaces.push("core0".into())),
        ("srv6.locators[1].name", |i| {
            i.srv6.locators.push(locator("main", "fc00:0:2::", [32, 16, 16, 0]));
        }),
        ("srv6.locators[1].prefix", |i| {
            i.srv6.locators.push(locator("wide", "fc00::", [24, 8, 16, 0]));
        }),
        ("srv6.locators[0].functionLength", |i| {
            i.srv6.locators[0] = locator("main", "fc00:0:1::", [32, 16, 0, 16]);
        }),
        ("underlayRoutes[0].via", |i| i.underlay_routes.push(underlay("2001:db8::/32", "10.0.0.1"))),
        ("underlayRoutes[0].interface", |i| i.underlay_routes.push(underlay("2001:db8::/32", "fe80::1"))),
        ("underlayRoutes[1].prefix", |i| {
            i.underlay_routes =
                vec![underlay("10.0.0.0/8", "192.0.2.1"), underlay("10.0.0.0/8", "192.0.2.2")];
        }),
    ];
    assert_table(table);
}

#[test]
fn faults_of_bgp_are_found_at_their_place() {
    let table: &[(&str, Break)] = &[
        ("bgp.listenPort", |i| i.bgp.listen_port = 0),
        ("bgp.clusterId", |i| i.bgp.cluster_id = Some([0, 0, 0, 0].into())),
        ("bgp.gracefulRestart.restartTime", |i| i.bgp.restart_time = Some(Duration::from_secs(4096))),
        ("bgp.networks[1]", |i| i.bgp.networks.push("192.0.2.0/24".parse::<IpNet>().unwrap().into())),
        ("bgp.neighbors[1].address", |i| i.bgp.neighbors.push(neighbor("2001:db8::2"))),
        ("bgp.neighbors[0].address", |i| i.bgp.neighbors[0].address = "224.0.0.1".parse().unwrap()),
        ("bgp.neighbors[0].asn", |i| i.bgp.neighbors[0].asn = 0),
        ("bgp.neighbors[0].port", |i| i.bgp.neighbors[0].port = 0),
        ("bgp.neighbors[0].localAddress", |i| {
            i.bgp.neighbors[0].local_address = Some("10.0.0.1".parse().unwrap());
        }),
        ("bgp.neighbors[0].localAddress", |i| {
            i.bgp.neighbors[0].local_address = Some("fc00:0:1::1".parse().unwrap());
        }),
        ("bgp.listenAddresses[1]", |i| i.bgp.listen_addresses = vec!["::1".parse().unwrap(); 2]),
        ("bgp.listenAddresses[0]", |i| i.bgp.listen_addresses = vec!["ff02::1".parse().unwrap()]),
        ("bgp.neighbors[0].password", |i| i.bgp.neighbors[0].password = Some(Secret(vec![]))),
        ("bgp.neighbors[0].password", |i| i.bgp.neighbors[0].password = Some(Secret(vec![7; 81]))),
        ("bgp.neighbors[0].multihop", |i| i.bgp.neighbors[0].multihop = Some(2)),
        ("bgp.neighbors[0].multihop", |i| {
            (i.bgp.neighbors[0].asn, i.bgp.neighbors[0].multihop) = (65001, Some(1));
        }),
        ("bgp.neighbors[0].holdTime", |i| {
            i.bgp.neighbors[0].hold_time = Duration::from_secs(2);
            i.bgp.neighbors[0].keepalive = Duration::from_secs(1);
        }),
        ("bgp.neighbors[0].keepalive", |i| i.bgp.neighbors[0].keepalive = Duration::from_secs(90)),
        ("bgp.neighbors[0].connectRetry", |i| i.bgp.neighbors[0].connect_retry = Duration::ZERO),
        ("bgp.neighbors[0].families", |i| i.bgp.neighbors[0].families.clear()),
        ("bgp.neighbors[0].families", |i| {
            i.bgp.neighbors[0].asn = 65001;
            i.srv6.source = "::".parse().unwrap();
            i.vrfs.clear();
            i.srv6.locators.clear();
        }),
        ("bgp.neighbors[0].routeReflectorClient", |i| {
            i.bgp.neighbors[0].asn = 65001;
            i.bgp.neighbors[0].route_reflector_client = true;
        }),
    ];
    assert_table(table);
}

#[test]
fn faults_of_vrfs_are_found_at_their_place() {
    let table: &[(&str, Break)] = &[
        ("vrfs[1].name", |i| i.vrfs.push(vrf("red"))),
        ("vrfs[1].rd", |i| {
            i.vrfs.push(vrf("blue"));
            i.vrfs.iter_mut().for_each(|vrf| vrf.rd = Some("65000:7".parse().unwrap()));
        }),
        ("vrfs[0].locator", |i| i.vrfs[0].locator = Some("second".into())),
        ("vrfs[0].locator", |i| i.srv6.locators.clear()),
        ("vrfs[1].attachmentCircuits[0].interface", |i| i.vrfs.push(vrf("blue").circuit("eth1", &[]))),
        ("vrfs[1].attachmentCircuits[0].interface", |i| i.vrfs.push(vrf("blue").circuit("core0", &[]))),
        ("vrfs[1].attachmentCircuits[1].addresses[0]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["10.0.0.1/16"]).circuit("eth3", &["10.0.9.1/24"]));
        }),
        ("vrfs[1].attachmentCircuits[0].addresses[1]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["10.0.0.1/24", "10.0.0.1/24"]));
        }),
        ("vrfs[1].attachmentCircuits[0].addresses[0]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["10.0.0.255/24"]));
        }),
        ("vrfs[1].attachmentCircuits[0].addresses[0]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["2001:db8:b::/64"]));
        }),
        ("vrfs[1].attachmentCircuits[0].addresses[0]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["224.0.0.1/24"]));
        }),
        ("vrfs[1].attachmentCircuits[0].addresses[0]", |i| {
            i.vrfs.push(vrf("b").circuit("eth2", &["fc00:0:9::1/64"]));
        }),
        ("vrfs[0].staticRoutes[0].via", |i| i.vrfs[0].static_routes[0].via = via("10.1.0.2")),
        ("vrfs[0].staticRoutes[0].via", |i| i.vrfs[0].static_routes[0].via = via("10.0.0.1")),
        ("vrfs[0].staticRoutes[0].segments", |i| i.vrfs[0].static_routes[0].via = segments(&[])),
        ("vrfs[0].staticRoutes[0].segments", |i| {
            i.vrfs[0].static_routes[0].via = segments(&["fc00:0:2::"; 5]);
        }),
        ("vrfs[0].staticRoutes[0].segments[1]", |i| {
            i.vrfs[0].static_routes[0].via = segments(&["fc00:0:2::", "::"]);
        }),
        ("vrfs[0].staticRoutes[1].prefix", |i| {
            let red = i.vrfs[0].clone();
            i.vrfs[0] = red.route("10.9.0.0/16", Via::Blackhole);
        }),
        ("vrfs[0].staticRoutes[0].prefix", |i| {
            i.vrfs[0].static_routes[0].prefix = "10.0.0.0/24".parse().unwrap();
        }),
    ];
    assert_table(table);
}

#[test]
fn hosts_of_a_point_to_point_subnet_and_second_addresses_are_no_fault() {
    let fine: &[&[&str]] = &[
        &["10.7.0.0/31"],
        &["10.7.0.1/31"],
        &["2001:db8:b::/127"],
        &["10.7.0.1/32"],
        &["10.7.0.1/24", "10.7.0.2/24"],
    ];
    for addresses in fine {
        assert_eq!(paths(|i| i.vrfs.push(vrf("b").circuit("eth2", addresses))), [""; 0], "{addresses:?}");
    }
}

fn assert_table(table: &[(&str, Break)]) {
    for (row, (path, break_it)) in table.iter().enumerate() {
        assert_eq!(paths(break_it), [*path], "row {row}");
    }
}

fn underlay(prefix: &str, via: &str) -> UnderlayRoute {
    UnderlayRoute { prefix: prefix.parse().unwrap(), via: via.parse().unwrap(), interface: None }
}
