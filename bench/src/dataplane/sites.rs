//! Two sites of one tenant: clients behind `in0`, servers behind `out0`, thousands of each behind one router.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use srv6_dp::{
    State,
    model::{NextHop, Vrf},
};

use super::{
    DataplaneBenchError as Error,
    device::{Device, Interfaces, circuit},
    frames::{Flow, IN_MAC, OUT_MAC, Side, Traffic},
    generator::Generator,
    subjects::{VRF, ipnet},
};

/// Networks 10.n.0.0/16 and fd00:n::/64.
const CLIENTS: u8 = 8;
const SERVERS: u8 = 9;
const VIPS: u8 = 100;
/// Ports that a client uses, from 1024 on.
const CLIENT_PORTS: usize = 50_000;
const SERVER_PORT: u16 = 8080;
const VIP_PORT: u16 = 80;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// The host with a number.
    fn host(self, network: u8, host: u16) -> IpAddr {
        let [high, low] = host.to_be_bytes();
        match self {
            Self::V4 => Ipv4Addr::new(10, network, high, low).into(),
            Self::V6 => Ipv6Addr::new(0xfd00, network.into(), 0, 0, 0, 0, 0, host).into(),
        }
    }

    fn network(self, network: u8) -> IpNet {
        ipnet(self.host(network, 0), if self == Self::V4 { 16 } else { 64 })
    }

    /// The router of the site at `side`.
    fn router(self, side: Side) -> IpAddr {
        match (self, side) {
            (Self::V4, Side::Near) => Ipv4Addr::new(10, 1, 0, 2).into(),
            (Self::V4, Side::Far) => Ipv4Addr::new(10, 2, 0, 2).into(),
            (Self::V6, Side::Near) => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2).into(),
            (Self::V6, Side::Far) => Ipv6Addr::new(0xfd00, 0xc, 0, 0, 0, 0, 0, 2).into(),
        }
    }
}

/// Where the clients are.
pub(crate) fn clients(family: Family) -> IpNet {
    family.network(CLIENTS)
}

/// Where the servers are.
pub(crate) fn servers(family: Family) -> IpNet {
    family.network(SERVERS)
}

/// Where the `n`th flow of clients comes from: no two are alike.
pub(crate) fn client(family: Family, n: usize) -> SocketAddr {
    host_of(family, n / CLIENT_PORTS, n % CLIENT_PORTS)
}

/// A port of a client, by numbers.
pub(crate) fn host_of(family: Family, host: usize, port: usize) -> SocketAddr {
    SocketAddr::new(family.host(CLIENTS, 1 + host as u16), 1024 + port as u16)
}

pub(crate) fn server(family: Family, n: usize) -> SocketAddr {
    SocketAddr::new(family.host(SERVERS, n as u16), SERVER_PORT)
}

/// The `n`th VIP. They are spread over their network, as a cluster hands them out: an odd factor moves none onto another.
pub(crate) fn vip(family: Family, n: usize) -> SocketAddr {
    SocketAddr::new(family.host(VIPS, (n as u16).wrapping_mul(40503)), VIP_PORT)
}

/// `count` flows, the `n`th from what `source` says to what `destination` says.
pub(crate) fn flows(
    count: usize,
    source: impl Fn(usize) -> SocketAddr,
    destination: impl Fn(usize) -> SocketAddr,
) -> Vec<Flow> {
    (0..count).map(|n| Flow { source: source(n), destination: destination(n) }).collect()
}

/// The flows from the clients.
pub(crate) fn forth(flows: &[Flow]) -> Result<Generator, Error> {
    Generator::new(&Traffic::flows(Side::Near, flows))
}

/// The servers' answers to them.
pub(crate) fn back(flows: &[Flow]) -> Result<Generator, Error> {
    let answers: Vec<_> = flows.iter().map(|flow| flow.reverse()).collect();
    Generator::new(&Traffic::flows(Side::Far, &answers))
}

/// The kernel's routes.
pub(crate) fn kernel(device: &Device) -> Result<(), Error> {
    for (family, flag) in [(Family::V4, "-4"), (Family::V6, "-6")] {
        for (network, side) in [(CLIENTS, Side::Near), (SERVERS, Side::Far)] {
            let (to, via) = (family.network(network), family.router(side));
            device.namespace.run(&format!("ip {flag} route add {to} via {via}"))?;
        }
    }
    Ok(())
}

/// A PE of ours with both sites.
pub(crate) fn sixedge(state: &mut State, interfaces: Interfaces, vrf: Vrf) {
    state.vrfs.insert(VRF, vrf);
    state.circuits.insert(interfaces.inward, circuit(VRF, IN_MAC));
    state.circuits.insert(interfaces.outward, circuit(VRF, OUT_MAC));
    for family in [Family::V4, Family::V6] {
        for (network, side, interface) in
            [(CLIENTS, Side::Near, interfaces.inward), (SERVERS, Side::Far, interfaces.outward)]
        {
            let gateway = NextHop::Gateway { interface, address: family.router(side) };
            state.routes.insert((VRF, family.network(network)), gateway);
        }
    }
}
