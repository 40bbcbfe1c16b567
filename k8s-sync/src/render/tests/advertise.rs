use std::collections::BTreeMap;

use bgp_wire::attribute::Community;
use vrf_manager::intent::{RouteAttributes, Source, TrafficPolicy, Vrf};

use super::*;
use crate::{
    api::{
        self, Advertisement, AdvertisementKind, BgpAdvertisementSpec, EgressGateways, EgressPolicySpec,
        EgressSource, PodNetwork, PodRange, ServiceAddress,
    },
    render::testing::{addresses, key, labels, object, selector},
    world::{Endpoint, EndpointPort, EndpointSlice, Protocol, Service, ServicePort},
};

fn advertisement(kind: AdvertisementKind) -> Advertisement {
    Advertisement { kind, addresses: vec![], selector: None, attributes: api::RouteAttributes::default() }
}

fn services(of: &[ServiceAddress]) -> Advertisement {
    Advertisement { addresses: of.to_vec(), ..advertisement(AdvertisementKind::Service) }
}

fn colored(color: u32) -> api::RouteAttributes {
    api::RouteAttributes { color: Some(color), ..api::RouteAttributes::default() }
}

fn advertise(world: &mut World, name: &str, vrf: Option<&str>, advertisements: Vec<Advertisement>) {
    let spec = BgpAdvertisementSpec { vrf: vrf.map(str::to_owned), node_selector: None, advertisements };
    world.bgp_advertisements.insert(name.into(), object(spec));
}

fn in_red(advertisements: Vec<Advertisement>) -> impl FnOnce(&mut World) {
    |world| advertise(world, "of-red", Some("red"), advertisements)
}

fn globally(advertisements: Vec<Advertisement>) -> impl FnOnce(&mut World) {
    |world| advertise(world, "global", None, advertisements)
}

fn red(mut intent: Intent) -> Vrf {
    intent.vrfs.remove(0)
}

fn networks(intent: &Intent) -> Vec<String> {
    intent.bgp.networks.iter().map(|network| network.prefix.to_string()).collect()
}

#[test]
fn routes_of_a_vrf_are_advertised_by_kind_and_the_first_that_says_how_counts() {
    let cluster = Cluster::new().vrf("red", |_| ()).with(in_red(vec![
        Advertisement { attributes: colored(7), ..advertisement(AdvertisementKind::Connected) },
        Advertisement { attributes: colored(8), ..advertisement(AdvertisementKind::Connected) },
        advertisement(AdvertisementKind::PodIp),
    ]));
    let with = |color| RouteAttributes { color, ..RouteAttributes::default() };
    let expected = BTreeMap::from([(Source::Connected, with(Some(7))), (Source::Host, with(None))]);
    assert_eq!(red(clean(&cluster)).redistribute, expected);
}

fn with_pod_network(vrf: &mut api::VrfSpec) {
    let range = |cidr: &str| PodRange { cidr: cidr.into(), node_prefix_length: None };
    vrf.pod_network = Some(PodNetwork { ranges: vec![range("10.128.0.0/16"), range("fd00:1::/48")] });
}

#[test]
fn the_aggregate_of_a_vrf_is_a_blackhole_for_the_nodes_blocks() {
    let cluster = Cluster::new()
        .vrf("red", with_pod_network)
        .with(in_red(vec![advertisement(AdvertisementKind::PodCidr)]));
    let vrf = red(clean(&cluster));
    let routes: Vec<_> = vrf.static_routes.iter().map(|route| route.prefix.to_string()).collect();
    assert_eq!(routes, ["10.128.1.0/24", "fd00:1:0:1::/64"]);
    assert!(vrf.redistribute.contains_key(&Source::Static));
}

#[test]
fn static_routes_are_not_advertised_for_the_sake_of_the_aggregate() {
    let cluster = Cluster::new()
        .vrf("red", |vrf| {
            with_pod_network(vrf);
            vrf.static_routes = vec![api::StaticRoute {
                prefix: "10.9.0.0/16".into(),
                via: None,
                segments: vec![],
                blackhole: true,
            }];
        })
        .with(in_red(vec![advertisement(AdvertisementKind::PodCidr)]));
    let (intent, problems) = rendered(&cluster);
    assert_eq!(red(intent).redistribute, [].into());
    assert_eq!(problems, [("BgpAdvertisement of-red".into(), Reason::Unsupported)]);
}

