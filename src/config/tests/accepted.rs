//! What a right file means.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use bgp_wire::{Family, attribute::RouteTarget};
use ipnet::IpNet;
use srv6_dp::model::{Action, Direction, Transport};
use vrf_manager::intent::{
    Backend, BackendState, Circuit, Encapsulation, FilterRule, OwnedAddress, RemoteBackends, RouteAttributes,
    ServicePort, SidMode, Source, StaticRoute, TrafficPolicy, UnderlayRoute, Via,
};

use super::{HEAD, accepted, documented::example};

#[test]
fn what_is_left_out_has_its_default() {
    let intent = accepted(&format!(
        "{HEAD}bgp:\n  neighbors:\n  - {{ address: 192.0.2.2, asn: 65000, families: [vpnv4] }}\nvrfs:\n- name: red\n"
    ));
    assert_eq!((intent.bgp.listen_port, intent.bgp.restart_time), (179, Some(Duration::from_secs(120))));
    assert!(intent.underlay_routes.is_empty() && !intent.bgp.install_unicast);
    let neighbor = &intent.bgp.neighbors[0];
    assert_eq!((neighbor.port, neighbor.passive, neighbor.local_address), (179, false, None));
    let timers = [neighbor.hold_time, neighbor.keepalive, neighbor.connect_retry];
    assert_eq!(timers.map(|time| time.as_secs()), [90, 30, 5]);
    let vrf = &intent.vrfs[0];
    assert_eq!((vrf.rd, vrf.sid_mode, vrf.encapsulation), (None, SidMode::PerVrf, Encapsulation::Reduced));
    let plainly = |source| (source, RouteAttributes::default());
    assert_eq!(vrf.redistribute, [Source::Connected, Source::Static].map(plainly).into());
}

/// A reflector's kernel need not know the way to the PEs whose routes it passes on.
#[test]
fn next_hops_are_tracked_where_the_node_forwards_by_its_routes_unless_said_otherwise() {
    let tracks = |rest: &str| accepted(&format!("{HEAD}{rest}")).tracks_next_hops();
    assert!(!tracks("bgp: {}\n"));
    assert!(tracks("vrfs: [{ name: red }]\n"));
    assert!(tracks("bgp: { installUnicast: true }\n"));
    assert!(tracks("bgp: { nextHopTracking: true }\n"));
    assert!(!tracks("bgp: { nextHopTracking: false }\nvrfs: [{ name: red }]\n"));
}

#[test]
fn the_documented_file_means_what_it_says() {
    let intent = accepted(example());
    assert_eq!((intent.router.asn, intent.router.router_id.to_string().as_str()), (65000, "192.0.2.1"));
    let locators: Vec<_> =
        intent.srv6.locators.iter().map(|it| (it.name.as_str(), it.locator.to_string())).collect();
    assert_eq!(
        locators,
        [
            ("main", "fc00:0:1::/48".into()),
            ("classic", "5f00:0:1:1::/64".into()),
            ("own", "fc01::100:0:0:0/72".into())
        ]
    );
    let lengths = intent.srv6.locators.iter().map(|it| *it.locator.structure());
    let lengths: Vec<_> = lengths.map(|it| [it.block(), it.node(), it.function(), it.argument()]).collect();
    assert_eq!(lengths, [[32, 16, 16, 0], [40, 24, 16, 0], [48, 24, 12, 4]]);
    assert_eq!(intent.srv6.core_interfaces, ["eth0"]);
    let [reflector, customer] = intent.bgp.neighbors.as_slice() else { panic!("two neighbors") };
    assert_eq!(reflector.families, BTreeSet::from([Family::Vpnv4, Family::Vpnv6]));
    assert_eq!(reflector.keepalive, Duration::from_secs(20));
    assert_eq!((customer.asn, customer.description.as_str()), (4_200_000_001, "customer: no. 7"));
    assert_eq!(intent.bgp.restart_time, Some(Duration::from_secs(120)));
    assert_eq!((intent.bgp.install_unicast, intent.bgp.next_hop_tracking), (true, Some(true)));
    let [route] = intent.underlay_routes.as_slice() else { panic!("one route") };
    let expected = UnderlayRoute {
        prefix: "fc00:0:2::/48".parse().unwrap(),
        via: "fe80::1".parse().unwrap(),
        interface: Some("eth0".into()),
    };
    assert_eq!(*route, expected);
}

