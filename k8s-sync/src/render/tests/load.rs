use std::time::Instant;

use super::*;
use crate::{
    api::{Advertisement, AdvertisementKind, BgpAdvertisementSpec, RouteAttributes, ServiceAddress},
    render::testing::{addresses, key, labels, object},
    world::{Endpoint, EndpointPort, EndpointSlice, Key, Protocol, Service, ServicePort},
};

const VRFS: u32 = 200;
const PODS: u32 = 5000;
const SERVICES: u32 = 1000;
/// What a kubelet runs where nothing else is said.
const PODS_HERE: u32 = 110;

/// 200 tenants with 25 pods and 5 services each, and all that is advertised of them.
fn large() -> Cluster {
    let mut cluster = (0..VRFS).fold(Cluster::new(), |cluster, vrf| cluster.tenant(&format!("t{vrf}")));
    for pod in 0..PODS {
        let (node, vrf) = (if pod < PODS_HERE { "n1" } else { "n2" }, pod % VRFS);
        let name = format!("t{vrf}/p{pod}");
        cluster =
            cluster.pod(&name, node, &[&format!("10.{}.{}.2", pod / 200, pod % 200)], &[("app", "web")]);
    }
    for number in 0..SERVICES {
        let vrf = number % VRFS;
        let service = Key::new(format!("t{vrf}"), format!("s{number}"));
        let world = &mut cluster.world;
        world.endpoint_slices.insert(service.clone(), slice(&service, &world.pods));
        world.services.insert(service, served(number));
    }
    let kinds = [AdvertisementKind::PodIp, AdvertisementKind::Service, AdvertisementKind::Connected];
    for vrf in (0..VRFS).map(|vrf| Some(format!("t{vrf}"))).chain([None]) {
        let advertisements = kinds.map(|kind| Advertisement {
            kind,
            addresses: vec![ServiceAddress::LoadBalancerIp],
            selector: None,
            attributes: RouteAttributes::default(),
        });
        let global = vrf.is_none();
        let advertisements = advertisements.into_iter().filter(|of| !global || of.kind != kinds[2]).collect();
        let name = vrf.clone().unwrap_or_else(|| "global".into());
        let spec = BgpAdvertisementSpec { vrf, node_selector: None, advertisements };
        cluster.world.bgp_advertisements.insert(name, object(spec));
    }
    cluster
}

fn served(number: u32) -> Service {
    Service {
        labels: labels(&[("app", "web")]),
        load_balancer_ips: addresses(&[&format!("203.{}.{}.1", number / 250, number % 250)]),
        cluster_ips: addresses(&[&format!("172.16.{}.{}", number / 250, number % 250 + 1)]),
        ports: vec![ServicePort { name: String::new(), protocol: Protocol::Tcp, port: 80 }],
        ..Service::default()
    }
}

/// All pods of the tenant.
fn slice(service: &Key, pods: &std::collections::BTreeMap<Key, crate::world::Pod>) -> EndpointSlice {
    let of_tenant = pods.range(key(&format!("{}/", service.namespace))..);
    let of_tenant = of_tenant.take_while(|(key, _)| key.namespace == service.namespace);
    let endpoint = |(key, pod): (&Key, &crate::world::Pod)| Endpoint {
        addresses: pod.addresses.clone(),
        ready: true,
        serving: true,
        terminating: false,
        node: pod.node.clone(),
        pod: Some(key.name.clone()),
    };
    EndpointSlice {
        service: service.name.clone(),
        ports: vec![EndpointPort { name: String::new(), protocol: Protocol::Tcp, port: 8080 }],
        endpoints: of_tenant.map(endpoint).collect(),
    }
}

/// Generous, for tests are not optimized and machines are shared; a scan of all pods for each VRF and Service would not pass.
#[test]
fn a_large_cluster_is_rendered_at_once() {
    let cluster = large();
    let begun = Instant::now();
    let (intent, problems) = rendered(&cluster);
    let took = begun.elapsed();
    eprintln!("{PODS} pods, {SERVICES} services, {VRFS} VRFs: {took:?}");
    assert_eq!(problems, []);
    assert_eq!(intent.vrfs.iter().map(|vrf| vrf.circuits.len()).sum::<usize>(), PODS_HERE as usize);
    assert_eq!(intent.vrfs.iter().map(|vrf| vrf.services.len()).sum::<usize>(), 2 * SERVICES as usize);
    assert!(took.as_secs() < 10, "{took:?}");
}