#[test]
fn what_would_say_more_than_is_written_is_left_out() {
    let selective = |kind| Advertisement { selector: Some(selector(&[("a", "b")])), ..advertisement(kind) };
    let cluster = Cluster::new()
        .vrf("red", |_| ())
        .with(in_red(vec![
            selective(AdvertisementKind::PodIp),
            selective(AdvertisementKind::Connected),
            advertisement(AdvertisementKind::Locator),
            services(&[]),
        ]))
        .with(globally(vec![advertisement(AdvertisementKind::Static)]));
    let (intent, problems) = rendered(&cluster);
    assert_eq!((intent.bgp.networks.len(), red(intent).redistribute), (0, [].into()));
    let told = |name: &str, reason| (format!("BgpAdvertisement {name}"), reason);
    let of_red = vec![told("of-red", Reason::Invalid); 3];
    let more = vec![told("of-red", Reason::Unsupported)];
    assert_eq!(problems, [vec![told("global", Reason::Invalid)], of_red, more].concat());
}

/// Service `NAMESPACE/web` with a VIP of each kind, and one endpoint that is this pod.
fn service(world: &mut World, namespace: &str, pod: &str, address: &str, node: &str) {
    let web = Service {
        labels: labels(&[("app", "web")]),
        cluster_ips: addresses(&["10.96.0.1"]),
        external_ips: addresses(&["198.51.100.1"]),
        load_balancer_ips: addresses(&["203.0.113.1", "2001:db8:100::1"]),
        ports: vec![ServicePort { name: String::new(), protocol: Protocol::Tcp, port: 80 }],
        ..Service::default()
    };
    let endpoint = Endpoint {
        addresses: addresses(&[address]),
        ready: true,
        serving: true,
        terminating: false,
        node: Some(node.into()),
        pod: Some(pod.into()),
    };
    let slice = EndpointSlice {
        service: "web".into(),
        ports: vec![EndpointPort { name: String::new(), protocol: Protocol::Tcp, port: 8080 }],
        endpoints: vec![endpoint],
    };
    world.services.insert(key(&format!("{namespace}/web")), web);
    world.endpoint_slices.insert(key(&format!("{namespace}/web-1")), slice);
}

#[test]
fn addresses_of_a_service_are_advertised_as_is_selected_and_served_anyhow() {
    let cluster = Cluster::new()
        .tenant("red")
        .pod("red/a", "n1", &["10.0.1.2"], &[])
        .with(|world| service(world, "red", "a", "10.0.1.2", "n1"))
        .with(in_red(vec![Advertisement {
            selector: Some(selector(&[("app", "web")])),
            attributes: colored(7),
            ..services(&[ServiceAddress::LoadBalancerIp])
        }]));
    let services = red(clean(&cluster)).services;
    let advertised: Vec<_> = services.iter().filter(|service| service.advertise.is_some()).collect();
    assert_eq!(advertised.len(), 1);
    assert_eq!(advertised[0].addresses, addresses(&["203.0.113.1", "2001:db8:100::1"]));
    assert_eq!(advertised[0].advertise.as_ref().unwrap().color, Some(7));
    assert_eq!(services.iter().map(|service| service.addresses.len()).sum::<usize>(), 4);
}

/// A pod in no VRF, and its Service.
fn plain() -> Cluster {
    Cluster::new()
        .namespace("shop", &[])
        .pod("shop/a", "n1", &["10.244.1.2"], &[("app", "web")])
        .with(|world| service(world, "shop", "a", "10.244.1.2", "n1"))
}

