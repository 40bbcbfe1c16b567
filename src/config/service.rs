use std::net::IpAddr;

use srv6_dp::model::Transport;
use vrf_manager::intent::{
    Backend, BackendState, RemoteBackends, RouteAttributes, Service, ServicePort, TrafficPolicy,
};

use super::{
    attributes,
    kind::{ADDRESS, BOOL, Kind, NAME, number, seconds, word},
    list::{list, some, unique},
    reader::{At, Read},
};

const KEYS: &[&str] = &[
    "name",
    "addresses",
    "ports",
    "backends",
    "externalTrafficPolicy",
    "sessionAffinity",
    "remoteBackends",
    "advertise",
    "gracefulShutdown",
];

/// The longest session affinity, Kubernetes' as well.
const DAY: u64 = 86_400;

pub(super) fn read(at: &At<'_>) -> Option<Service> {
    let service = at.fields(KEYS)?;
    let name = service.required("name", "name: web", NAME);
    let addresses = service.required(
        "addresses",
        "addresses: [10.100.0.1]",
        some(unique(ADDRESS), "one VIP or more: [10.100.0.1]"),
    );
    let ports =
        service.required("ports", "ports: [{ port: 80 }]", some(list(port), "one or more: [{ port: 80 }]"));
    let backends = service.or("backends", Vec::new(), list(backend));
    let traffic_policy = service.or(
        "externalTrafficPolicy",
        TrafficPolicy::default(),
        word("a traffic policy", "cluster or local", traffic_policy),
    );
    let affinity = service.maybe("sessionAffinity", seconds(1..=DAY));
    let remote = service.or("remoteBackends", RemoteBackends::default(), remote_backends);
    let advertise = service.or("advertise", Some(RouteAttributes::default()), attributes::advertise);
    let graceful_shutdown = service.or("gracefulShutdown", false, BOOL);
    Some(Service {
        name: name?,
        addresses: addresses?,
        ports: ports?,
        backends: backends?,
        traffic_policy: traffic_policy?,
        affinity: affinity?,
        remote: remote?,
        advertise: advertise?,
        graceful_shutdown: graceful_shutdown?,
    })
}

fn port(at: &At<'_>) -> Option<ServicePort> {
    let entry = at.fields(&["protocol", "port", "targetPort"])?;
    let protocol = entry.or("protocol", Transport::Tcp, TRANSPORT);
    let port = entry.required("port", "port: 80", number("a port", 1..=65535));
    let target_port = entry.maybe("targetPort", number("a port", 1..=65535));
    let (transport, port) = (protocol?, port?);
    Some(ServicePort { transport, port, target_port: target_port?.unwrap_or(port) })
}

const TRANSPORT: Kind<Transport> = word("a transport protocol", "tcp, udp or sctp", |text| match text {
    "tcp" => Some(Transport::Tcp),
    "udp" => Some(Transport::Udp),
    "sctp" => Some(Transport::Sctp),
    _ => None,
});

fn backend(at: &At<'_>) -> Option<Backend> {
    let backend = at.fields(&["address", "weight", "state"])?;
    let address = backend.required("address", "address: 10.0.1.2", ADDRESS);
    let weight = backend.or("weight", 1, number("a weight", 1..=256));
    let state = backend.or(
        "state",
        BackendState::default(),
        word("a backend's state", "ready, draining or down", backend_state),
    );
    Some(Backend { address: address?, weight: weight?, state: state? })
}

fn backend_state(text: &str) -> Option<BackendState> {
    match text {
        "ready" => Some(BackendState::Ready),
        "draining" => Some(BackendState::Draining),
        "down" => Some(BackendState::Down),
        _ => None,
    }
}

fn traffic_policy(text: &str) -> Option<TrafficPolicy> {
    match text {
        "cluster" => Some(TrafficPolicy::Cluster),
        "local" => Some(TrafficPolicy::Local),
        _ => None,
    }
}

/// A word, or the addresses that clients are translated to.
fn remote_backends(at: &At<'_>) -> Option<RemoteBackends> {
    const DIRECT: Kind<RemoteBackends> =
        word("a way to remote backends", "direct, or { translateTo: [192.0.2.10] }", |text| {
            (text == "direct").then_some(RemoteBackends::Direct)
        });
    if at.scalar().is_some() {
        return DIRECT.read(at);
    }
    let remote = at.fields(&["translateTo"])?;
    remote.required("translateTo", "translateTo: [192.0.2.10]", translate_to).map(RemoteBackends::Translated)
}

fn translate_to(at: &At<'_>) -> Option<Vec<IpAddr>> {
    some(unique(ADDRESS), "one address of this node for each family: [192.0.2.10]")(at)
}
