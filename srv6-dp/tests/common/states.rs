//! Random consistent states: whatever names a VRF names one of the same state.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ipnet::{IpNet, Ipv6Net};
use proptest::{collection, option, prelude::*, sample::select};
use srv6_dp::model::{
    Action, Backend, Circuit, Direction, EgressAddress, EgressPolicy, Filter, FilterId, IfIndex, LocalSid,
    NextHop, Node, Reach, Rule, Service, ServiceId, SidRole, State, Transport, Vrf,
};
use srv6_types::{Behavior, Sid, VrfId};

const VRFS: std::ops::RangeInclusive<u32> = 1..=4;

/// States whose circuits and core are among `interfaces`.
pub(crate) fn state(interfaces: Vec<IfIndex>) -> BoxedStrategy<State> {
    let vrfs = collection::btree_map(VRFS.prop_map(VrfId), vrf(), 1..=4);
    (node(), vrfs)
        .prop_flat_map(move |(node, vrfs)| {
            let ids: Vec<_> = vrfs.keys().copied().collect();
            let roles = collection::vec(role(ids.clone()), interfaces.len());
            let egress_addresses =
                collection::btree_map((select(ids.clone()), address()), egress_address(), 0..4);
            let egress_policies = collection::btree_map(
                (select(ids.clone()), "[a-z]{1,31}"),
                egress_policy(interfaces.clone()),
                0..4,
            );
            let sids = collection::btree_map(sid(), local_sid(ids.clone()), 0..4);
            let services = collection::vec(service(ids.clone()), 0..6);
            let filters = collection::btree_map((1u32..6).prop_map(FilterId), filter(), 0..4);
            let routes = collection::btree_map(
                (select(ids.clone()), prefix()),
                next_hop(ids, interfaces.clone()),
                0..24,
            );
            let interfaces = interfaces.clone();
            let egress = (egress_addresses, egress_policies);
            (Just(node), Just(vrfs), roles, sids, services, filters, routes, egress).prop_map(
                move |(
                    node,
                    vrfs,
                    roles,
                    sids,
                    services,
                    filters,
                    routes,
                    (egress_addresses, egress_policies),
                )| {
                    let services = services.into_iter().collect();
                    let egress = State { egress_addresses, egress_policies, ..State::default() };
                    let mut state = State { node, vrfs, filters, services, sids, routes, ..egress };
                    translate_at_sids(&mut state);
                    translate_to_backends(&mut state);
                    for (interface, role) in interfaces.iter().zip(roles) {
                        match role {
                            Role::None => {}
                            Role::Core => drop(state.core.insert(*interface)),
                            Role::Circuit(circuit) => {
                                // Any of those that there are, and none where the draw is none of them.
                                let filter = circuit.filter.filter(|id| state.filters.contains_key(id));
                                state.circuits.insert(*interface, Circuit { filter, ..circuit });
                            }
                        }
                    }
                    state
                },
            )
        })
        .boxed()
}

/// Backends are reached by an egress address where their VRF has one of their family, for it has to be there.
fn translate_to_backends(state: &mut State) {
    for (id, service) in &mut state.services {
        let of_vrf = state.egress_addresses.keys().filter(|(vrf, _)| *vrf == id.vrf);
        let source =
            of_vrf.map(|(_, address)| *address).find(|address| address.is_ipv4() == id.address.is_ipv4());
        for backend in service.backends.values_mut() {
            if let Reach::Translated(_) = backend.reach {
                backend.reach = source.map_or(Reach::Direct, Reach::Translated);
            }
        }
    }
}

/// SIDs of VRFs with an egress address translate to it.
fn translate_at_sids(state: &mut State) {
    for local in state.sids.values_mut() {
        let mut of_vrf = state.egress_addresses.keys().filter(|(vrf, _)| *vrf == local.vrf);
        if let Some((_, address)) = of_vrf.next() {
            local.role = SidRole::Egress(*address);
        }
    }
}

