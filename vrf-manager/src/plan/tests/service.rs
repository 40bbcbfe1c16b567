use srv6_dp::model::{Reach, ServiceId, SidRole, Transport};

use super::*;
use crate::{
    intent::{BackendState, RemoteBackends, Service, ServicePort, TrafficPolicy},
    testing::{addresses, service},
};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24", "2001:db8:a::1/64"])
}

fn web(backends: &[&str]) -> Service {
    service("web", &["10.100.0.1"], backends)
}

fn id(address: &str) -> ServiceId {
    ServiceId { vrf: RED, address: address.parse().unwrap(), transport: Transport::Tcp, port: 80 }
}

/// The backends of red's VIP, each with weight and reach.
fn backends(red: Vrf) -> Vec<(String, u16, Reach)> {
    let desired = planned(vec![red], &["eth1", "eth2"]);
    let entry = &desired.dataplane.services[&id("10.100.0.1")];
    let words = |(&(address, _), backend): (&_, &srv6_dp::model::Backend)| {
        let address: std::net::IpAddr = address;
        (address.to_string(), backend.weight, backend.reach)
    };
    entry.backends.iter().map(words).collect()
}

fn reach(red: Vrf) -> Vec<Reach> {
    backends(red).into_iter().map(|(.., reach)| reach).collect()
}

fn with_balance(desired: &Desired) -> Vec<String> {
    let balance = desired.vrfs[&RED].sids.iter().find(|planned| planned.role == SidRole::Balance).unwrap();
    let routes = desired.advertise.iter().filter(|route| route.sid == Some(balance.sid));
    routes.map(|route| route.prefix.to_string()).collect()
}

#[test]
fn every_port_of_every_vip_is_a_service_with_the_backends_of_its_family() {
    let udp = ServicePort { transport: Transport::Udp, port: 53, target_port: 53 };
    let mut web = service("web", &["10.100.0.1", "2001:db8:100::1"], &["10.0.0.2", "2001:db8:a::2"]);
    web.ports.push(udp);
    web.affinity = Some(std::time::Duration::from_secs(60));
    let desired = planned(vec![red().service(web)], &["eth1"]);
    let services = &desired.dataplane.services;
    assert_eq!(services.len(), 4);
    let v4 = &services[&id("10.100.0.1")];
    assert_eq!(v4.backends.keys().collect::<Vec<_>>(), [&("10.0.0.2".parse().unwrap(), 8080)]);
    assert_eq!((v4.local, v4.affinity.map(|time| time.as_secs())), (false, Some(60)));
    let v6 = &services[&ServiceId { transport: Transport::Udp, port: 53, ..id("2001:db8:100::1") }];
    assert_eq!(v6.backends.keys().collect::<Vec<_>>(), [&("2001:db8:a::2".parse().unwrap(), 53)]);
    let routes = &desired.dataplane.routes;
    for vip in ["10.100.0.1/32", "2001:db8:100::1/128"] {
        assert_eq!(routes[&(RED, net(vip))], NextHop::Service);
    }
    let entry = &desired.dataplane.vrfs[&RED];
    assert_eq!((entry.flows, entry.services, entry.egress), (Some(65_536), true, false));
}

#[test]
fn a_vrf_without_any_of_it_pays_nothing() {
    let desired = planned(vec![red(), vrf("blue").service(web(&[]))], &[]);
    let entry = &desired.dataplane.vrfs[&RED];
    assert_eq!((entry.flows, entry.services, entry.egress), (None, false, false));
}

#[test]
fn a_backend_is_here_where_its_route_leads_out_of_a_circuit() {
    let red = |backend: &str| red().circuit("eth2", &["10.0.1.1/24"]).service(web(&[backend]));
    let routed = |backend: &str| {
        red(backend)
            .route("10.8.0.0/16", via("10.0.1.7"))
            .route("10.8.9.0/24", segments(&["fc00:0:2:1::"]))
            .route("10.8.9.9/32", Via::Blackhole)
    };
    assert_eq!(reach(red("10.0.1.2")), [Reach::Here]);
    assert_eq!(reach(red("10.8.1.1")), [Reach::Direct], "nothing is known of it here");
    assert_eq!(reach(routed("10.8.1.1")), [Reach::Here], "by a gateway");
    assert_eq!(reach(routed("10.8.9.1")), [Reach::Direct], "the longest match counts");
    assert_eq!(reach(routed("10.8.9.9")), [], "it would be dropped");
}

