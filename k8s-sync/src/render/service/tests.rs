use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use vrf_manager::intent::{Backend, BackendState};

use super::*;
use crate::{
    api::BgpNodeOverrideSpec,
    render::{
        membership::Membership,
        testing::{Cluster, addresses, key, object, selector},
    },
    world::{Endpoint, EndpointPort, ServicePort},
};

/// Two pods of red behind a Service, on either node.
fn shop() -> Cluster {
    Cluster::new()
        .tenant("red")
        .pod("red/a", "n1", &["10.0.1.2", "fd00:1::2"], &[])
        .pod("red/b", "n2", &["10.0.2.2"], &[])
        .with(|world| {
            world.services.insert(key("red/web"), service("10.96.0.1"));
            world
                .endpoint_slices
                .insert(key("red/web-x"), slice(8080, &[("a", "10.0.1.2"), ("b", "10.0.2.2")]));
        })
}

fn service(cluster_ip: &str) -> Service {
    let ports = vec![ServicePort { name: "http".into(), protocol: Protocol::Tcp, port: 80 }];
    Service { cluster_ips: addresses(&[cluster_ip]), ports, ..Service::default() }
}

/// Of `web`, all of them ready.
fn slice(port: u16, pods: &[(&str, &str)]) -> EndpointSlice {
    let endpoint = |(pod, address): &(&str, &str)| Endpoint {
        addresses: addresses(&[address]),
        ready: true,
        serving: true,
        pod: Some((*pod).into()),
        ..Endpoint::default()
    };
    EndpointSlice {
        service: "web".into(),
        ports: vec![EndpointPort { name: "http".into(), protocol: Protocol::Tcp, port }],
        endpoints: pods.iter().map(endpoint).collect(),
    }
}

/// The services of a VRF on `n1`, and what is wrong.
fn rendered(cluster: &Cluster, vrf: &str) -> (Vec<intent::Service>, Vec<String>) {
    let mut problems = Vec::new();
    let membership = Membership::of(cluster.inputs("n1"), &mut problems);
    let served = of_vrf(&membership.scope(vrf).unwrap(), &mut problems);
    let services = served.into_iter().map(|served| served.service).collect();
    (services, problems.iter().map(ToString::to_string).collect())
}

fn fine(cluster: &Cluster) -> Vec<intent::Service> {
    let (services, problems) = rendered(cluster, "red");
    assert_eq!(problems, [""; 0]);
    services
}

fn states(service: &intent::Service) -> BTreeMap<IpAddr, BackendState> {
    service.backends.iter().map(|backend| (backend.address, backend.state)).collect()
}

#[test]
fn a_service_leads_to_the_pods_behind_it_on_all_nodes() {
    let services = fine(&shop());
    let backend =
        |address: &str| Backend { address: address.parse().unwrap(), weight: 1, state: BackendState::Ready };
    let web = intent::Service {
        name: "red/web".into(),
        addresses: addresses(&["10.96.0.1"]),
        ports: vec![intent::ServicePort { transport: Transport::Tcp, port: 80, target_port: 8080 }],
        backends: vec![backend("10.0.1.2"), backend("10.0.2.2")],
        traffic_policy: TrafficPolicy::Cluster,
        affinity: None,
        remote: RemoteBackends::Direct,
        advertise: None,
        graceful_shutdown: false,
    };
    assert_eq!(services, [web]);
}

#[test]
fn kinds_of_addresses_are_apart_with_their_own_traffic_policies() {
    let cluster = shop().with(|world| {
        let web = world.services.get_mut(&key("red/web")).unwrap();
        web.load_balancer_ips = addresses(&["203.0.113.1", "2001:db8:100::1"]);
        web.external_ips = addresses(&["203.0.113.2", "203.0.113.1"]);
        web.external_traffic_policy = TrafficPolicy::Local;
    });
    let services = fine(&cluster);
    let told: Vec<_> =
        services.iter().map(|s| (s.name.as_str(), s.addresses.clone(), s.traffic_policy)).collect();
    assert_eq!(
        told,
        [
            ("red/web:load-balancer", addresses(&["203.0.113.1", "2001:db8:100::1"]), TrafficPolicy::Local),
            ("red/web:external", addresses(&["203.0.113.2"]), TrafficPolicy::Local),
            ("red/web", addresses(&["10.96.0.1"]), TrafficPolicy::Cluster),
        ]
    );
}