fn egress_address() -> impl Strategy<Value = EgressAddress> {
    (1u16..2000, 1u16..512, 1u16..100).prop_map(|(first_port, block_size, blocks)| EgressAddress {
        first_port,
        block_size,
        blocks,
    })
}

fn egress_policy(interfaces: Vec<IfIndex>) -> impl Strategy<Value = EgressPolicy> {
    let prefixes = || collection::btree_set(prefix(), 0..4);
    let circuits = collection::btree_set(select(interfaces), 0..3);
    let addresses = collection::vec(address(), 0..=4);
    (0u32..3, prefixes(), circuits, prefixes(), prefixes(), addresses).prop_map(
        |(rank, sources, circuits, destinations, exceptions, addresses)| EgressPolicy {
            rank,
            sources,
            circuits,
            destinations,
            exceptions,
            addresses,
        },
    )
}

#[derive(Clone, Debug)]
enum Role {
    None,
    Core,
    Circuit(Circuit),
}

fn role(vrfs: Vec<VrfId>) -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::None), Just(Role::Core), circuit(vrfs).prop_map(Role::Circuit)]
}

fn circuit(vrfs: Vec<VrfId>) -> impl Strategy<Value = Circuit> {
    let filter = option::of((1u32..6).prop_map(FilterId));
    let hosts = (any::<bool>(), any::<bool>(), any::<bool>(), option::of(any::<[u8; 6]>()));
    let gateways = (option::of(address4()), option::of(address6()));
    (select(vrfs), 1280u32..9000, any::<[u8; 6]>(), gateways, filter, hosts).prop_map(
        |(vrf, mtu, mac, (gateway4, gateway6), filter, (proxy, probes, strict, host_mac))| Circuit {
            vrf,
            mtu,
            mac,
            gateway4,
            gateway6,
            filter,
            proxy,
            probes,
            strict,
            host_mac,
        },
    )
}

/// Few rules, so that a filter of the next state shares some with the last.
fn filter() -> impl Strategy<Value = Filter> {
    let direction = select(vec![Direction::In, Direction::Out]);
    let protocol = option::of(select(vec![1u8, 6, 17]));
    let ports = option::of((0u16..4, 0u16..4).prop_map(|(a, b)| (a.min(b), u16::MAX - a.max(b))));
    let action = select(vec![Action::Accept, Action::Drop]);
    let name = select(vec!["", "one", "a-name-of-thirty-one-octets-long"]);
    let rule = (name, direction, prefix(), protocol, ports, action).prop_map(
        |(name, direction, prefix, protocol, ports, action)| Rule {
            name: name.chars().take(31).collect(),
            direction,
            prefix,
            protocol,
            ports,
            action,
        },
    );
    collection::vec(rule, 0..12).prop_map(|rules| Filter { rules })
}

fn vrf() -> impl Strategy<Value = Vrf> {
    let flows = option::of(select(vec![1u32, 64, 100]));
    (option::of(address4()), option::of(address6()), flows, any::<bool>(), any::<bool>()).prop_map(
        |(icmp_source4, icmp_source6, flows, services, egress)| Vrf {
            icmp_source4,
            icmp_source6,
            flows,
            services,
            egress,
        },
    )
}

fn node() -> impl Strategy<Value = Node> {
    let nets = || collection::btree_set(net6(), 0..3);
    (option::of(address6()), nets(), nets()).prop_map(|(source, locators, domain)| Node {
        source,
        locators,
        domain,
    })
}

fn local_sid(vrfs: Vec<VrfId>) -> impl Strategy<Value = LocalSid> {
    let behaviors = vec![Behavior::END_DT4, Behavior::END_DT6, Behavior::END_DT46];
    let role = select(vec![SidRole::Deliver, SidRole::Balance]);
    (select(behaviors), select(vrfs), role).prop_map(|(behavior, vrf, role)| LocalSid { behavior, vrf, role })
}

