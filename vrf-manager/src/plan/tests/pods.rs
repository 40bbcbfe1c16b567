//! Circuits of pods and VMs: hosts, gateways that several share, patterns.

use super::*;
use crate::{
    intent::Circuit as Wanted,
    testing::{policy, service},
};

const GATEWAYS: [&str; 2] = ["10.1.0.1/32", "2001:db8::1/128"];

fn problems(desired: &Desired) -> Vec<String> {
    desired.problems.iter().map(ToString::to_string).collect()
}

fn states(desired: &Desired, vrf: VrfId) -> Vec<(&str, CircuitState)> {
    desired.vrfs[&vrf].circuits.iter().map(|circuit| (circuit.interface.as_str(), circuit.state)).collect()
}

#[test]
fn a_host_is_a_route_to_its_circuit_and_advertised_as_such_only() {
    let mut red = vrf("red").circuit("pod1", &GATEWAYS).hosts(&["10.1.0.2", "2001:db8::2"]);
    let advertised_by = |red: &Vrf| advertised(&planned(vec![red.clone()], &["pod1"]), RED).len();
    assert_eq!(advertised_by(&red), 2, "the gateways");
    red.redistribute = [(Source::Host, RouteAttributes::default())].into();
    let desired = planned(vec![red], &["pod1"]);
    let told = ["10.1.0.2/32 End.DT46 fc00:0:1:1::", "2001:db8::2/128 End.DT46 fc00:0:1:1::"];
    assert_eq!(advertised(&desired, RED), told);
    let interface = IfIndex(2);
    for host in ["10.1.0.2/32", "2001:db8::2/128"] {
        let route = &desired.vrfs[&RED].routes[&net(host)];
        assert_eq!((route.source, &route.next_hop), (RouteSource::Host, &NextHop::Connected { interface }));
    }
}

#[test]
fn what_a_circuit_does_for_its_hosts_goes_to_the_dataplane() {
    let mut red = vrf("red").circuit("pod1", &GATEWAYS).circuit("pod2", &GATEWAYS);
    let Wanted { proxy, probes, host_mac, .. } = &mut red.circuits[0];
    (*proxy, *probes, *host_mac) = (true, true, Some([2, 0, 0, 0, 0, 9]));
    let circuits = planned(vec![red], &["pod1", "pod2"]).dataplane.circuits;
    let told = |index| {
        let Circuit { proxy, probes, host_mac, .. } = circuits[&IfIndex(index)];
        (proxy, probes, host_mac)
    };
    assert_eq!((told(2), told(3)), ((true, true, Some([2, 0, 0, 0, 0, 9])), (false, false, None)));
}

#[test]
fn a_shared_gateway_stays_as_it_is_while_pods_come_and_go() {
    let of = |pods: &[&str]| {
        let red = pods.iter().fold(vrf("red"), |red, pod| red.circuit(pod, &GATEWAYS));
        let desired = planned(vec![red], &["pod1", "pod2", "pod3"]);
        assert_eq!(problems(&desired), [""; 0]);
        let dataplane = desired.dataplane;
        (dataplane.routes, desired.advertise, dataplane.vrfs)
    };
    let all = of(&["pod1", "pod2", "pod3"]);
    assert_eq!(all.0[&(RED, net("10.1.0.1/32"))], NextHop::Local { interface: None });
    assert_eq!(all.1.len(), 2, "each once");
    assert_eq!((&all, &all), (&of(&["pod3"]), &of(&["pod2", "pod1"])));
}

#[test]
fn a_host_is_a_next_hop_a_backend_and_has_a_policy() {
    let mut policy = policy("internet", &["192.0.2.7"]);
    (policy.sources, policy.circuits) = (vec![], vec!["pod2".into()]);
    let red = vrf("red")
        .circuit("pod1", &GATEWAYS)
        .hosts(&["10.1.0.2"])
        .circuit("pod2", &GATEWAYS)
        .hosts(&["10.1.0.3"])
        .route("10.9.0.0/16", via("10.1.0.3"))
        .service(service("web", &["10.100.0.1"], &["10.1.0.2"]))
        .egress(policy);
    let desired = planned(vec![red.clone()], &["pod1", "pod2"]);
    assert_eq!(problems(&desired), [""; 0]);
    let gateway = NextHop::Gateway { interface: IfIndex(3), address: [10, 1, 0, 3].into() };
    assert_eq!(desired.dataplane.routes[&(RED, net("10.9.0.0/16"))], gateway);
    let policy = &desired.dataplane.egress_policies[&(RED, "internet".into())];
    assert_eq!(policy.circuits, [IfIndex(3)].into());
    // The backend's circuit is away: nobody else has it.
    let away = problems(&planned(vec![red], &["pod2"]));
    assert!(away.iter().any(|problem| problem.contains("its circuit is not up")), "{away:?}");
}

#[test]
fn a_pattern_is_each_interface_that_it_matches() {
    let red = vrf("red").circuit("tap-red*", &["10.1.0.1/32"]);
    let desired = planned(vec![red.clone()], &["tap-red2", "tap-blue1", "tap-red1"]);
    assert_eq!(states(&desired, RED), [("tap-red1", CircuitState::Up), ("tap-red2", CircuitState::Up)]);
    let attached: Vec<_> = desired.dataplane.circuits.keys().collect();
    assert_eq!((attached, problems(&desired)), (vec![&IfIndex(2), &IfIndex(4)], vec![]));
    let none = planned(vec![red], &[]);
    assert_eq!((states(&none, RED), problems(&none)), (vec![("tap-red*", CircuitState::Waiting)], vec![]));
}

