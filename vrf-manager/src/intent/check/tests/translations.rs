//! Services, egress addresses and filters.

use srv6_dp::model::{Action, Direction, Transport};

use super::*;
use crate::{
    intent::{
        Backend, EgressGateway, FilterRule, RemoteBackends, RouteAttributes, Service, ServicePort,
        TrafficPolicy, Vrf,
    },
    testing::{addresses, drops, gateway, policy, service},
};

/// As `sound`, with a service, a gateway and rules in red.
fn with_everything(intent: &mut Intent) {
    let red = &mut intent.vrfs[0];
    red.services = vec![service("web", &["10.100.0.1", "2001:db8:100::1"], &["10.0.0.2", "10.7.0.2"])];
    red.egress = vec![gateway("internet", &["192.0.2.7"])];
    red.filter = vec![drops("all")];
    red.circuits[0].filter = vec![FilterRule { protocol: Some(6), ports: Some((23, 23)), ..drops("telnet") }];
}

/// A path, and what makes it a fault.
type Row<T> = (&'static str, fn(&mut T));

fn assert_faults(table: &[Row<Vrf>]) {
    for (row, (path, break_it)) in table.iter().enumerate() {
        let paths = paths(|intent| {
            with_everything(intent);
            break_it(&mut intent.vrfs[0]);
        });
        assert_eq!(paths, [*path], "row {row}");
    }
}

fn web(vrf: &mut Vrf) -> &mut Service {
    &mut vrf.services[0]
}

fn own(vrf: &mut Vrf) -> &mut EgressGateway {
    vrf.egress[0].gateway.as_mut().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_vrf_with_everything_has_no_faults() {
    assert_eq!(paths(with_everything), [""; 0]);
}

#[test]
fn overlapping_tenants_may_have_equal_vips_egress_addresses_and_names() {
    let twins = |intent: &mut Intent| {
        with_everything(intent);
        let mut blue = intent.vrfs[0].clone();
        blue.name = "blue".into();
        blue.circuits[0].interface = "eth2".into();
        intent.vrfs.push(blue);
    };
    assert_eq!(paths(twins), [""; 0]);
}

#[test]
fn faults_of_vips_and_ports_are_found_at_their_place() {
    let second = |change: fn(&mut Service)| {
        let mut second = service("second", &["10.100.0.1"], &[]);
        second.ports[0].port = 81;
        change(&mut second);
        second
    };
    assert_eq!(paths(|i| with_services(i, second(|_| {}))), [""; 0], "a VIP may have several services");
    let shared: &[Row<Service>] = &[
        ("vrfs[0].services[1].name", |s| s.name = "web".into()),
        ("vrfs[0].services[1].ports[0].port", |s| s.ports[0].port = 80),
        ("vrfs[0].services[1].addresses[0]", |s| s.traffic_policy = TrafficPolicy::Local),
        ("vrfs[0].services[1].addresses[0]", |s| s.graceful_shutdown = true),
        ("vrfs[0].services[1].addresses[0]", |s| s.advertise = Some(colored(7))),
    ];
    for (path, change) in shared {
        assert_eq!(paths(|i| with_services(i, second(*change))), [*path]);
    }
    assert_eq!(paths(|i| with_services(i, second(|s| s.advertise = None))), [""; 0], "left to the other");
    assert_faults(&[
        ("vrfs[0].services[0].addresses[0]", |v| web(v).addresses[0] = address("10.0.0.1")),
        ("vrfs[0].services[0].addresses[0]", |v| web(v).addresses[0] = address("192.0.2.7")),
        ("vrfs[0].services[0].addresses[0]", |v| web(v).addresses[0] = address("239.1.1.1")),
        ("vrfs[0].services[0].addresses[0]", |v| web(v).addresses[0] = address("169.254.1.1")),
        ("vrfs[0].services[0].addresses[1]", |v| web(v).addresses[1] = address("fe80::1")),
        ("vrfs[0].services[0].addresses[1]", |v| web(v).addresses[1] = address("::1")),
        ("vrfs[0].services[0].addresses[1]", |v| web(v).addresses[1] = address("fc00:0:2::1")),
        ("vrfs[0].services[0].addresses", |v| web(v).addresses.clear()),
        ("vrfs[0].services[0].ports", |v| web(v).ports.clear()),
        ("vrfs[0].services[0].ports[0].port", |v| web(v).ports[0].port = 0),
        ("vrfs[0].services[0].ports[0].targetPort", |v| web(v).ports[0].target_port = 0),
        ("vrfs[0].services[0].ports[0].targetPort", |v| web(v).ports[0].transport = Transport::Sctp),
        ("vrfs[0].services[0].ports[1].port", |v| {
            let port = web(v).ports[0];
            web(v).ports.push(ServicePort { target_port: 9000, ..port });
        }),
        ("vrfs[0].services[0].sessionAffinity", |v| web(v).affinity = Some(Duration::from_millis(900))),
        ("vrfs[0].services[0].sessionAffinity", |v| web(v).affinity = Some(Duration::from_secs(86_401))),
    ]);
}

fn colored(color: u32) -> RouteAttributes {
    RouteAttributes { color: Some(color), ..RouteAttributes::default() }
}

fn with_services(intent: &mut Intent, second: Service) {
    with_everything(intent);
    intent.vrfs[0].services.push(second);
}

#[test]
fn faults_of_backends_are_found_at_their_place() {
    assert_faults(&[
        ("vrfs[0].services[0].backends[1].address", |v| {
            let first = web(v).backends[0];
            web(v).backends[1] = Backend { weight: 7, ..first };
        }),
        ("vrfs[0].services[0].backends[0].address", |v| web(v).backends[0].address = address("10.0.0.1")),
        ("vrfs[0].services[0].backends[0].address", |v| web(v).backends[0].address = address("10.100.0.1")),
        ("vrfs[0].services[0].backends[0].address", |v| web(v).backends[0].address = address("192.0.2.7")),
        ("vrfs[0].services[0].backends[0].address", |v| web(v).backends[0].address = address("224.0.0.1")),
        ("vrfs[0].services[0].backends[0].weight", |v| web(v).backends[0].weight = 0),
        ("vrfs[0].services[0].backends[1].weight", |v| web(v).backends[1].weight = 257),
        ("vrfs[0].services[0].remoteBackends.translateTo[1]", |v| translate(v, &["192.0.2.9", "192.0.2.10"])),
        ("vrfs[0].services[0].remoteBackends.translateTo[0]", |v| translate(v, &["10.0.0.1"])),
        ("vrfs[0].services[0].remoteBackends.translateTo[0]", |v| translate(v, &["ff02::1"])),
        ("vrfs[0].services[0].addresses[0]", |v| translate(v, &["10.100.0.1"])),
    ]);
    let fine = |intent: &mut Intent| {
        with_everything(intent);
        translate(&mut intent.vrfs[0], &["192.0.2.7", "2001:db8::7"]);
        web(&mut intent.vrfs[0]).backends[0].weight = 256;
    };
    assert_eq!(paths(fine), [""; 0], "also to an address that a policy has");
}

fn translate(vrf: &mut Vrf, to: &[&str]) {
    web(vrf).remote = RemoteBackends::Translated(addresses(to));
}

#[test]
fn faults_of_egress_policies_are_found_at_their_place() {
    assert_faults(&[
        ("vrfs[0].egress[1].name", |v| v.egress.push(policy("internet", &["192.0.2.8"]))),
        ("vrfs[0].egress[0].name", |v| v.egress[0].name = "a".repeat(32)),
        ("vrfs[0].egress[0].name", |v| v.egress[0].name.clear()),
        ("vrfs[0].egress[0]", |v| v.egress[0].sources.clear()),
        ("vrfs[0].egress[0].circuits[0]", |v| v.egress[0].circuits = vec!["eth9".into()]),
        ("vrfs[0].egress[0].destinations", |v| v.egress[0].destinations.clear()),
        ("vrfs[0].egress[0].destinations[1]", |v| v.egress[0].destinations.push("::/0".parse().unwrap())),
        ("vrfs[0].egress[0].addresses[1]", |v| v.egress[0].addresses.push(address("192.0.2.7"))),
        ("vrfs[0].egress[0].addresses[1]", |v| v.egress[0].addresses.push(address("10.0.0.1"))),
        ("vrfs[0].egress[0].addresses[1]", |v| v.egress[0].addresses.push(address("fe80::1"))),
        ("vrfs[0].egress[0].addresses[4]", |v| {
            v.egress[0].addresses.extend(addresses(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]));
        }),
        ("vrfs[0].egress[0].gateway.addresses", |v| own(v).addresses.clear()),
        ("vrfs[0].egress[0].gateway.addresses[1]", |v| own(v).addresses.push(address("192.0.2.9"))),
        ("vrfs[0].egress[0].gateway.ports", |v| own(v).ports = (0, 1023)),
        ("vrfs[0].egress[0].gateway.ports", |v| own(v).ports = (2000, 1999)),
        ("vrfs[0].egress[0].gateway.portBlock", |v| own(v).port_block = 0),
        ("vrfs[0].egress[0].gateway.portBlock", |v| own(v).port_block = 1025),
        ("vrfs[0].egress[0].gateway.portBlock", |v| own(v).ports = (60_000, 60_126)),
        ("vrfs[0].egress[1].gateway.addresses[0]", |v| {
            v.egress.push(gateway("second", &["192.0.2.7"]));
            v.egress[1].gateway.as_mut().unwrap().ports.0 = 2000;
        }),
    ]);
    let fine = |intent: &mut Intent| {
        with_everything(intent);
        own(&mut intent.vrfs[0]).ports = (60_000, 60_127);
        let mut second = intent.vrfs[0].egress[0].clone();
        second.name = "second".into();
        intent.vrfs[0].egress.push(second);
    };
    assert_eq!(paths(fine), [""; 0], "one block, and an address that two policies share");
}

#[test]
fn faults_of_filters_are_found_at_their_place() {
    let rule = || FilterRule {
        name: "web".into(),
        direction: Direction::Out,
        prefix: Some("10.0.0.0/8".parse().unwrap()),
        protocol: Some(17),
        ports: Some((53, 53)),
        action: Action::Accept,
    };
    let second = |change: fn(&mut FilterRule)| {
        paths(|intent| {
            with_everything(intent);
            let mut rule = rule();
            change(&mut rule);
            intent.vrfs[0].filter.push(rule);
        })
    };
    assert_eq!(second(|_| {}), [""; 0]);
    let table: &[Row<FilterRule>] = &[
        ("vrfs[0].filter[1].name", |rule| rule.name = "all".into()),
        ("vrfs[0].filter[1].name", |rule| rule.name = "telnet".into()),
        ("vrfs[0].filter[1].name", |rule| rule.name = "a".repeat(32)),
        ("vrfs[0].filter[1].ports", |rule| rule.protocol = None),
        ("vrfs[0].filter[1].ports", |rule| rule.protocol = Some(1)),
        ("vrfs[0].filter[1].ports", |rule| rule.ports = Some((2, 1))),
        ("vrfs[0].filter[1].protocol", |rule| (rule.protocol, rule.ports) = (Some(58), None)),
    ];
    for (row, (path, change)) in table.iter().enumerate() {
        assert_eq!(second(*change), [*path], "row {row}");
    }
}

/// Prefixes inside each other, each of which takes over the matches for ports of those around it.
fn multiplying() -> Vec<FilterRule> {
    let rule =
        |n: u16| FilterRule { protocol: Some(6), ports: Some((2 * n, 2 * n)), ..drops(&format!("r{n}")) };
    let around = (1..=16_000).map(rule);
    let inside = (1..=16).map(|len| FilterRule {
        prefix: Some(format!("10.0.0.0/{}", 8 + len).parse().unwrap()),
        ports: Some((1, 1)),
        protocol: Some(6),
        ..drops(&format!("inside{len}"))
    });
    inside.chain(around).collect()
}

#[test]
fn a_filter_that_the_dataplane_would_not_take_is_a_fault() {
    assert_faults(&[
        ("vrfs[0].filter", |v| v.filter = multiplying()),
        ("vrfs[0].attachmentCircuits[0].filter", |v| v.circuits[0].filter = multiplying()),
    ]);
}

#[test]
fn what_the_maps_have_no_room_for_is_a_fault() {
    assert_faults(&[
        ("vrfs[0].maxFlows", |v| v.max_flows = 1023),
        ("vrfs[0].maxFlows", |v| v.max_flows = 4_194_305),
        ("vrfs[0].services[0]", |v| {
            let port = |port| ServicePort { transport: Transport::Udp, port, target_port: port };
            web(v).backends.clear();
            web(v).ports = (1..=8193).map(port).collect();
        }),
        ("vrfs[0].services[0].backends", |v| {
            let host = |n: u32| IpAddr::from((0x0a07_0000 + n).to_be_bytes());
            let backend = web(v).backends[0];
            web(v).backends = (1..=65_536).map(|n| Backend { address: host(n), ..backend }).collect();
        }),
    ]);
}
