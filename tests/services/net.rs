//! The lab: clients c1 (behind pe1) and c3 (behind pe3), backends b1 and b2 (behind pe1) and b3 (behind pe2).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    ops::Deref,
    thread,
    time::Duration,
};

use crate::{
    hosts::{Answer, Connection, ask},
    peers::{Network, eventually},
};

/// For what takes as long as it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TENANTS: [&str; 2] = ["red", "blue"];

/// A service by its VIPs of both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vip {
    /// TCP, any backend.
    Web = 1,
    /// UDP, any backend.
    Dns,
    /// Both protocols, backends behind the node.
    Shop,
}

impl Vip {
    pub(crate) fn addresses(self) -> [IpAddr; 2] {
        let last = self as u8;
        [[10, 100, 0, last].into(), [0xfd00, 0x100, 0, 0, 0, 0, 0, u16::from(last)].into()]
    }

    /// Where clients connect to.
    pub(crate) fn sockets(self) -> [SocketAddr; 2] {
        let port = if self == Self::Dns { 53 } else { 80 };
        self.addresses().map(|address| SocketAddr::new(address, port))
    }
}

/// The address of the host at a site.
pub(crate) fn host(site: u8, ipv4: bool) -> IpAddr {
    let text = if ipv4 { format!("10.0.{site}.2") } else { format!("fd00:{site}::2") };
    text.parse().unwrap()
}

pub(crate) struct Net(Network);

impl Deref for Net {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.0
    }
}

impl Net {
    /// Up, with every VIP advertised by both nodes that have it, and every site known.
    pub(crate) fn up(name: &str) -> Self {
        let net = Self(Network::of("services", &format!("t-services-{name}"), &["pe1", "pe2", "pe3"]));
        for pe in ["pe1", "pe2", "pe3"] {
            net.pe(pe).await_agent("fd00:ff::9");
        }
        for (pe, sites) in [("pe1", &[3, 13][..]), ("pe2", &[1, 3, 11, 12]), ("pe3", &[1, 11, 12, 13])] {
            for (tenant, site) in
                TENANTS.iter().flat_map(|tenant| sites.iter().map(move |site| (tenant, site)))
            {
                net.pe(pe).await_learnt(tenant, &format!("10.0.{site}.0/24"));
                net.pe(pe).await_learnt(tenant, &format!("fd00:{site}::/64"));
            }
        }
        for tenant in TENANTS {
            net.await_vip(tenant, Vip::Web, &["pe1", "pe2"]);
            net.await_vip(tenant, Vip::Shop, &["pe1", "pe2"]);
        }
        net
    }

    /// Waits until these and no others advertise a VIP to pe3.
    #[track_caller]
    pub(crate) fn await_vip(&self, tenant: &str, vip: Vip, by: &[&str]) {
        let wanted: BTreeSet<_> = by.iter().map(|pe| format!("fd00:ff::{}", &pe[2..])).collect();
        for (family, address, length) in
            [("vpnv4", vip.addresses()[0], 32), ("vpnv6", vip.addresses()[1], 128)]
        {
            eventually(&format!("{tenant}'s {address} is advertised by {by:?}"), || {
                let paths = self.pe("pe3").paths(family, &format!("{address}/{length}"));
                let imported = |into: &serde_json::Value| {
                    into["importedInto"].as_array().unwrap().contains(&tenant.into())
                };
                let told = paths.iter().filter(|path| imported(path));
                told.map(|path| path["nextHop"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
                    == wanted
            });
        }
    }

    /// Opens a connection from tenant's client at a site.
    #[track_caller]
    pub(crate) fn connect(&self, tenant: &str, site: u8, port: u16, to: SocketAddr) -> Connection {
        let node = self.node(&format!("{tenant}-c{site}"));
        let opened = Connection::open(&node, port, to);
        opened.unwrap_or_else(|error| panic!("{tenant}-c{site} to {to} from port {port}: {error}"))
    }

    /// Many, from one port after another.
    #[track_caller]
    pub(crate) fn connections(&self, tenant: &str, site: u8, to: SocketAddr, count: u16) -> Vec<Connection> {
        (0..count).map(|_| self.connect(tenant, site, 0, to)).collect()
    }

    #[track_caller]
    pub(crate) fn ask(&self, tenant: &str, site: u8, port: u16, to: SocketAddr) -> Answer {
        let answer = ask(&self.node(&format!("{tenant}-c{site}")), port, to);
        answer.unwrap_or_else(|error| panic!("{tenant}-c{site} asks {to} from port {port}: {error}"))
    }

    /// Sets the state of a tenant's backend in all services of the nodes that have them.
    #[track_caller]
    pub(crate) fn set_backend(&self, tenant: &str, number: u8, state: &str) {
        let change = |vrf: &str| {
            let line = |line: &str| {
                let addresses = [format!("10.0.1{number}.2"), format!("\"fd00:1{number}::2\"")];
                match addresses.iter().find(|address| line.contains(&format!("{{ address: {address}"))) {
                    Some(address) => format!("          - {{ address: {address}, state: {state} }}\n"),
                    None => format!("{line}\n"),
                }
            };
            vrf.lines().map(line).collect()
        };
        for pe in ["pe1", "pe2"] {
            self.edit_vrf(&format!("services/{pe}.yaml"), tenant, change);
        }
        thread::scope(|scope| {
            for pe in ["pe1", "pe2"] {
                scope.spawn(move || self.pe(pe).reload());
            }
        });
    }
}

/// Who answered.
pub(crate) fn names<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> BTreeSet<&'a str> {
    answers.into_iter().map(|answer| answer.by.as_str()).collect()
}

/// A tenant's backends by number.
pub(crate) fn backends(tenant: &str, numbers: &[u8]) -> BTreeSet<String> {
    numbers.iter().map(|number| format!("{tenant}-b{number}")).collect()
}
