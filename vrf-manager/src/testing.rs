//! An intent to start from, and links to go with it.

use std::{collections::BTreeSet, net::Ipv6Addr, time::Duration};

use bgp_wire::Family;
use srv6_dp::model::IfIndex;
use srv6_types::{Locator, SidStructure, Transposition};

use crate::{
    Allocations, Desired, Links,
    intent::{
        Bgp, Circuit, Encapsulation, Intent, NamedLocator, Neighbor, Router, SidMode, Source, Srv6,
        StaticRoute, Via, Vrf,
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
        redistribute: BTreeSet::from([Source::Connected, Source::Static]),
        services: vec![],
        egress: vec![],
        filter: vec![],
        max_flows: 65_536,
    }
}

impl Vrf {
    pub(crate) fn circuit(mut self, interface: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        self.circuits.push(Circuit { interface: interface.into(), addresses, filter: vec![] });
        self
    }

    pub(crate) fn route(mut self, prefix: &str, via: Via) -> Self {
        self.static_routes.push(StaticRoute { prefix: prefix.parse().unwrap(), via });
        self
    }
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