#[test]
fn a_name_wins_over_patterns_and_of_these_the_first() {
    let red = vrf("red").circuit("tap*", &[]);
    let blue = vrf("blue").circuit("tap2", &[]).circuit("t*3", &[]);
    let desired = planned(vec![red, blue], &["tap1", "tap2", "tap3"]);
    assert_eq!(states(&desired, RED), [("tap1", CircuitState::Up), ("tap3", CircuitState::Up)]);
    assert_eq!(states(&desired, BLUE), [("tap2", CircuitState::Up), ("tap3", CircuitState::Taken)]);
    assert_eq!(desired.dataplane.circuits[&IfIndex(4)].vrf, RED);
    assert_eq!(desired.problems, [Problem::InterfaceTaken { vrf: "blue".into(), interface: "tap3".into() }]);
}

/// The loopback interface has no MAC address; a core interface that is named is no circuit.
#[test]
fn a_star_matches_neither_the_core_nor_the_loopback_interface() {
    let mut links = links(&["eth1", "lo"]);
    links.0.get_mut("lo").unwrap().mac = [0; 6];
    let mut intent = intent(vec![vrf("red").circuit("*", &[])]);
    let desired = replan(&intent, &links, &mut Allocations::default());
    assert_eq!(states(&desired, RED), [("eth1", CircuitState::Up)]);
    // By a pattern the core is before all circuits, but not before one that is named.
    intent.srv6.core_interfaces = vec!["*".into(), "core*".into()];
    intent.vrfs[0] = vrf("red").circuit("eth*", &[]);
    let desired = replan(&intent, &links, &mut Allocations::default());
    assert_eq!(desired.core_interfaces, ["core0", "eth1"]);
    assert_eq!(states(&desired, RED), [("eth1", CircuitState::Taken)]);
    intent.vrfs[0] = vrf("red").circuit("eth1", &[]);
    let desired = replan(&intent, &links, &mut Allocations::default());
    assert_eq!((desired.dataplane.core, desired.problems), ([IfIndex(1)].into(), vec![]));
}

#[test]
fn a_subnet_on_several_interfaces_by_a_pattern_is_told_with_the_remedy() {
    let red =
        vrf("red").circuit("tap*", &["10.1.0.1/24", "2001:db8::1/128"]).route("10.9.0.0/16", via("10.1.0.9"));
    let one = planned(vec![red.clone()], &["tap1"]);
    assert_eq!(problems(&one), [""; 0]);
    let two = planned(vec![red], &["tap1", "tap2"]);
    let told = problems(&two);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("VRF red: 10.1.0.0/24 is on every interface that tap* matches"), "{told:?}");
    assert!(told[0].contains("leads to tap1 alone; write /32"), "{told:?}");
    assert_eq!(one.dataplane.routes, two.dataplane.routes, "by the first");
}

#[test]
fn the_numbers_of_a_vrf_are_found_by_what_its_pattern_matches() {
    let intent = intent(vec![vrf("red").circuit("tap*", &[]), vrf("blue").circuit("tap2", &[])]);
    let links = links(&["tap1", "tap2"]);
    let mut observed = State::default();
    for (index, vrf) in [(2, VrfId(7)), (3, VrfId(9))] {
        let circuits = replan(&intent, &links, &mut Allocations::default()).dataplane.circuits;
        observed.circuits.insert(IfIndex(index), Circuit { vrf, ..circuits[&IfIndex(index)].clone() });
    }
    let mut allocations = Allocations::default();
    allocations.adopt(&intent, &links, &observed);
    assert_eq!((allocations.vrf("red"), allocations.vrf("blue")), (Some(VrfId(7)), Some(VrfId(9))));
}

#[test]
fn a_thousand_pods_of_a_vrf_are_planned_fast() {
    let names: Vec<String> = (0..1000).map(|nth| format!("pod{nth}")).collect();
    let interfaces: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut everybody = policy("internet", &["192.0.2.7"]);
    everybody.circuits.clone_from(&names);
    let hosts = (0..1000).map(|nth| format!("10.1.{}.{}", nth / 250, nth % 250 + 2));
    let red = interfaces
        .iter()
        .zip(hosts)
        .fold(vrf("red"), |red, (interface, host)| red.circuit(interface, &GATEWAYS).hosts(&[&host]));
    let start = Instant::now();
    let desired = planned(vec![red.egress(everybody)], &interfaces);
    assert!(start.elapsed().as_secs() < 1, "{:?}", start.elapsed());
    assert_eq!((problems(&desired).len(), desired.dataplane.routes.len()), (0, 1002));
    assert_eq!(desired.dataplane.egress_policies[&(RED, "internet".into())].circuits.len(), 1000);
}

/// The kernel hears no answers there, and without a proxy the bridge would get what is for its own MAC address.
#[test]
fn a_port_of_a_bridge_needs_the_hosts_mac_address_and_a_proxy() {
    let mut links = links(&["pod1"]);
    links.0.get_mut("pod1").unwrap().bridge_port = true;
    let told = |proxy, host_mac| {
        let mut red = vrf("red").circuit("pod1", &GATEWAYS);
        (red.circuits[0].proxy, red.circuits[0].host_mac) = (proxy, host_mac);
        replan(&intent(vec![red]), &links, &mut Allocations::default()).problems
    };
    let problem = [Problem::BridgePort { vrf: "red".into(), interface: "pod1".into() }];
    assert_eq!((told(false, None), told(true, None)), (problem.to_vec(), problem.to_vec()));
    assert_eq!((told(false, Some([2; 6])), told(true, Some([2; 6]))), (problem.to_vec(), vec![]));
}
