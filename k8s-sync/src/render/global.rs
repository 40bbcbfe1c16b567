//! The global table: what the node originates as plain unicast.

use std::{collections::BTreeMap, net::IpAddr};

use bgp_wire::attribute::Community;
use ipnet::IpNet;
use vrf_manager::intent::{EgressGateway, Network, RouteAttributes, TrafficPolicy};

use super::{
    Membership,
    address::is_unicast,
    advertise::Rule,
    draft::{Draft, Origin},
    node::Node,
};
use crate::{
    api::{AdvertisementKind, ServiceAddress},
    world::{Endpoint, EndpointSlice, Key, Service},
};

/// The networks by prefix, each as the first rule says that advertises it. The draft has all but these, and nothing that is left out.
pub(super) fn networks(
    node: &Node<'_>,
    membership: &Membership<'_>,
    rules: &[Rule<'_>],
    draft: &Draft,
) -> Vec<(Origin, Network)> {
    let table = Global { node, membership, draft, services: Services::of(node, membership, rules) };
    let mut networks = BTreeMap::new();
    for rule in rules {
        for (prefix, attributes) in table.advertised(rule) {
            let network = || (rule.origin.clone(), Network { prefix, attributes });
            networks.entry(prefix).or_insert_with(network);
        }
    }
    networks.into_values().collect()
}

struct Global<'n, 'a> {
    node: &'n Node<'a>,
    membership: &'n Membership<'a>,
    draft: &'n Draft,
    services: Services<'n>,
}

impl Global<'_, '_> {
    fn advertised(&self, rule: &Rule<'_>) -> Vec<(IpNet, RouteAttributes)> {
        let plainly = |prefixes: Vec<IpNet>| {
            prefixes.into_iter().map(|prefix| (prefix, rule.attributes.clone())).collect()
        };
        match rule.of.kind {
            AdvertisementKind::PodCidr => {
                plainly(self.node.known.pod_cidrs.iter().map(IpNet::trunc).collect())
            }
            AdvertisementKind::PodIp => plainly(self.pods(rule)),
            AdvertisementKind::Service => plainly(self.services.advertised(rule, self.node.inputs.node)),
            AdvertisementKind::Locator => plainly(self.locators()),
            AdvertisementKind::EgressIp => self.egress(rule),
            AdvertisementKind::Connected | AdvertisementKind::Static => Vec::new(),
        }
    }

    /// Pods of the node that are in no VRF: a tenant's address means something in his VRF only.
    fn pods(&self, rule: &Rule<'_>) -> Vec<IpNet> {
        let inputs = self.node.inputs;
        let here = inputs.world.pods.iter().filter(|(key, pod)| {
            let global = !pod.host_network && self.membership.is_global(key);
            global && pod.node.as_deref() == Some(inputs.node) && rule.selects(&pod.labels)
        });
        let addresses = here.flat_map(|(_, pod)| pod.addresses.iter().copied());
        addresses.filter(|address| is_unicast(*address)).map(IpNet::from).collect()
    }

    fn locators(&self) -> Vec<IpNet> {
        let locators = self.draft.intent.srv6.locators.iter().map(|named| &named.locator);
        // A locator is no longer than 128 bits.
        locators.filter_map(|l| IpNet::new(l.prefix().addr().into(), l.prefix_len()).ok()).collect()
    }

    /// Egress addresses that the node has, the gateways in their order.
    fn egress(&self, rule: &Rule<'_>) -> Vec<(IpNet, RouteAttributes)> {
        let policies = &self.node.inputs.world.egress_policies;
        let vrfs = self.draft.intent.vrfs.iter().zip(&self.draft.vrfs);
        let all = vrfs.flat_map(|(vrf, origins)| vrf.egress.iter().zip(&origins.egress));
        let gateways = all.filter_map(|(policy, origin)| {
            let object = policies.get(&origin.object.name)?;
            policy.gateway.as_ref().filter(|_| rule.selects(&object.labels))
        });
        let of_gateway = |gateway: &EgressGateway| {
            let attributes = egress_attributes(gateway, &rule.attributes);
            let addresses = gateway.addresses.iter().copied().map(IpNet::from).collect::<Vec<_>>();
            addresses.into_iter().map(move |address| (address, attributes.clone()))
        };
        gateways.flat_map(of_gateway).collect()
    }
}

/// The rule's, with the LOCAL_PREF of the gateway's place unless the rule has one.
fn egress_attributes(gateway: &EgressGateway, rule: &RouteAttributes) -> RouteAttributes {
    let mut attributes = rule.clone();
    attributes.local_preference = rule.local_preference.or(gateway.attributes.local_preference);
    if gateway.graceful_shutdown {
        attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
    }
    attributes
}

/// Services with those of their endpoints that are in no VRF.
struct Services<'n> {
    services: Vec<(&'n Service, Vec<&'n Endpoint>)>,
}

