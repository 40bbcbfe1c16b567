use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{super::Cluster, Choices};
use crate::{
    api::{
        AttachmentCircuitSpec, EgressGateways, EgressPolicySpec, EgressSource, PodNetwork, PodRange,
        StaticRoute, VrfInterface, VrfSpec,
    },
    render::Attached,
    render::testing::{attachment, labels, object, vrf},
    world::{
        Endpoint, EndpointPort, EndpointSlice, Key, Namespace, Pod, Protocol, Service, ServicePort,
        TrafficPolicy, World,
    },
};

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

/// VRFs, and what is in them.
pub(super) fn scramble(cluster: &mut Cluster, c: &mut Choices) {
    for name in ["red", "blue"] {
        let labels = if c.often() { labels(&[("tenant", name)]) } else { c.labels() };
        cluster.world.namespaces.insert(name.into(), Namespace { labels });
    }
    let others = c.list(3, Choices::name);
    for name in others.into_iter().chain(c.often().then(|| "red".to_owned())) {
        cluster.world.vrfs.insert(name.clone(), object(tenant(&name, c)));
    }
    for _ in 0..c.below(10) {
        pod(cluster, c);
    }
    let world = &mut cluster.world;
    for _ in 0..c.below(4) {
        let key = key(c);
        world.endpoint_slices.insert(Key::new(&key.namespace, c.name()), slice(world, &key, c));
        world.services.insert(key, service(c));
    }
    for _ in 0..c.below(3) {
        world.attachment_circuits.insert(c.name(), object(circuit(c)));
        world.egress_policies.insert(c.name(), object(egress(c)));
        world.network_policies.insert(key(c), object(network_policy(c)));
    }
}

fn key(c: &mut Choices) -> Key {
    Key::new(c.of(&["red", "red", "blue", "none"]), c.name())
}

fn tenant(name: &str, c: &mut Choices) -> VrfSpec {
    let target = |c: &mut Choices| c.of(&["65000:1", "10.0.0.1:2", "65536:65536", ""]).to_owned();
    let range = |c: &mut Choices| PodRange {
        cidr: c.net_text(),
        node_prefix_length: c.maybe(|c| c.of(&[24, 26, 64, 0, 32, 33, 128, 255])),
    };
    VrfSpec {
        rd: c.maybe(target),
        export_route_targets: c.list(2, target),
        node_selector: if c.seldom() { Some(c.selector()) } else { None },
        pod_selector: if c.seldom() { Some(c.selector()) } else { None },
        pod_network: c.maybe(|c| PodNetwork { ranges: c.list(3, range) }),
        interfaces: c.list(3, |c| VrfInterface {
            name: c.interface(),
            node_selector: c.maybe(Choices::selector),
            addresses: c.list(2, Choices::net_text),
        }),
        static_routes: c.list(3, |c| StaticRoute {
            prefix: c.net_text(),
            via: c.maybe(Choices::address_text),
            segments: c.maybe(|c| c.list(6, Choices::address_text)).unwrap_or_default(),
            blackhole: c.below(2) == 0,
        }),
        max_flows: c.maybe(|c| u32::from(c.below(4096))),
        ..vrf(name)
    }
}

/// Some have an interface, and not all of these in the VRF that they should be in.
fn pod(cluster: &mut Cluster, c: &mut Choices) {
    let key = key(c);
    let pod = Pod {
        labels: c.labels(),
        node: Some(c.node()),
        addresses: c.list(3, Choices::address),
        host_network: c.seldom(),
        ..Pod::default()
    };
    let world = &cluster.world;
    let fitting = crate::render::vrf_of(world, &key, &pod).ok().flatten().map(str::to_owned);
    let vrf = fitting.filter(|_| c.often()).unwrap_or_else(|| c.name());
    if c.often() {
        let mut attachment = attachment(&key, &pod);
        if c.seldom() {
            attachment.gateways = c.list(2, Choices::address);
            attachment.host_interface = c.interface();
        }
        let attached = Attached { vrf, attachment };
        cluster.attachments.insert(attached.attachment.id.clone(), attached);
    }
    if c.often() {
        cluster.world.pods.insert(key, pod);
    }
}

