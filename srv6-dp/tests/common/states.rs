//! Random consistent states: whatever names a VRF names one of the same state.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ipnet::{IpNet, Ipv6Net};
use proptest::{collection, option, prelude::*, sample::select};
use srv6_dp::model::{
    Backend, Circuit, IfIndex, LocalSid, NextHop, Node, Reach, Service, ServiceId, SidRole, State, Transport,
    Vrf,
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
            let sids = collection::btree_map(sid(), local_sid(ids.clone()), 0..4);
            let services = collection::vec(service(ids.clone()), 0..6);
            let routes = collection::btree_map(
                (select(ids.clone()), prefix()),
                next_hop(ids, interfaces.clone()),
                0..24,
            );
            let interfaces = interfaces.clone();
            (Just(node), Just(vrfs), roles, sids, services, routes).prop_map(
                move |(node, vrfs, roles, sids, services, routes)| {
                    let services = services.into_iter().collect();
                    let mut state = State { node, vrfs, services, sids, routes, ..State::default() };
                    for (interface, role) in interfaces.iter().zip(roles) {
                        match role {
                            Role::None => {}
                            Role::Core => drop(state.core.insert(*interface)),
                            Role::Circuit(circuit) => drop(state.circuits.insert(*interface, circuit)),
                        }
                    }
                    state
                },
            )
        })
        .boxed()
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
    (select(vrfs), 1280u32..9000, any::<[u8; 6]>(), option::of(address4()), option::of(address6())).prop_map(
        |(vrf, mtu, mac, gateway4, gateway6)| Circuit { vrf, mtu, mac, gateway4, gateway6, filter: None },
    )
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
    (select(vec![0u16, 1, 1, 1, 2, 256]), select(vec![Reach::Here, Reach::Direct]))
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
        1 => interface.prop_map(|interface| NextHop::Local { interface }),
        1 => select(vrfs).prop_map(NextHop::Vrf),
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