/// Few VIPs, ports and backends, so that VRFs have equal ones and a service of the next state shares some with the last.
fn service(vrfs: Vec<VrfId>) -> impl Strategy<Value = (ServiceId, Service)> {
    let transport = select(vec![Transport::Tcp, Transport::Udp, Transport::Sctp]);
    let affinity = option::of((1u64..86_400).prop_map(Duration::from_secs));
    (select(vrfs), any::<bool>(), 0u8..2, transport, 80u16..82, any::<bool>(), affinity).prop_flat_map(
        |(vrf, v6, vip, transport, port, local, affinity)| {
            let id = ServiceId { vrf, address: host(v6, 100, vip), transport, port };
            let at = (0u8..6, 8080u16..8082).prop_map(move |(number, port)| (host(v6, 1, number), port));
            collection::btree_map(at, backend(), 0..5)
                .prop_map(move |backends| (id, Service { local, affinity, backends }))
        },
    )
}

fn backend() -> impl Strategy<Value = Backend> {
    let reaches = vec![Reach::Here, Reach::Direct, Reach::Translated(Ipv4Addr::UNSPECIFIED.into())];
    (select(vec![0u16, 1, 1, 1, 2, 256]), select(reaches))
        .prop_map(|(weight, reach)| Backend { weight, reach })
}

fn host(v6: bool, net: u8, number: u8) -> IpAddr {
    if v6 {
        Ipv6Addr::new(0xfd00, net.into(), 0, 0, 0, 0, 0, number.into()).into()
    } else {
        Ipv4Addr::new(10, net, 0, number).into()
    }
}

fn next_hop(vrfs: Vec<VrfId>, interfaces: Vec<IfIndex>) -> impl Strategy<Value = NextHop> {
    let interface = select(interfaces);
    prop_oneof![
        4 => (collection::vec(sid(), 1..=4), any::<bool>())
            .prop_map(|(segments, reduced)| NextHop::Encapsulate { segments, reduced }),
        1 => (interface.clone(), address()).prop_map(|(interface, address)| NextHop::Gateway { interface, address }),
        1 => interface.clone().prop_map(|interface| NextHop::Connected { interface }),
        1 => option::of(interface).prop_map(|interface| NextHop::Local { interface }),
        1 => select(vrfs).prop_map(NextHop::Vrf),
        1 => Just(NextHop::Egress),
        1 => Just(NextHop::Service),
        1 => Just(NextHop::Unreachable),
        1 => Just(NextHop::Blackhole),
    ]
}

fn sid() -> impl Strategy<Value = Sid> {
    (0u16..6).prop_map(|function| Sid::from(Ipv6Addr::new(0xfc00, 0, 1, function, 0, 0, 0, 0)))
}

fn net6() -> impl Strategy<Value = Ipv6Net> {
    (0u16..4, 16u8..=64).prop_map(|(block, len)| {
        Ipv6Net::new(Ipv6Addr::new(0xfc00, block, 0, 0, 0, 0, 0, 0), len).unwrap().trunc()
    })
}

/// Few addresses and lengths, so that overlaps, covers and defaults are common.
fn prefix() -> impl Strategy<Value = IpNet> {
    prop_oneof![
        (0u8..3, select(vec![0u8, 8, 16, 24, 32])).prop_map(|(site, len)| {
            IpNet::new(Ipv4Addr::new(10, site, 0, 1).into(), len).unwrap().trunc()
        }),
        (0u16..3, select(vec![0u8, 32, 64, 128])).prop_map(|(site, len)| {
            IpNet::new(Ipv6Addr::new(0x2001, 0xdb8, site, 0, 0, 0, 0, 1).into(), len).unwrap().trunc()
        }),
    ]
}

/// Never the unspecified address, which stands for "none" in the maps.
fn address4() -> impl Strategy<Value = Ipv4Addr> {
    (1u8..=254).prop_map(|host| Ipv4Addr::new(10, 0, 0, host))
}

fn address6() -> impl Strategy<Value = Ipv6Addr> {
    (1u16..).prop_map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host))
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![address4().prop_map(IpAddr::V4), address6().prop_map(IpAddr::V6)]
}
