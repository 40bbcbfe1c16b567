//! Services of a VRF: VIPs in front of endpoints that are its pods.
//!
//! An endpoint counts by its pod's name and its address together, never by the address alone: tenants' overlap. A Service of a
//! namespace that several VRFs are open to is in each that has endpoints of it. Every node makes the same of the same world,
//! for packets go to backends behind other nodes as they are, and these must choose alike.
//!
//! A cordoned node goes on advertising VIPs: its pods still serve. It is drained by `gracefulShutdown` of its BgpNodeOverride.

mod endpoints;
#[cfg(test)]
mod tests;
mod vips;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use srv6_dp::model::Transport;
use vrf_manager::intent::{self, RemoteBackends, ServicePort, TrafficPolicy};

use super::{Problem, Reason, Scope, membership::is_open_to, namespace::in_namespace, parse::Reader};
use crate::{
    api::ServiceAddress,
    world::{EndpointSlice, Key, ObjectRef, Protocol, Service, World},
};
use endpoints::{Backends, Endpoints};
use vips::Vips;

/// A day: what the dataplane and Kubernetes both take at most.
const LONGEST_AFFINITY: Duration = Duration::from_secs(86_400);

/// Addresses of a Service of one kind, as the intent has them. They are apart for kinds are advertised apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served<'a> {
    /// The Service.
    pub(crate) key: &'a Key,
    /// It.
    pub(crate) object: &'a Service,
    /// Kind of its VIPs.
    pub(crate) kind: ServiceAddress,
    /// What becomes of it; not advertised as yet.
    pub(crate) service: intent::Service,
}

/// The services of a VRF.
pub(crate) fn of_vrf<'a>(scope: &Scope<'a>, problems: &mut Vec<Problem>) -> Vec<Served<'a>> {
    let world = scope.inputs.world;
    let open = world.namespaces.keys().filter(|name| is_open_to(&scope.vrf.spec, world, name));
    let mut vips = Vips::of(scope);
    let mut served = Vec::new();
    for namespace in open {
        let mut slices = slices(world, namespace);
        for (key, object) in in_namespace(&world.services, namespace) {
            let endpoints = Endpoints::of(scope, key, slices.remove(key.name.as_str()).unwrap_or_default());
            if endpoints.is_empty() && !is_only_one(scope, namespace) {
                continue;
            }
            let mut reader = Reader::new(ObjectRef::namespaced("Service", key), problems);
            served.extend(served_of(scope, key, object, &endpoints, &mut vips, &mut reader));
        }
    }
    served
}

fn slices<'a>(world: &'a World, namespace: &'a str) -> BTreeMap<&'a str, Vec<&'a EndpointSlice>> {
    let mut slices = BTreeMap::<_, Vec<_>>::new();
    for (_, slice) in in_namespace(&world.endpoint_slices, namespace) {
        slices.entry(slice.service.as_str()).or_default().push(slice);
    }
    slices
}

/// Whether no other VRF could have the endpoints that a Service of the namespace will get.
fn is_only_one(scope: &Scope<'_>, namespace: &str) -> bool {
    let world = scope.inputs.world;
    let mut others = world.vrfs.iter().filter(|(name, _)| *name != scope.name);
    !others.any(|(_, vrf)| is_open_to(&vrf.spec, world, namespace))
}

fn served_of<'a>(
    scope: &Scope<'a>,
    key: &'a Key,
    object: &'a Service,
    endpoints: &Endpoints<'_>,
    vips: &mut Vips,
    reader: &mut Reader<'_>,
) -> Vec<Served<'a>> {
    let groups = groups(object, endpoints, reader);
    let affinity = affinity(object, reader);
    let graceful_shutdown = is_drained(scope);
    let ports: Vec<_> = groups.iter().flat_map(|group| &group.ports).copied().collect();
    let (mut served, mut seen) = (Vec::new(), BTreeSet::new());
    for (kind, suffix, addresses) in kinds(object) {
        let traffic_policy = policy(object, kind);
        let mut free = |vip: &&_| seen.insert(**vip) && vips.take(**vip, key, &ports, traffic_policy, reader);
        let addresses: Vec<_> = addresses.iter().filter(&mut free).copied().collect();
        for group in groups.iter().filter(|_| !addresses.is_empty()) {
            let service = intent::Service {
                name: format!("{key}{suffix}{}", group.suffix),
                addresses: addresses.clone(),
                ports: group.ports.clone(),
                backends: group.backends.iter().map(endpoints::backend).collect(),
                traffic_policy,
                affinity,
                remote: RemoteBackends::Direct,
                advertise: None,
                graceful_shutdown,
            };
            served.push(Served { key, object, kind, service });
        }
    }
    served
}

/// With what the kinds are told apart in names. An address that is of two kinds is of the first.
fn kinds(object: &Service) -> [(ServiceAddress, &'static str, &[IpAddr]); 3] {
    [
        (ServiceAddress::LoadBalancerIp, ":load-balancer", &object.load_balancer_ips),
        (ServiceAddress::ExternalIp, ":external", &object.external_ips),
        (ServiceAddress::ClusterIp, "", &object.cluster_ips),
    ]
}

fn policy(object: &Service, kind: ServiceAddress) -> TrafficPolicy {
    match kind {
        ServiceAddress::ClusterIp => object.internal_traffic_policy,
        ServiceAddress::LoadBalancerIp | ServiceAddress::ExternalIp => object.external_traffic_policy,
    }
}

fn is_drained(scope: &Scope<'_>) -> bool {
    let of_node = scope.inputs.world.bgp_node_overrides.get(scope.inputs.node);
    of_node.is_some_and(|of_node| of_node.spec.graceful_shutdown)
}

/// Ports with the same backends.
struct Group {
    /// Tells its name from that of the first.
    suffix: String,
    ports: Vec<ServicePort>,
    backends: Backends,
}

fn groups(object: &Service, endpoints: &Endpoints<'_>, reader: &mut Reader<'_>) -> Vec<Group> {
    let mut groups = Vec::<Group>::new();
    for port in &object.ports {
        let (target_port, backends) = endpoints.behind(port, reader);
        let transport = transport(port.protocol);
        if transport == Transport::Sctp && target_port != port.port {
            let problem = format_args!(
                "SCTP port {} leads to {target_port}, and ports of SCTP cannot be translated; write the same",
                port.port
            );
            reader.tell(Reason::Unsupported, "spec.ports", problem);
            continue;
        }
        let port_there = ServicePort { transport, port: port.port, target_port };
        match groups.iter_mut().find(|group| group.backends == backends) {
            Some(group) => group.ports.push(port_there),
            None => {
                let suffix = if groups.is_empty() { String::new() } else { format!("/{}", port.name) };
                groups.push(Group { suffix, ports: vec![port_there], backends });
            }
        }
    }
    groups
}

fn transport(protocol: Protocol) -> Transport {
    match protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
        Protocol::Sctp => Transport::Sctp,
    }
}

fn affinity(object: &Service, reader: &mut Reader<'_>) -> Option<Duration> {
    let wanted = object.affinity?;
    let lasts = wanted.clamp(Duration::from_secs(1), LONGEST_AFFINITY);
    if lasts != wanted {
        let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        let problem = format_args!("session affinity lasts 1 s to 1 day; it is {} s now", lasts.as_secs());
        reader.tell(Reason::Invalid, path, problem);
    }
    Some(lasts)
}