fn service(c: &mut Choices) -> Service {
    let policies = [TrafficPolicy::Cluster, TrafficPolicy::Local];
    Service {
        labels: c.labels(),
        cluster_ips: c.list(2, Choices::address),
        external_ips: c.list(2, Choices::address),
        load_balancer_ips: c.list(2, Choices::address),
        ports: c.list(3, |c| ServicePort {
            name: c.of(&["", "http"]).to_owned(),
            protocol: c.of(&PROTOCOLS),
            port: c.of(&[80, 81, 0]),
        }),
        external_traffic_policy: c.of(&policies),
        internal_traffic_policy: c.of(&policies),
        affinity: c.maybe(|c| std::time::Duration::from_secs(u64::from(c.below(3)) * 80_000)),
    }
}

/// Endpoints are most often pods of the namespace.
fn slice(world: &World, service: &Key, c: &mut Choices) -> EndpointSlice {
    let pods: Vec<_> = world.pods.iter().filter(|(key, _)| key.namespace == service.namespace).collect();
    let endpoint = |c: &mut Choices| {
        let chosen = if pods.is_empty() || c.seldom() { None } else { Some(c.of(&pods)) };
        Endpoint {
            addresses: chosen.map_or_else(|| vec![c.address()], |(_, pod)| pod.addresses.clone()),
            ready: c.often(),
            serving: c.often(),
            terminating: c.seldom(),
            node: Some(c.node()),
            pod: chosen.map(|(key, _)| key.name.clone()),
        }
    };
    EndpointSlice {
        service: service.name.clone(),
        ports: ["", "http"]
            .map(|name| EndpointPort { name: name.into(), protocol: Protocol::Tcp, port: 8080 })
            .to_vec(),
        endpoints: c.list(4, endpoint),
    }
}

fn circuit(c: &mut Choices) -> AttachmentCircuitSpec {
    AttachmentCircuitSpec {
        vrf: c.name(),
        node: c.node(),
        interface: c.interface(),
        addresses: c.list(2, Choices::net_text),
        hosts: c.list(2, Choices::address_text),
        proxy: c.seldom(),
    }
}

fn egress(c: &mut Choices) -> EgressPolicySpec {
    EgressPolicySpec {
        vrf: c.name(),
        sources: c.list(2, |c| EgressSource {
            namespace_selector: c.maybe(Choices::selector),
            pod_selector: c.maybe(Choices::selector),
            cidrs: c.list(1, Choices::net_text),
        }),
        destination_cidrs: c.list(3, |c| c.of(&["0.0.0.0/0", "::/0", "10.0.0.1/8"]).to_owned()),
        except_cidrs: c.list(2, Choices::net_text),
        egress_ips: c.list(6, Choices::address_text),
        gateways: EgressGateways { node_selector: c.selector(), port_block: c.maybe(|c| c.below(1100)) },
    }
}

fn network_policy(c: &mut Choices) -> NetworkPolicySpec {
    NetworkPolicySpec {
        pod_selector: Some(c.selector()),
        policy_types: c.maybe(|c| c.list(2, |c| c.of(&["Ingress", "Egress"]).to_owned())),
        ingress: c.maybe(|c| {
            c.list(2, |c| NetworkPolicyIngressRule { from: c.maybe(peers), ports: c.maybe(ports) })
        }),
        egress: c
            .maybe(|c| c.list(2, |c| NetworkPolicyEgressRule { to: c.maybe(peers), ports: c.maybe(ports) })),
    }
}

fn peers(c: &mut Choices) -> Vec<NetworkPolicyPeer> {
    c.list(2, |c| NetworkPolicyPeer {
        ip_block: c
            .maybe(|c| IPBlock { cidr: c.net_text(), except: c.maybe(|c| c.list(2, Choices::net_text)) }),
        namespace_selector: c.maybe(Choices::selector),
        pod_selector: c.maybe(Choices::selector),
    })
}

fn ports(c: &mut Choices) -> Vec<NetworkPolicyPort> {
    c.list(2, |c| NetworkPolicyPort {
        port: c.maybe(|c| match c.below(2) {
            0 => IntOrString::Int(i32::from(c.below(u16::MAX))),
            _ => IntOrString::String(c.name()),
        }),
        end_port: c.maybe(|c| i32::from(c.below(u16::MAX)) - 5),
        protocol: c.maybe(|c| c.of(&["TCP", "UDP", "SCTP", "ICMP"]).to_owned()),
    })
}