#[test]
fn the_documented_vrfs_mean_what_they_say() {
    let intent = accepted(example());
    let [red, blue] = intent.vrfs.as_slice() else { panic!("two VRFs") };
    assert_eq!(red.rd.map(|rd| rd.to_string()).as_deref(), Some("65000:101"));
    let targets = BTreeSet::from([
        RouteTarget([0, 2, 0xfd, 0xe8, 0, 0, 0, 1]),
        RouteTarget([1, 2, 192, 0, 2, 1, 0, 7]),
    ]);
    assert_eq!(red.import_route_targets, targets);
    assert_eq!((red.locator.as_deref(), red.sid_mode), (Some("main"), SidMode::PerVrf));
    let addresses = ["10.0.1.1/24", "2001:db8:a::1/64"].map(|text| text.parse().unwrap()).to_vec();
    let no_telnet = FilterRule {
        name: "no-telnet".into(),
        direction: Direction::In,
        prefix: Some("10.0.2.0/24".parse().unwrap()),
        protocol: Some(6),
        ports: Some((23, 23)),
        action: Action::Drop,
    };
    assert_eq!(
        red.circuits[0],
        Circuit {
            interface: "eth1".into(),
            addresses,
            hosts: vec![],
            proxy: false,
            probes: false,
            filter: vec![no_telnet],
        }
    );
    let to = |prefix: &str, via| StaticRoute { prefix: prefix.parse().unwrap(), via };
    let segments = ["fc00:0:2:1::", "fc00:0:3:e001::"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(
        red.static_routes,
        [
            to("10.1.0.0/16", Via::Address("10.0.1.2".parse().unwrap())),
            to("10.2.0.0/16", Via::Segments(segments)),
            to("10.3.0.0/16", Via::Blackhole),
        ]
    );
    assert_eq!((blue.rd, blue.sid_mode, blue.encapsulation), (None, SidMode::PerFamily, Encapsulation::Full));
    assert_eq!(blue.redistribute, [(Source::Connected, RouteAttributes::default())].into());
}

#[test]
fn the_documented_services_mean_what_they_say() {
    let intent = accepted(example());
    let [web, printers] = intent.vrfs[0].services.as_slice() else { panic!("two services") };
    assert_eq!(web.addresses, ["10.100.0.1", "2001:db8:100::1"].map(|text| text.parse::<IpAddr>().unwrap()));
    let port = |transport, port, target_port| ServicePort { transport, port, target_port };
    assert_eq!(web.ports, [port(Transport::Tcp, 80, 8080), port(Transport::Udp, 443, 443)]);
    let backend = |address: &str, weight, state| Backend { address: address.parse().unwrap(), weight, state };
    assert_eq!(
        web.backends,
        [
            backend("10.0.1.2", 2, BackendState::Ready),
            backend("10.0.9.2", 1, BackendState::Ready),
            backend("2001:db8:a::2", 1, BackendState::Draining),
        ]
    );
    assert_eq!((web.traffic_policy, &web.remote), (TrafficPolicy::Cluster, &RemoteBackends::Direct));
    assert_eq!((web.affinity, web.graceful_shutdown), (Some(Duration::from_secs(10_800)), false));
    assert_eq!(printers.ports, [port(Transport::Tcp, 631, 631)]);
    assert_eq!(printers.remote, RemoteBackends::Translated(vec!["192.0.2.10".parse().unwrap()]));
    assert_eq!(printers.affinity, None);
}

#[test]
fn the_documented_egress_and_filter_mean_what_they_say() {
    let intent = accepted(example());
    let red = &intent.vrfs[0];
    let [internet] = red.egress.as_slice() else { panic!("one policy") };
    let nets = |list: &[IpNet]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(nets(&internet.sources), ["10.0.1.0/24", "2001:db8:a::/64"]);
    assert_eq!((nets(&internet.destinations), nets(&internet.except)), everywhere_but("10.0.0.0/8"));
    assert_eq!(internet.circuits, ["eth2.100"]);
    assert_eq!(internet.addresses.len(), 3);
    let gateway = internet.gateway.as_ref().expect("a gateway");
    assert_eq!(gateway.addresses, [internet.addresses[0], internet.addresses[2]]);
    assert_eq!((gateway.attributes.local_preference, gateway.graceful_shutdown), (Some(200), false));
    assert_eq!((gateway.ports, gateway.port_block), ((1024, 65535), 128));
    let rules: Vec<_> =
        red.filter.iter().map(|rule| (rule.name.as_str(), rule.protocol, rule.ports)).collect();
    let expected =
        [("web-only", Some(6), Some((80, 443))), ("ping", Some(1), None), ("nothing-else", None, None)];
    assert_eq!(rules, expected);
    assert_eq!((red.max_flows, intent.vrfs[1].max_flows), (65_536, 65_536));
}

fn everywhere_but(net: &str) -> (Vec<String>, Vec<String>) {
    (vec!["0.0.0.0/0".into(), "::/0".into()], vec![net.into()])
}

#[test]
fn a_gateway_has_all_addresses_and_a_policy_goes_everywhere_unless_said_otherwise() {
    let intent = accepted(&format!(
        "{HEAD}vrfs:\n- name: red\n  egress: [{{ name: a, sources: [10.0.0.0/8], addresses: [192.0.2.1], gateway: {{}} }}]\n"
    ));
    let [policy] = intent.vrfs[0].egress.as_slice() else { panic!("one policy") };
    assert_eq!(policy.destinations, ["0.0.0.0/0".parse::<IpNet>().unwrap()], "there is no IPv6 address");
    let gateway = policy.gateway.as_ref().expect("a gateway");
    assert_eq!((&gateway.addresses, gateway.attributes.local_preference), (&policy.addresses, None));
    assert_eq!(gateway.owned(), OwnedAddress::default());
}

#[test]
fn quotes_say_nothing_and_yaml_1_1_is_gone() {
    let intent = accepted(
        "router: { asn: \"65000\", routerId: '192.0.2.1' }\n\
         srv6: { source: 2001:db8::1, locators: [{ name: a, prefix: fc00:0:1::/48 }] }\n\
         bgp:\n  neighbors:\n  - address: fc00::10:20:30\n    asn: 0xfde8\n    holdTime: '2m'\n    families: [vpnv4]\n    \
         description: 190:20:30\n\
         vrfs:\n- name: no\n  rd: 60:30\n- { name: 007, importRouteTargets: [1:59] }\n",
    );
    let neighbor = &intent.bgp.neighbors[0];
    assert_eq!(neighbor.address, "fc00::10:20:30".parse::<IpAddr>().unwrap());
    assert_eq!(
        (neighbor.asn, neighbor.hold_time, neighbor.keepalive),
        (65000, Duration::from_secs(120), Duration::from_secs(40))
    );
    assert_eq!(neighbor.description, "190:20:30");
    assert_eq!(intent.vrfs[0].rd.unwrap().to_string(), "60:30");
    assert_eq!([intent.vrfs[0].name.as_str(), intent.vrfs[1].name.as_str()], ["no", "007"]);
}

#[test]
fn graceful_restart_can_be_off() {
    assert_eq!(
        accepted(&format!("{HEAD}bgp: {{ gracefulRestart: {{ enabled: false }} }}\n")).bgp.restart_time,
        None
    );
}

#[test]
fn a_node_leaves_only_if_it_is_told_to() {
    let leaves = |rest: &str| accepted(&format!("{HEAD}{rest}")).bgp.graceful_shutdown;
    assert!(!leaves("") && !leaves("bgp: { gracefulShutdown: false }\n"));
    assert!(leaves("bgp: { gracefulShutdown: true }\n"));
}

#[test]
fn a_hold_time_of_0_turns_keepalives_off() {
    let intent = accepted(&format!(
        "{HEAD}bgp: {{ neighbors: [{{ address: 192.0.2.2, asn: 1, holdTime: 0, families: [vpnv4] }}] }}\n"
    ));
    assert_eq!(intent.bgp.neighbors[0].hold_time, Duration::ZERO);
}