#[test]
fn the_same_addresses_in_two_tenants_never_meet() {
    let cluster = shop().tenant("blue").pod("blue/a", "n1", &["10.0.1.2"], &[]).with(|world| {
        world.services.insert(key("blue/web"), service("10.96.0.1"));
        let own = slice(9090, &[("a", "10.0.1.2")]);
        world.endpoint_slices.insert(key("blue/web-x"), own);
        // Names a pod of another namespace by address, and one of its own by a wrong address.
        let others = slice(9090, &[("c", "10.0.2.2"), ("a", "10.0.2.2")]);
        world.endpoint_slices.insert(key("blue/web-y"), others);
    });
    let (blue, problems) = rendered(&cluster, "blue");
    assert_eq!(problems, [""; 0]);
    assert_eq!(states(&blue[0]).keys().copied().collect::<Vec<_>>(), addresses(&["10.0.1.2"]));
    assert_eq!(blue[0].ports[0].target_port, 9090);
    assert_eq!(states(&fine(&cluster)[0]).len(), 2);
}

#[test]
fn of_a_namespace_that_two_vrfs_are_open_to_each_has_the_services_of_its_pods() {
    let cluster = shop().vrf("red-lab", |vrf| {
        vrf.namespace_selector = Some(selector(&[("tenant", "red")]));
        vrf.pod_selector = Some(selector(&[("lab", "yes")]));
    });
    assert_eq!(rendered(&cluster, "red").0.len(), 1);
    assert_eq!(rendered(&cluster, "red-lab").0, []);
}

#[test]
fn a_service_without_endpoints_is_there_and_refuses() {
    let services = fine(&shop().with(|world| world.endpoint_slices.clear()));
    assert_eq!(services[0].backends, []);
    assert_eq!(services[0].ports[0].target_port, 80);
}

#[test]
fn endpoints_are_ready_drain_or_are_down() {
    let with = |ready, serving, terminating| {
        let cluster = shop().with(|world| {
            let slice = world.endpoint_slices.get_mut(&key("red/web-x")).unwrap();
            let a = &mut slice.endpoints[0];
            (a.ready, a.serving, a.terminating) = (ready, serving, terminating);
        });
        states(&fine(&cluster)[0])[&"10.0.1.2".parse().unwrap()]
    };
    assert_eq!(with(true, true, false), BackendState::Ready);
    assert_eq!(with(false, true, true), BackendState::Draining);
    assert_eq!(with(false, false, true), BackendState::Down);
    assert_eq!(with(false, false, false), BackendState::Down);
    assert_eq!(with(true, false, true), BackendState::Ready, "publishNotReadyAddresses");
}

#[test]
fn a_port_has_one_target_and_ports_with_other_backends_are_a_service_of_their_own() {
    let cluster = shop().with(|world| {
        let second = ServicePort { name: "metrics".into(), protocol: Protocol::Tcp, port: 81 };
        world.services.get_mut(&key("red/web")).unwrap().ports.push(second);
        let mut one = slice(8080, &[("a", "10.0.1.2")]);
        one.ports.push(EndpointPort { name: "metrics".into(), protocol: Protocol::Tcp, port: 9100 });
        world.endpoint_slices.insert(key("red/web-x"), one);
        world.endpoint_slices.insert(key("red/web-y"), slice(8080, &[("b", "10.0.2.2")]));
    });
    let services = fine(&cluster);
    let told: Vec<_> =
        services.iter().map(|s| (s.name.as_str(), s.ports[0].target_port, s.backends.len())).collect();
    assert_eq!(told, [("red/web", 8080, 2), ("red/web/metrics", 9100, 1)]);

    let cluster = cluster.with(|world| {
        world.endpoint_slices.insert(key("red/web-y"), slice(8081, &[("b", "10.0.2.2")]));
    });
    let (services, problems) = rendered(&cluster, "red");
    assert_eq!(services[0].ports.iter().map(|port| port.target_port).collect::<Vec<_>>(), [8080, 9100]);
    assert_eq!(
        problems,
        [
            "Service red/web: spec.ports: port 80 leads to 8080 at most pods, and elsewhere at 1, which are left out; \
          give the port of all pods the same number"
        ]
    );
}

