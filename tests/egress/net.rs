//! The lab: a pod and a host outside of the policy behind pe1, gateways pe2 (preferred) and pe3, the outside behind pe3.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Deref,
};

use crate::{
    hosts::{Answer, Connection, ask},
    peers::{Network, eventually},
};

pub(crate) const TENANTS: [&str; 2] = ["red", "blue"];

/// The server outside, in both families.
pub(crate) fn outside() -> [SocketAddr; 2] {
    ["203.0.113.10:8080", "[2001:db8:113::10]:8080"].map(|text| text.parse().unwrap())
}

/// The same server at addresses that the policy excepts.
pub(crate) fn excepted() -> [SocketAddr; 2] {
    ["10.0.3.10:8080", "[fd00:3::10]:8080"].map(|text| text.parse().unwrap())
}

/// Under which the outside sees the pod.
pub(crate) fn egress() -> [IpAddr; 2] {
    ["192.0.2.7", "2001:db8:2::7"].map(|text| text.parse().unwrap())
}

pub(crate) struct Net(Network);

impl Deref for Net {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.0
    }
}

impl Net {
    /// Up, with pe2 as the gateway of both tenants.
    pub(crate) fn up(name: &str) -> Self {
        let net = Self(Network::of("egress", &format!("t-egress-{name}"), &["pe1", "pe2", "pe3"]));
        for pe in ["pe1", "pe2", "pe3"] {
            net.pe(pe).await_agent("fd00:ff::9");
        }
        for tenant in TENANTS {
            net.await_gateway(tenant, "pe2");
            for prefix in ["203.0.113.0/24", "2001:db8:113::/64", "10.0.3.0/24", "fd00:3::/64"] {
                net.pe("pe1").await_learnt(tenant, prefix);
                net.pe("pe2").await_learnt(tenant, prefix);
            }
            for prefix in ["10.0.1.0/24", "fd00:1::/64", "10.0.2.0/24", "fd00:2::/64"] {
                net.pe("pe2").await_learnt(tenant, prefix);
                net.pe("pe3").await_learnt(tenant, prefix);
            }
        }
        net
    }

    /// Waits until pe1 sends what leaves to this gateway, and pe3, where the answers come in, sends them there.
    #[track_caller]
    pub(crate) fn await_gateway(&self, tenant: &str, gateway: &str) {
        let next_hop = format!("fd00:ff::{}", &gateway[2..]);
        for prefix in ["192.0.2.7/32", "2001:db8:2::7/128"] {
            let leads = |pe: &str| {
                let learnt = self.pe(pe).learnt(tenant, prefix);
                learnt.is_some_and(|route| route["remote"] == next_hop.as_str())
            };
            eventually(&format!("{tenant}'s {prefix} is {gateway}'s"), || {
                leads("pe1")
                    && (leads("pe3") || gateway == "pe3" && self.pe("pe3").learnt(tenant, prefix).is_none())
            });
        }
    }

    /// Opens a connection from a tenant's host.
    #[track_caller]
    pub(crate) fn connect(&self, node: &str, port: u16, to: SocketAddr) -> Connection {
        let opened = Connection::open(&self.node(node), port, to);
        opened.unwrap_or_else(|error| panic!("{node} to {to} from port {port}: {error}"))
    }

    #[track_caller]
    pub(crate) fn ask(&self, node: &str, port: u16, to: SocketAddr) -> Answer {
        ask(&self.node(node), port, to)
            .unwrap_or_else(|error| panic!("{node} asks {to} from port {port}: {error}"))
    }

    /// Changes the gateway of a tenant at pe2.
    #[track_caller]
    pub(crate) fn set_gateway(&self, tenant: &str, from: &str, to: &str) {
        self.edit_vrf("egress/pe2.yaml", tenant, |vrf| vrf.replace(from, to));
        self.pe("pe2").reload();
    }
}