#[test]
fn who_drains_has_no_weight_and_who_is_down_is_left_out() {
    let mut web = web(&["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    web.backends[0].weight = 7;
    web.backends[1].state = BackendState::Draining;
    web.backends[2].state = BackendState::Down;
    let expected = [("10.0.0.2".to_owned(), 7, Reach::Here), ("10.0.0.3".to_owned(), 0, Reach::Here)];
    assert_eq!(backends(red().service(web)), expected);
}

#[test]
fn remote_backends_are_reached_as_is_said() {
    let remote = |to: &[&str]| Service {
        remote: RemoteBackends::Translated(addresses(to)),
        ..web(&["10.0.0.2", "10.7.0.2"])
    };
    let own = "192.0.2.10".parse().unwrap();
    let translated = red().service(remote(&["2001:db8::10", "192.0.2.10"]));
    assert_eq!(reach(translated.clone()), [Reach::Here, Reach::Translated(own)]);
    let desired = planned(vec![translated], &["eth1"]);
    assert!(desired.dataplane.egress_addresses.contains_key(&(RED, own)));
    assert_eq!(desired.dataplane.routes[&(RED, net("192.0.2.10/32"))], NextHop::Egress);
    assert_eq!(reach(red().service(remote(&["2001:db8::10"]))), [Reach::Here], "none of its family");
}

#[test]
fn a_backend_of_a_circuit_that_is_not_up_is_no_remote_one() {
    let red = vrf("red").circuit("eth7", &["10.7.0.1/24"]).service(web(&["10.7.0.2", "10.9.0.2"]));
    assert_eq!(reach(red.clone()), [Reach::Direct]);
    let problems: Vec<_> = planned(vec![red], &[]).problems.iter().map(ToString::to_string).collect();
    let expected = "VRF red: service web has no way to backend 10.7.0.2: its circuit is not up; \
                    correct it, or set its state to down";
    assert_eq!(problems[1], expected);
}

#[test]
fn a_vip_is_advertised_while_it_has_a_ready_backend() {
    let told = |policy, backends: &[&str]| {
        let service = Service { traffic_policy: policy, ..web(backends) };
        let desired = planned(vec![red().service(service)], &["eth1"]);
        let routes = advertised(&desired, RED);
        routes.into_iter().find_map(|route| route.strip_prefix("10.100.0.1/32 ").map(str::to_owned))
    };
    let (cluster, local) = (TrafficPolicy::Cluster, TrafficPolicy::Local);
    assert_eq!(told(cluster, &["10.0.0.2"]).as_deref(), Some("End.DT46 fc00:0:1:2::"), "balanced anew");
    assert_eq!(told(cluster, &["10.7.0.2"]).as_deref(), Some("End.DT46 fc00:0:1:2::"), "wherever it is");
    assert_eq!(told(local, &["10.0.0.2"]).as_deref(), Some("End.DT46 fc00:0:1:1::"), "as any route");
    assert_eq!(told(local, &["10.7.0.2"]), None, "another node has it");
    assert_eq!(told(cluster, &[]), None);
    assert_eq!(told(cluster, &["2001:db8:a::2"]), None, "of another family");
}

#[test]
fn why_a_vip_is_not_advertised_is_known() {
    let reason = |change: fn(&mut Vrf)| {
        let mut red = red().service(web(&["10.7.0.2"]));
        change(&mut red);
        let desired = planned(vec![red], &["eth1"]);
        assert!(!advertised(&desired, RED).iter().any(|route| route.starts_with("10.100.0.1/32")));
        desired.vrfs[&RED].services[0].vips[&"10.100.0.1".parse().unwrap()].unwrap_err()
    };
    assert_eq!(reason(|red| red.export_route_targets.clear()), Withheld::NoTarget);
    assert_eq!(reason(|red| red.locator = Some("nowhere".into())), Withheld::NoSid);
    assert_eq!(reason(|red| red.services[0].backends.clear()), Withheld::NoBackend);
    assert_eq!(reason(|red| red.services[0].traffic_policy = TrafficPolicy::Local), Withheld::NoBackendHere);
}

#[test]
fn a_sid_balances_both_families_where_each_has_its_own() {
    let mut red =
        red().service(service("web", &["10.100.0.1", "2001:db8:100::1"], &["10.0.0.2", "2001:db8:a::2"]));
    red.sid_mode = SidMode::PerFamily;
    red.redistribute.clear();
    let desired = planned(vec![red.clone()], &["eth1"]);
    assert_eq!(
        with_balance(&desired),
        ["10.100.0.1/32", "2001:db8:100::1/128"],
        "not subject to redistribute"
    );
    let entry = SidEntry { behavior: Behavior::END_DT46, vrf: RED, role: SidRole::Balance };
    assert_eq!(desired.dataplane.sids[&sid("fc00:0:1:3::")], entry);
    red.services[0].traffic_policy = TrafficPolicy::Local;
    let routes = ["10.100.0.1/32 End.DT4 fc00:0:1:1::", "2001:db8:100::1/128 End.DT6 fc00:0:1:2::"];
    assert_eq!(advertised(&planned(vec![red], &["eth1"]), RED), routes);
}

/// RFC 8326.
#[test]
fn a_service_that_is_to_be_left_says_so_of_its_vips_alone() {
    let web = Service { graceful_shutdown: true, ..web(&["10.0.0.2"]) };
    let desired = planned(vec![red().service(web)], &["eth1"]);
    for route in &desired.advertise {
        let leaving = route.prefix.to_string() == "10.100.0.1/32";
        assert_eq!(route.local_pref, leaving.then_some(0), "{}", route.prefix);
        assert_eq!(route.communities.contains(&Community::GRACEFUL_SHUTDOWN), leaving, "{}", route.prefix);
    }
}

#[test]
fn services_that_share_a_vip_are_one_route_as_long_as_one_has_a_backend() {
    let mut empty = web(&[]);
    empty.name = "empty".into();
    empty.ports[0].port = 81;
    let red = red().service(empty.clone()).service(web(&["10.0.0.2"]));
    let desired = planned(vec![red], &["eth1"]);
    assert_eq!(with_balance(&desired), ["10.100.0.1/32"]);
    assert_eq!(desired.dataplane.services.len(), 2);
    let problem = Problem::NoReadyBackend { vrf: "red".into(), service: "empty".into() };
    assert_eq!(desired.problems, [problem]);
}

#[test]
fn equal_vips_of_two_tenants_have_their_own_everything() {
    let tenant = |name, interface| vrf(name).circuit(interface, &["10.0.0.1/24"]).service(web(&["10.0.0.2"]));
    let desired = planned(vec![tenant("red", "eth1"), tenant("blue", "eth2")], &["eth1", "eth2"]);
    let vrfs: Vec<VrfId> = desired.dataplane.services.keys().map(|id| id.vrf).collect();
    assert_eq!(vrfs, [RED, BLUE]);
    let of = |vrf| advertised(&desired, vrf).into_iter().find(|route| route.starts_with("10.100.0.1/32"));
    assert_ne!(of(RED).unwrap(), of(BLUE).unwrap(), "each with a SID of its own VRF");
}

#[test]
fn ten_thousand_services_are_planned_fast() {
    let vip = |n: u32| std::net::IpAddr::from((0x0a64_0000 + n).to_be_bytes()).to_string();
    let services = (0..10_000).map(|n| service(&format!("s{n}"), &[&vip(n)], &["10.0.0.2", "10.7.0.2"]));
    let mut red = red();
    red.services.extend(services);
    let start = Instant::now();
    let desired = planned(vec![red], &["eth1"]);
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    assert_eq!((desired.dataplane.services.len(), desired.problems.len()), (10_000, 0));
}

#[test]
fn a_service_that_is_not_to_be_advertised_is_served_and_says_why_no_one_hears_of_it() {
    let quiet = Service { advertise: None, ..web(&["10.0.0.2"]) };
    let desired = planned(vec![red().service(quiet.clone())], &["eth1"]);
    assert_eq!((with_balance(&desired), desired.dataplane.services.len()), (vec![], 1));
    let vips = &desired.vrfs[&RED].services[0].vips;
    assert!(vips.values().all(|told| *told == Err(Withheld::NotWanted)), "{vips:?}");

    let mut loud = web(&["10.0.0.2"]);
    (loud.name, loud.ports[0].port) = ("loud".into(), 81);
    let desired = planned(vec![red().service(quiet).service(loud)], &["eth1"]);
    assert_eq!(with_balance(&desired), ["10.100.0.1/32"], "the other service of the VIP is");
}
