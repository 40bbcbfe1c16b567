mod attributes;
mod egress;
mod filter;
mod pods;
mod service;

use std::{collections::BTreeSet, time::Instant};

use bgp_core::rib::LocalRoute;
use bgp_wire::{attribute::Community, nlri::Prefix};
use srv6_dp::model::{Circuit, IfIndex, LocalSid as SidEntry};
use srv6_types::{Behavior, Sid};

use super::*;
use crate::{
    Advertisements,
    intent::{Neighbor, RouteAttributes, Secret, SidMode, Source, UnderlayRoute, Via, Vrf},
    testing::{intent, links, locator, replan, segments, via, vrf},
};

const RED: VrfId = VrfId(1);
const BLUE: VrfId = VrfId(2);

fn planned(vrfs: Vec<Vrf>, interfaces: &[&str]) -> Desired {
    replan(&intent(vrfs), &links(interfaces), &mut Allocations::default())
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn sid(text: &str) -> Sid {
    Sid::from(text.parse::<std::net::Ipv6Addr>().unwrap())
}

fn advertised(desired: &Desired, vrf: VrfId) -> Vec<String> {
    let routes = desired.advertise.iter().filter(|route| route.vrf == vrf);
    let words = |r: &LocalRoute| match r.sid {
        Some(sid) => format!("{} {} {}", r.prefix, sid.behavior, sid.sid),
        None => r.prefix.to_string(),
    };
    routes.map(words).collect()
}

#[test]
fn a_circuit_is_a_subnet_and_our_address_on_it() {
    let desired = planned(vec![vrf("red").circuit("eth1", &["10.0.0.1/24", "2001:db8:a::1/64"])], &["eth1"]);
    let interface = IfIndex(2);
    let expected = BTreeMap::from([
        ((RED, net("10.0.0.0/24")), NextHop::Connected { interface }),
        ((RED, net("10.0.0.1/32")), NextHop::Local { interface: Some(interface) }),
        ((RED, net("2001:db8:a::/64")), NextHop::Connected { interface }),
        ((RED, net("2001:db8:a::1/128")), NextHop::Local { interface: Some(interface) }),
    ]);
    assert_eq!(desired.dataplane.routes, expected);
    let circuit = Circuit {
        vrf: RED,
        mtu: 1500,
        mac: [2, 0, 0, 0, 0, 2],
        gateway4: Some([10, 0, 0, 1].into()),
        gateway6: Some("2001:db8:a::1".parse().unwrap()),
        filter: None,
        proxy: false,
        probes: false,
        strict: false,
        host_mac: None,
    };
    assert_eq!(desired.dataplane.circuits, BTreeMap::from([(interface, circuit)]));
    assert_eq!(desired.dataplane.vrfs[&RED].icmp_source4, Some([10, 0, 0, 1].into()));
    assert_eq!(desired.problems, []);
}

#[test]
fn a_circuit_with_a_host_address_alone_is_local_and_advertised() {
    let desired = planned(vec![vrf("red").circuit("dummy0", &["10.0.0.1/32"])], &["dummy0"]);
    let local = NextHop::Local { interface: None };
    assert_eq!(desired.dataplane.routes, BTreeMap::from([((RED, net("10.0.0.1/32")), local)]));
    assert_eq!(advertised(&desired, RED), ["10.0.0.1/32 End.DT46 fc00:0:1:1::"]);
}

#[test]
fn overlapping_tenants_have_their_own_everything() {
    let tenant = |name, interface| vrf(name).circuit(interface, &["10.0.0.1/24"]);
    let desired = planned(vec![tenant("red", "eth1"), tenant("blue", "eth2")], &["eth1", "eth2"]);
    let routes = &desired.dataplane.routes;
    assert_eq!(routes[&(RED, net("10.0.0.0/24"))], NextHop::Connected { interface: IfIndex(2) });
    assert_eq!(routes[&(BLUE, net("10.0.0.0/24"))], NextHop::Connected { interface: IfIndex(3) });
    assert_eq!(advertised(&desired, RED), ["10.0.0.0/24 End.DT46 fc00:0:1:1::"]);
    assert_eq!(advertised(&desired, BLUE), ["10.0.0.0/24 End.DT46 fc00:0:1:2::"]);
    let rds = desired.speaker.vrfs.values().map(|policy| policy.rd.to_string());
    assert_eq!(rds.collect::<Vec<_>>(), ["10.255.0.1:1", "10.255.0.1:2"]);
}

#[test]
fn sids_follow_the_mode() {
    let mut red = vrf("red").circuit("eth1", &["10.0.0.1/24", "2001:db8:a::1/64"]);
    red.sid_mode = SidMode::PerFamily;
    let desired = planned(vec![red], &["eth1"]);
    let entry = |behavior| SidEntry { behavior, vrf: RED, role: Default::default() };
    let expected = BTreeMap::from([
        (sid("fc00:0:1:1::"), entry(Behavior::END_DT4)),
        (sid("fc00:0:1:2::"), entry(Behavior::END_DT6)),
    ]);
    assert_eq!(desired.dataplane.sids, expected);
    let routes = ["10.0.0.0/24 End.DT4 fc00:0:1:1::", "2001:db8:a::/64 End.DT6 fc00:0:1:2::"];
    assert_eq!(advertised(&desired, RED), routes);
}

#[test]
fn functions_are_transposed_where_they_fit_in_a_label() {
    let table = [
        (("fc00:0:1::", [32, 16, 16, 0]), (16, 48), "fc00:0:1:1::"),
        (("2001:db8:1:1::", [40, 24, 16, 0]), (16, 64), "2001:db8:1:1:1::"),
        (("fc00:0:1::", [32, 16, 20, 0]), (20, 48), "fc00:0:1:0:1000::"),
        (("fc00:0:1::", [32, 16, 32, 0]), (0, 0), "fc00:0:1:0:1::"),
    ];
    for ((prefix, lengths), transposition, expected) in table {
        let mut intent = intent(vec![vrf("red")]);
        intent.srv6.locators = vec![locator("main", prefix, lengths)];
        let desired = replan(&intent, &links(&[]), &mut Allocations::default());
        let own = &desired.vrfs[&RED].sids[0].sid;
        let told = own.structure.transposition();
        assert_eq!((told.len(), told.offset()), transposition, "{lengths:?}");
        assert_eq!(own.sid, sid(expected));
    }
}

#[test]
fn the_domain_is_the_locator_block() {
    let mut intent = intent(vec![]);
    intent.srv6.locators.push(locator("flat", "2001:db8:5::", [0, 48, 16, 0]));
    let node = replan(&intent, &links(&[]), &mut Allocations::default()).dataplane.node;
    let nets = |list: &[&str]| list.iter().map(|n| n.parse().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(node.locators, nets(&["fc00:0:1::/48", "2001:db8:5::/48"]));
    assert_eq!(node.domain, nets(&["fc00::/32", "2001:db8:5::/48"]));
    assert_eq!(node.source, Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn static_routes_lead_where_they_say() {
    let red = vrf("red")
        .circuit("eth1", &["10.0.0.1/24"])
        .circuit("eth2", &["10.0.1.1/24"])
        .route("10.9.0.0/16", via("10.0.1.7"))
        .route("10.10.0.0/16", segments(&["fc00:0:5::", "fc00:0:2:1::"]))
        .route("10.11.0.0/16", Via::Blackhole);
    let routes = planned(vec![red], &["eth1", "eth2"]).dataplane.routes;
    let gateway = NextHop::Gateway { interface: IfIndex(3), address: [10, 0, 1, 7].into() };
    let segments = vec![sid("fc00:0:5::"), sid("fc00:0:2:1::")];
    assert_eq!(routes[&(RED, net("10.9.0.0/16"))], gateway);
    assert_eq!(routes[&(RED, net("10.10.0.0/16"))], NextHop::Encapsulate { segments, reduced: true });
    assert_eq!(routes[&(RED, net("10.11.0.0/16"))], NextHop::Blackhole);
}

#[test]
fn only_what_is_redistributed_and_exported_is_advertised() {
    let red = || vrf("red").circuit("eth1", &["10.0.0.1/24"]).route("10.9.0.0/16", via("10.0.0.2"));
    let routes = |change: fn(&mut Vrf)| {
        let mut red = red();
        change(&mut red);
        let prefixes = planned(vec![red], &["eth1"]).advertise.iter().map(|r| r.prefix).collect::<Vec<_>>();
        prefixes.iter().map(Prefix::to_string).collect::<Vec<_>>()
    };
    assert_eq!(routes(|_| {}), ["10.0.0.0/24", "10.9.0.0/16"]);
    assert_eq!(
        routes(|red| red.redistribute = [(Source::Static, RouteAttributes::default())].into()),
        ["10.9.0.0/16"]
    );
    assert_eq!(routes(|red| red.redistribute.clear()), [""; 0]);
    assert_eq!(routes(|red| red.export_route_targets.clear()), [""; 0]);
}

#[test]
fn link_local_subnets_stay_on_their_link() {
    let desired = planned(vec![vrf("red").circuit("eth1", &["fe80::1/64", "10.0.0.1/24"])], &["eth1"]);
    assert_eq!(advertised(&desired, RED), ["10.0.0.0/24 End.DT46 fc00:0:1:1::"]);
}

#[test]
fn a_missing_interface_is_named_and_all_else_goes_on() {
    let red = vrf("red")
        .circuit("eth1", &["10.0.0.1/24"])
        .circuit("eth7", &["10.0.7.1/24"])
        .route("10.9.0.0/16", via("10.0.7.2"));
    let desired = planned(vec![red, vrf("blue")], &["eth1"]);
    let problems: Vec<String> = desired.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2);
    assert!(problems[0].starts_with("VRF red: interface eth7 does not exist; create it"), "{problems:?}");
    assert!(problems[1].starts_with("VRF red: route 10.9.0.0/16 leads to 10.0.7.2"), "{problems:?}");
    assert_eq!(advertised(&desired, RED), ["10.0.0.0/24 End.DT46 fc00:0:1:1::"]);
    assert!(desired.dataplane.vrfs.contains_key(&BLUE));
}

#[test]
fn a_circuit_that_is_down_draws_no_traffic() {
    let mut links = links(&["eth1"]);
    links.0.get_mut("eth1").unwrap().up = false;
    let intent = intent(vec![vrf("red").circuit("eth1", &["10.0.0.1/24"])]);
    let desired = replan(&intent, &links, &mut Allocations::default());
    assert_eq!(desired.dataplane.routes, BTreeMap::new());
    assert_eq!(desired.advertise, []);
    assert!(desired.dataplane.circuits.contains_key(&IfIndex(2)), "packets of the tenant are still guarded");
    assert!(matches!(desired.problems[..], [Problem::InterfaceDown { .. }]));
}

#[test]
fn an_interface_serves_its_first_user_only() {
    let vrfs = vec![vrf("red").circuit("core0", &["10.0.0.1/24"]), vrf("blue").circuit("eth1", &[])];
    let desired = planned([vrfs, vec![vrf("green").circuit("eth1", &[])]].concat(), &["eth1"]);
    assert_eq!(desired.dataplane.circuits[&IfIndex(2)].vrf, BLUE);
    assert_eq!(desired.dataplane.core, BTreeSet::from([IfIndex(1)]));
    assert!(matches!(desired.problems[..], [Problem::InterfaceTaken { .. }, Problem::InterfaceTaken { .. }]));
}

#[test]
fn a_vrf_without_a_locator_still_routes_between_its_circuits() {
    let mut red = vrf("red").circuit("eth1", &["10.0.0.1/24"]);
    red.locator = Some("nowhere".into());
    let desired = planned(vec![red], &["eth1"]);
    assert_eq!(desired.problems, [Problem::NoLocator { vrf: "red".into() }]);
    assert_eq!(desired.dataplane.routes.len(), 2);
    assert_eq!(desired.advertise, []);
}

/// RFC 8326.
#[test]
fn a_node_that_leaves_says_so_of_every_route_and_changes_nothing_else() {
    let mut intent = intent(vec![vrf("red").circuit("eth1", &["10.0.0.1/24"])]);
    intent.bgp.networks = vec![net("192.0.2.1/32").into()];
    let mut numbers = Allocations::default();
    let before = replan(&intent, &links(&["eth1"]), &mut numbers);
    intent.bgp.graceful_shutdown = true;
    let leaving = replan(&intent, &links(&["eth1"]), &mut numbers);

    let told = |route: &LocalRoute| (route.local_pref, route.communities.clone());
    let gone = (Some(0), vec![Community::GRACEFUL_SHUTDOWN]);
    assert_eq!(leaving.advertise.iter().map(told).collect::<Vec<_>>(), [gone.clone(), gone]);
    let difference = Advertisements::between(&before.advertise, &leaving.advertise);
    assert_eq!((difference.announce.len(), difference.withdraw.len()), (2, 0));
    assert_eq!((&leaving.speaker, &leaving.dataplane), (&before.speaker, &before.dataplane));
}

#[test]
fn the_speaker_is_told_what_the_intent_says() {
    let mut intent = intent(vec![vrf("red")]);
    intent.bgp.networks.push(net("192.0.2.0/24").into());
    let desired = replan(&intent, &links(&[]), &mut Allocations::default());
    let speaker = &desired.speaker;
    assert_eq!(speaker.cluster_id, intent.router.router_id, "the router id where none is set");
    let restart = speaker.graceful_restart.unwrap();
    assert_eq!((restart.restart_time.as_secs(), restart.stale_time.as_secs()), (120, 360));
    assert_eq!(speaker.peers[&intent.bgp.neighbors[0].address].families, intent.bgp.neighbors[0].families);
    let policy = &speaker.vrfs[&RED];
    assert_eq!((policy.name.as_str(), policy.next_hop), ("red", Some(intent.srv6.source)));
    assert_eq!(advertised(&desired, VrfId::GLOBAL), ["192.0.2.0/24"]);
}

/// (hop limit, password) of the only peer.
fn transport(change: impl Fn(&mut Neighbor)) -> (Option<u8>, Option<Secret>) {
    let mut intent = intent(vec![]);
    change(&mut intent.bgp.neighbors[0]);
    let desired = replan(&intent, &links(&[]), &mut Allocations::default());
    let (_, peer) = desired.speaker.peers.into_iter().next().unwrap();
    (peer.transport.hop_limit, peer.transport.password)
}

#[test]
fn what_is_sent_to_an_external_peer_goes_as_far_as_it_may_be() {
    assert_eq!(transport(|_| {}), (None, None));
    assert_eq!(transport(|peer| peer.asn = 65001), (Some(1), None));
    assert_eq!(transport(|peer| (peer.asn, peer.multihop) = (65001, Some(3))), (Some(3), None));
}

#[test]
fn a_password_reaches_the_speaker_and_no_log() {
    let secret = Secret(b"geheim".to_vec());
    assert_eq!(transport(|peer| peer.password = Some(secret.clone())), (None, Some(secret.clone())));
    let mut intent = intent(vec![]);
    intent.bgp.neighbors[0].password = Some(secret);
    let desired = replan(&intent, &links(&[]), &mut Allocations::default());
    for text in [format!("{intent:?}"), format!("{desired:?}")] {
        assert!(!text.contains("geheim") && !text.contains("103, 101, 104"), "{text}");
    }
}

#[test]
fn an_underlay_route_needs_its_interface() {
    let mut intent = intent(vec![]);
    let route = |interface: &str| UnderlayRoute {
        prefix: net("fc00::/32"),
        via: "fe80::2".parse().unwrap(),
        interface: Some(interface.into()),
    };
    intent.underlay_routes = vec![route("core0"), route("core7")];
    let desired = replan(&intent, &links(&[]), &mut Allocations::default());
    assert_eq!(desired.underlay, [route("core0")]);
    assert!(matches!(desired.problems[..], [Problem::NoUnderlayInterface { .. }]));
}

#[test]
fn two_hundred_tenants_with_the_same_addresses_are_planned_fast() {
    let names: Vec<String> = (0..200).map(|n| format!("eth{n}")).collect();
    let interfaces: Vec<&str> = names.iter().map(String::as_str).collect();
    let tenant = |name: &&str| {
        vrf(&format!("tenant-{name}")).circuit(name, &["10.0.0.1/24"]).route("0.0.0.0/0", via("10.0.0.2"))
    };
    let start = Instant::now();
    let desired = planned(interfaces.iter().map(tenant).collect(), &interfaces);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    assert_eq!(desired.problems, []);
    assert_eq!(desired.dataplane.sids.len(), 200);
    assert_eq!(desired.dataplane.routes.len(), 600);
    let exits: BTreeSet<&NextHop> = desired.dataplane.routes.values().collect();
    assert_eq!(exits.len(), 600, "no tenant's route leads where another's does");
    let rds: BTreeSet<_> = desired.speaker.vrfs.values().map(|policy| policy.rd).collect();
    assert_eq!(rds.len(), 200);
}
