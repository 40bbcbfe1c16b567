use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec,
};
use srv6_dp::model::Action;

use super::*;
use crate::{
    render::testing::{addresses, key, object},
    world::{Protocol, Service, ServicePort},
};

/// Four pods on `n1`, and a policy for all of them.
fn isolated(policy: NetworkPolicySpec) -> Cluster {
    let pods = |cluster: Cluster, n: u8| {
        cluster.pod(&format!("red/pod{n}"), "n1", &[&format!("10.0.1.{n}")], &[("app", "web")])
    };
    (2..6).fold(Cluster::new().tenant("red"), pods).with(|world| {
        world.network_policies.insert(key("red/policy"), object(policy));
    })
}

#[test]
fn each_circuit_of_a_pod_has_the_rules_of_its_policies() {
    let intent = clean(&isolated(NetworkPolicySpec::default()));
    let filters: Vec<_> = intent.vrfs[0].circuits.iter().map(|circuit| &circuit.filter).collect();
    assert_eq!(filters.len(), 4);
    for filter in &filters {
        let names: Vec<_> = filter.iter().map(|rule| (rule.name.as_str(), rule.action)).collect();
        assert_eq!(names, [("itself", Action::Accept), ("red/policy ingress", Action::Drop)]);
    }
    assert_ne!(filters[0], filters[1], "each has its own address");
}

/// So many hosts, no two of them side by side.
fn scattered(hosts: usize) -> Vec<NetworkPolicyPeer> {
    let peer = |n: usize| {
        let cidr = format!("172.16.{}.{}/32", n / 128, n % 128 * 2);
        NetworkPolicyPeer { ip_block: Some(IPBlock { cidr, except: None }), ..NetworkPolicyPeer::default() }
    };
    (0..hosts).map(peer).collect()
}

#[test]
fn a_pod_whose_rules_the_node_has_no_room_for_is_cut_off() {
    let peers = Some(scattered(8500));
    let policy = NetworkPolicySpec {
        ingress: Some(vec![NetworkPolicyIngressRule { from: peers.clone(), ports: None }]),
        egress: Some(vec![NetworkPolicyEgressRule { to: peers, ports: None }]),
        ..NetworkPolicySpec::default()
    };
    // 17,000 rules each: three have room among 65,536.
    let (intent, told) = rendered(&isolated(policy));
    let sizes: Vec<_> = intent.vrfs[0].circuits.iter().map(|circuit| circuit.filter.len()).collect();
    assert_eq!(sizes, [17_004, 17_004, 17_004, 2]);
    assert!(intent.vrfs[0].circuits[3].filter.iter().all(|rule| rule.action == Action::Drop));
    assert_eq!(told, [("Pod red/pod5".to_owned(), Reason::LimitExceeded)]);
}

#[test]
fn services_that_the_node_has_no_room_for_are_left_out_and_others_stay() {
    let service = |vip: &str, ports: u16| Service {
        cluster_ips: addresses(&[vip]),
        ports: (1..=ports)
            .map(|port| ServicePort { name: port.to_string(), protocol: Protocol::Tcp, port })
            .collect(),
        ..Service::default()
    };
    let (intent, told) = rendered(&Cluster::new().tenant("red").with(|world| {
        for (name, vip, ports) in [("red/a", "10.96.0.1", 10_000), ("red/b", "10.96.0.2", 10_000)] {
            world.services.insert(key(name), service(vip, ports));
        }
        world.services.insert(key("red/c"), service("10.96.0.3", 1));
    }));
    let names: Vec<_> = intent.vrfs[0].services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["red/a", "red/c"]);
    assert_eq!(told, [("Service red/b".to_owned(), Reason::LimitExceeded)]);
}