impl<'n> Services<'n> {
    /// Nothing where no rule asks for them.
    fn of(node: &Node<'n>, membership: &Membership<'_>, rules: &[Rule<'_>]) -> Self {
        if !rules.iter().any(|rule| rule.of.kind == AdvertisementKind::Service) {
            return Self { services: Vec::new() };
        }
        let world = node.inputs.world;
        let mut ready = BTreeMap::<(&str, &str), Vec<&Endpoint>>::new();
        for (key, slice) in &world.endpoint_slices {
            let of_service = ready.entry((&key.namespace, &slice.service)).or_default();
            of_service.extend(in_no_vrf(key, slice, membership));
        }
        let of = |(key, service): (&'n Key, &'n Service)| {
            let endpoints = ready.remove(&(key.namespace.as_str(), key.name.as_str()));
            (service, endpoints.unwrap_or_default())
        };
        Self { services: world.services.iter().map(of).collect() }
    }

    /// The addresses with a ready endpoint of their family; with policy `Local` one on this node.
    fn advertised(&self, rule: &Rule<'_>, node: &str) -> Vec<IpNet> {
        let mut advertised = Vec::new();
        for (service, endpoints) in self.services.iter().filter(|(service, _)| rule.selects(&service.labels))
        {
            for kind in &rule.of.addresses {
                let (addresses, policy) = of_kind(service, *kind);
                let serves = |endpoint: &&&Endpoint| {
                    policy == TrafficPolicy::Cluster || endpoint.node.as_deref() == Some(node)
                };
                let family = |ipv4: bool| {
                    let mut serving =
                        endpoints.iter().filter(serves).flat_map(|endpoint| &endpoint.addresses);
                    serving.any(|address| address.is_ipv4() == ipv4)
                };
                let (ipv4, ipv6) = (family(true), family(false));
                let reachable = |vip: &&IpAddr| is_unicast(**vip) && if vip.is_ipv4() { ipv4 } else { ipv6 };
                advertised.extend(addresses.iter().filter(reachable).copied().map(IpNet::from));
            }
        }
        advertised
    }
}

/// The ready ones. What has no pod is outside of the cluster.
fn in_no_vrf<'n>(
    slice: &Key,
    EndpointSlice { endpoints, .. }: &'n EndpointSlice,
    membership: &Membership<'_>,
) -> impl Iterator<Item = &'n Endpoint> {
    let global = |pod: &String| membership.is_global(&Key::new(&slice.namespace, pod));
    endpoints.iter().filter(move |endpoint| endpoint.ready && endpoint.pod.as_ref().is_none_or(global))
}

fn of_kind(service: &Service, kind: ServiceAddress) -> (&[IpAddr], TrafficPolicy) {
    match kind {
        ServiceAddress::LoadBalancerIp => (&service.load_balancer_ips, service.external_traffic_policy),
        ServiceAddress::ExternalIp => (&service.external_ips, service.external_traffic_policy),
        ServiceAddress::ClusterIp => (&service.cluster_ips, service.internal_traffic_policy),
    }
}
