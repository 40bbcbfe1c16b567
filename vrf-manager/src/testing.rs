//! An intent to start from, and links to go with it.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use bgp_wire::Family;
use srv6_dp::model::{Action, Direction, IfIndex, Transport};
use srv6_types::{Locator, SidStructure, Transposition};

use crate::{
    Allocations, Desired, Links,
    intent::{
        Backend, BackendState, Bgp, Circuit, EgressGateway, EgressPolicy, Encapsulation, FilterRule, Intent,
        NamedLocator, Neighbor, RemoteBackends, RouteAttributes, Router, Service, ServicePort, SidMode,
        Source, Srv6, StaticRoute, TrafficPolicy, Via, Vrf,
    },
    plan,
    plan::Link,
};

pub(crate) fn intent(vrfs: Vec<Vrf>) -> Intent {
    Intent {
        router: Router { asn: 65000, router_id: [10, 255, 0, 1].into() },
        srv6: Srv6 {
            locators: vec![locator("main", "fc00:0:1::", [32, 16, 16, 0])],
            source: "2001:db8::1".parse().unwrap(),
            core_interfaces: vec!["core0".into()],
        },
        bgp: Bgp {
            listen_port: 179,
            listen_addresses: vec![],
            cluster_id: None,
            restart_time: Some(Duration::from_secs(120)),
            networks: vec![],
            install_unicast: false,
            next_hop_tracking: None,
            graceful_shutdown: false,
            neighbors: vec![neighbor("2001:db8::2")],
        },
        vrfs,
        underlay_routes: vec![],
    }
}

pub(crate) fn locator(name: &str, prefix: &str, [block, node, function, argument]: [u8; 4]) -> NamedLocator {
    let structure = SidStructure::new(block, node, function, argument, Transposition::NONE).unwrap();
    NamedLocator { name: name.into(), locator: Locator::new(prefix.parse().unwrap(), structure).unwrap() }
}

pub(crate) fn neighbor(address: &str) -> Neighbor {
    Neighbor {
        address: address.parse().unwrap(),
        asn: 65000,
        port: 179,
        local_address: None,
        passive: false,
        hold_time: Duration::from_secs(90),
        keepalive: Duration::from_secs(30),
        connect_retry: Duration::from_secs(5),
        families: BTreeSet::from([Family::Vpnv4, Family::Vpnv6]),
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: None,
        password: None,
        multihop: None,
        description: String::new(),
    }
}

/// A VRF that imports and exports `65000:1`.
pub(crate) fn vrf(name: &str) -> Vrf {
    let target = "65000:1".parse().unwrap();
    Vrf {
        name: name.into(),
        rd: None,
        import_route_targets: BTreeSet::from([target]),
        export_route_targets: BTreeSet::from([target]),
        sid_mode: SidMode::PerVrf,
        locator: None,
        encapsulation: Encapsulation::Reduced,
        circuits: vec![],
        static_routes: vec![],
        redistribute: [Source::Connected, Source::Static]
            .map(|source| (source, RouteAttributes::default()))
            .into(),
        services: vec![],
        egress: vec![],
        filter: vec![],
        max_flows: 65_536,
    }
}

impl Vrf {
    pub(crate) fn circuit(mut self, interface: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        self.circuits.push(Circuit {
            interface: interface.into(),
            addresses,
            hosts: vec![],
            proxy: false,
            probes: false,
            filter: vec![],
        });
        self
    }

    pub(crate) fn route(mut self, prefix: &str, via: Via) -> Self {
        self.static_routes.push(StaticRoute { prefix: prefix.parse().unwrap(), via });
        self
    }
}

impl Vrf {
    pub(crate) fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    pub(crate) fn egress(mut self, policy: EgressPolicy) -> Self {
        self.egress.push(policy);
        self
    }

    pub(crate) fn rule(mut self, rule: FilterRule) -> Self {
        self.filter.push(rule);
        self
    }
}

/// TCP port 80 to ready backends at port 8080.
pub(crate) fn service(name: &str, vips: &[&str], backends: &[&str]) -> Service {
    let backend =
        |address: &&str| Backend { address: address.parse().unwrap(), weight: 1, state: BackendState::Ready };
    Service {
        name: name.into(),
        addresses: addresses(vips),
        ports: vec![ServicePort { transport: Transport::Tcp, port: 80, target_port: 8080 }],
        backends: backends.iter().map(backend).collect(),
        traffic_policy: TrafficPolicy::Cluster,
        affinity: None,
        remote: RemoteBackends::Direct,
        advertise: Some(RouteAttributes::default()),
        graceful_shutdown: false,
    }
}

/// From `10.0.0.0/24` to everywhere.
pub(crate) fn policy(name: &str, choices: &[&str]) -> EgressPolicy {
    EgressPolicy {
        name: name.into(),
        sources: vec!["10.0.0.0/24".parse().unwrap()],
        circuits: vec![],
        destinations: vec!["0.0.0.0/0".parse().unwrap()],
        except: vec![],
        addresses: addresses(choices),
        gateway: None,
    }
}

/// A policy whose gateway this node is.
pub(crate) fn gateway(name: &str, choices: &[&str]) -> EgressPolicy {
    let policy = policy(name, choices);
    let gateway = EgressGateway {
        addresses: policy.addresses.clone(),
        attributes: RouteAttributes::default(),
        ports: (1024, 65535),
        port_block: 128,
        graceful_shutdown: false,
    };
    EgressPolicy { gateway: Some(gateway), ..policy }
}

/// Drops what comes from a circuit, whatever it is.
pub(crate) fn drops(name: &str) -> FilterRule {
    FilterRule {
        name: name.into(),
        direction: Direction::In,
        prefix: None,
        protocol: None,
        ports: None,
        action: Action::Drop,
    }
}

pub(crate) fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|address| address.parse().unwrap()).collect()
}

pub(crate) fn via(address: &str) -> Via {
    Via::Address(address.parse().unwrap())
}

pub(crate) fn segments(segments: &[&str]) -> Via {
    Via::Segments(segments.iter().map(|s| s.parse::<Ipv6Addr>().unwrap()).collect())
}

/// `core0` is 1, all others follow from 2 on.
pub(crate) fn links(names: &[&str]) -> Links {
    let link =
        |index: u32| Link { index: IfIndex(index), mac: [2, 0, 0, 0, 0, index as u8], mtu: 1500, up: true };
    let names = std::iter::once("core0").chain(names.iter().copied());
    names.zip(1..).map(|(name, index)| (name.to_owned(), link(index))).collect()
}

/// Settles and plans; the numbers are kept in `allocations`.
pub(crate) fn replan(intent: &Intent, links: &Links, allocations: &mut Allocations) -> Desired {
    allocations.settle(intent);
    plan(intent, links, allocations)
}
