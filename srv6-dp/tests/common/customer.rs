//! A customer edge on a veth pair to the PE.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::{Child, Stdio},
};

use ipnet::{IpNet, Ipv4Net};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use srv6_dp::model::{Circuit, IfIndex, NextHop, State};
use srv6_types::VrfId;

use crate::{lab::Lab, namespace::Namespace};

/// Customer `n` has 10.n.0.1/24 and the gateway 10.n.0.254, with MAC addresses that say whose they are.
pub(crate) struct Customer {
    number: u8,
    interface: IfIndex,
    namespace: Namespace,
}

impl Customer {
    pub(crate) fn new(lab: &Lab, number: u8) -> Self {
        let namespace = Namespace::new();
        let ac = format!("ac{number}");
        let mac = mac(number).map(|octet| format!("{octet:02x}")).join(":");
        let id = namespace.id();
        lab.ip(&format!("link add {ac} address {mac} type veth peer name eth0 netns {id}"));
        lab.ip(&format!("link set {ac} up"));
        let customer = Self { number, interface: lab.index(&ac), namespace };
        let ip = |arguments: String| customer.namespace.run(&format!("ip {arguments}"));
        ip("link set eth0 up".into());
        ip(format!("address add {}/24 dev eth0", customer.address()));
        ip(format!("route add default via 10.{number}.0.254"));
        customer
    }

    pub(crate) fn address(&self) -> IpAddr {
        Ipv4Addr::new(10, self.number, 0, 1).into()
    }

    /// The circuit in `vrf`, its prefix and its gateway.
    pub(crate) fn add_to(&self, state: &mut State, vrf: VrfId) {
        let interface = self.interface;
        let gateway = Ipv4Addr::new(10, self.number, 0, 254);
        let prefix = |len| IpNet::from(Ipv4Net::new(gateway, len).unwrap().trunc());
        state.circuits.insert(interface, self.circuit(vrf));
        state.routes.insert((vrf, prefix(24)), NextHop::Connected { interface });
        state.routes.insert((vrf, prefix(32)), NextHop::Local { interface: Some(interface) });
    }

    pub(crate) fn circuit_interface(&self) -> IfIndex {
        self.interface
    }

    fn circuit(&self, vrf: VrfId) -> Circuit {
        let gateway4 = Some(Ipv4Addr::new(10, self.number, 0, 254));
        Circuit {
            vrf,
            mtu: 1500,
            mac: mac(self.number),
            gateway4,
            gateway6: None,
            filter: None,
            proxy: false,
            probes: false,
            strict: false,
            host_mac: None,
        }
    }

    /// How many of `count` pings are answered.
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) fn pings(&self, to: IpAddr, count: u32) -> u64 {
        let mut ping = self.namespace.command(&format!("ping -q -c {count} -i 0.01 -W 1 {to}"));
        let ping = ping.stdout(Stdio::piped()).spawn().unwrap();
        Flood { ping }.ended().answered
    }

    /// Starts pings without end, the next as soon as the last is answered.
    pub(crate) fn flood(&self, to: IpAddr) -> Flood {
        let mut ping = self.namespace.command(&format!("ping -q -f {to}"));
        Flood { ping: ping.stdout(Stdio::piped()).spawn().unwrap() }
    }
}

fn mac(number: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0xac, number]
}

pub(crate) struct Flood {
    ping: Child,
}

/// How a flood ended.
#[derive(Debug)]
pub(crate) struct Flooded {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
}

impl Flooded {
    /// But for the one that was on its way at the end.
    pub(crate) fn assert_nothing_lost(&self) {
        assert!(self.answered > 1000 && self.answered + 1 >= self.sent, "{self:?}");
    }
}

impl Flood {
    pub(crate) fn stop(self) -> Flooded {
        kill(Pid::from_raw(self.ping.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        self.ended()
    }

    fn ended(self) -> Flooded {
        let output = self.ping.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<_> = text.split_whitespace().collect();
        let before = |word: &str, skip: usize| {
            let at = words.iter().position(|found| *found == word).unwrap_or_else(|| panic!("{text}"));
            words[at - skip].parse().unwrap()
        };
        // "12 packets transmitted, 12 received, 0% packet loss"
        Flooded { sent: before("transmitted,", 2), answered: before("received,", 1) }
    }
}