#[test]
fn the_global_table_originates_what_is_selected() {
    let all = [ServiceAddress::LoadBalancerIp, ServiceAddress::ExternalIp, ServiceAddress::ClusterIp];
    let cases: [(Advertisement, &[&str]); 6] = [
        (advertisement(AdvertisementKind::PodCidr), &["10.244.1.0/24"]),
        (advertisement(AdvertisementKind::PodIp), &["10.244.1.2/32"]),
        (
            Advertisement {
                selector: Some(selector(&[("app", "db")])),
                ..advertisement(AdvertisementKind::PodIp)
            },
            &[],
        ),
        (advertisement(AdvertisementKind::Locator), &["fc00:0:1::/48"]),
        (services(&all[..1]), &["203.0.113.1/32"]),
        (services(&all), &["10.96.0.1/32", "198.51.100.1/32", "203.0.113.1/32"]),
    ];
    for (what, expected) in cases {
        let intent = clean(&plain().with(globally(vec![what.clone()])));
        assert_eq!(networks(&intent), expected, "{what:?}");
    }
}

#[test]
fn a_vip_of_the_global_table_is_there_while_a_backend_is_ready_where_the_policy_wants_it() {
    let cases: [(Edit, bool); 5] = [
        (|_| (), true),
        (|w| slice(w).endpoints[0].ready = false, false),
        (|w| slice(w).endpoints[0].node = Some("n2".into()), true),
        (|w| w.services.values_mut().for_each(|s| s.external_traffic_policy = TrafficPolicy::Local), true),
        (
            |w| {
                w.services.values_mut().for_each(|s| s.external_traffic_policy = TrafficPolicy::Local);
                slice(w).endpoints[0].node = Some("n2".into());
            },
            false,
        ),
    ];
    for (i, (edit, there)) in cases.into_iter().enumerate() {
        let cluster = plain().with(edit).with(globally(vec![services(&[ServiceAddress::LoadBalancerIp])]));
        assert_eq!(!networks(&clean(&cluster)).is_empty(), there, "case {i}");
    }
}

fn slice(world: &mut World) -> &mut EndpointSlice {
    world.endpoint_slices.get_mut(&key("shop/web-1")).unwrap()
}

#[test]
fn nothing_of_a_tenant_is_in_the_global_table() {
    let cluster = Cluster::new()
        .tenant("red")
        .pod("red/a", "n1", &["10.0.1.2"], &[])
        .with(|world| service(world, "red", "a", "10.0.1.2", "n1"))
        .with(globally(vec![
            advertisement(AdvertisementKind::PodIp),
            services(&[ServiceAddress::LoadBalancerIp]),
        ]));
    assert_eq!(networks(&clean(&cluster)), [""; 0]);
}

#[test]
fn egress_addresses_have_the_attributes_that_are_written_and_the_local_pref_of_their_gateways_place() {
    let communities = |text: &str| api::RouteAttributes {
        communities: vec![text.into()],
        ..api::RouteAttributes::default()
    };
    let policy = EgressPolicySpec {
        vrf: "red".into(),
        sources: vec![EgressSource::default()],
        destination_cidrs: vec!["0.0.0.0/0".into()],
        except_cidrs: vec![],
        egress_ips: vec!["203.0.113.9".into()],
        gateways: EgressGateways { node_selector: selector(&[]), port_block: None },
    };
    let egress =
        |text| Advertisement { attributes: communities(text), ..advertisement(AdvertisementKind::EgressIp) };
    let cluster = Cluster::new()
        .tenant("red")
        .with(|world| drop(world.egress_policies.insert("internet".into(), object(policy))))
        .with(in_red(vec![egress("65000:1")]))
        .with(globally(vec![egress("no-export")]));
    let intent = clean(&cluster);
    let network = &intent.bgp.networks[0];
    assert_eq!(network.prefix.to_string(), "203.0.113.9/32");
    assert_eq!(network.attributes.local_preference, Some(200));
    assert_eq!(network.attributes.communities, [Community::NO_EXPORT].into());
    let attributes = red(intent).egress.remove(0).gateway.unwrap().attributes;
    assert_eq!(attributes.local_preference, Some(200));
    assert_eq!(attributes.communities, ["65000:1".parse().unwrap()].into());
}