#[test]
fn ports_of_sctp_stay() {
    let cluster = shop().with(|world| {
        world.services.get_mut(&key("red/web")).unwrap().ports[0].protocol = Protocol::Sctp;
        world.endpoint_slices.get_mut(&key("red/web-x")).unwrap().ports[0].protocol = Protocol::Sctp;
    });
    let (services, problems) = rendered(&cluster, "red");
    assert_eq!(services, []);
    assert!(problems[0].contains("SCTP port 80 leads to 8080"), "{problems:?}");
}

#[test]
fn affinity_lasts_a_second_to_a_day() {
    let with = |seconds| {
        let cluster = shop().with(|world| {
            world.services.get_mut(&key("red/web")).unwrap().affinity = Some(Duration::from_secs(seconds));
        });
        let (services, problems) = rendered(&cluster, "red");
        (services[0].affinity.unwrap().as_secs(), problems.len())
    };
    assert_eq!([with(0), with(10_800), with(86_401)], [(1, 1), (10_800, 0), (86_400, 1)]);
}

#[test]
fn a_vip_that_somebody_has_is_given_to_no_service() {
    let told = |edit: fn(&mut World)| {
        let (services, problems) = rendered(&shop().with(edit), "red");
        assert!(services.iter().all(|service| service.name != "red/web"), "{services:?}");
        problems
    };
    fn vip(world: &mut World, vip: &str) {
        world.services.get_mut(&key("red/web")).unwrap().cluster_ips = addresses(&[vip]);
    }
    let remedy = "give the Service an address of its own";
    for (edit, problem) in [
        ((|world| vip(world, "10.0.2.2")) as fn(&mut World), "10.0.2.2: it is that of pod red/b already"),
        (|world| vip(world, "169.254.1.1"), "169.254.1.1: it cannot be a VIP"),
        (
            |world| {
                world.services.insert(key("red/a"), service("10.96.0.1"));
            },
            "10.96.0.1: it has TCP port 80 already, for Service red/a",
        ),
        (
            |world| {
                let mut other = service("10.96.0.1");
                other.ports[0].port = 81;
                other.internal_traffic_policy = TrafficPolicy::Local;
                world.services.insert(key("red/a"), other);
            },
            "10.96.0.1: it is shared with Service red/a, which has traffic policy local, and not cluster",
        ),
    ] {
        assert_eq!(told(edit), [format!("Service red/web: {problem}; {remedy}")]);
    }
    let shared = shop().with(|world| {
        let mut other = service("10.96.0.1");
        other.ports[0].port = 81;
        world.services.insert(key("red/a"), other);
    });
    assert_eq!(fine(&shared).len(), 2, "with other ports it may be shared");
}

#[test]
fn a_node_is_drained_by_its_override_and_not_by_a_cordon() {
    let cordoned = shop().with(|world| world.nodes.get_mut("n1").unwrap().unschedulable = true);
    assert!(!fine(&cordoned)[0].graceful_shutdown);
    let drained = BgpNodeOverrideSpec { graceful_shutdown: true, ..BgpNodeOverrideSpec::default() };
    let drained = shop().with(|world| drop(world.bgp_node_overrides.insert("n1".into(), object(drained))));
    assert!(fine(&drained)[0].graceful_shutdown);
}
