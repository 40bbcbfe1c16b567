//! A customer edge: a network namespace held by a process, on a veth pair to the PE.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::{Child, Command, Stdio},
};

use ipnet::{IpNet, Ipv4Net};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use srv6_dp::model::{Circuit, IfIndex};
use srv6_types::VrfId;

use crate::lab::{Lab, run};

/// Customer `n` has 10.n.0.1/24 and the gateway 10.n.0.254, with MAC addresses that say whose they are.
pub(crate) struct Customer {
    number: u8,
    interface: IfIndex,
    holder: Child,
}

impl Customer {
    pub(crate) fn new(lab: &Lab, number: u8) -> Self {
        let holder = Command::new("unshare").args(["--net", "sleep", "infinity"]).spawn().unwrap();
        let ac = format!("ac{number}");
        let mac = mac(number).map(|octet| format!("{octet:02x}")).join(":");
        let ce_mac = format!("02:00:00:00:ce:{number:02x}");
        wait_for_namespace(holder.id());
        lab.ip(&format!(
            "link add {ac} address {mac} type veth peer name eth0 address {ce_mac} netns {}",
            holder.id()
        ));
        lab.ip(&format!("link set {ac} up"));
        let customer = Self { number, interface: lab.index(&ac), holder };
        customer.ip("link set eth0 up");
        customer.ip(&format!("address add {}/24 dev eth0", customer.address()));
        // Neighbours stand from the start: these tests are not about their resolution.
        customer.ip(&format!("neighbor add 10.{number}.0.254 lladdr {mac} dev eth0"));
        lab.ip(&format!("neighbor add {} lladdr {ce_mac} dev {ac}", customer.address()));
        customer.ip(&format!("route add default via 10.{number}.0.254"));
        customer
    }

    pub(crate) fn address(&self) -> IpAddr {
        Ipv4Addr::new(10, self.number, 0, 1).into()
    }

    pub(crate) fn prefix(&self) -> IpNet {
        Ipv4Net::new(Ipv4Addr::new(10, self.number, 0, 0), 24).unwrap().into()
    }

    pub(crate) fn circuit_interface(&self) -> IfIndex {
        self.interface
    }

    pub(crate) fn circuit(&self, vrf: VrfId) -> Circuit {
        let gateway4 = Some(Ipv4Addr::new(10, self.number, 0, 254));
        Circuit { vrf, mtu: 1500, mac: mac(self.number), gateway4, gateway6: None }
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id()));
        command
    }

    fn ip(&self, arguments: &str) {
        run(self.enter().arg("ip").args(arguments.split_whitespace()));
    }

    /// Starts pings without end, the next as soon as the last is answered.
    pub(crate) fn flood(&self, to: IpAddr) -> Flood {
        let mut ping = self.enter();
        ping.args(["ping", "-q", "-f", &to.to_string()]);
        Flood { ping: ping.stdout(Stdio::piped()).spawn().unwrap() }
    }
}

fn mac(number: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0xac, number]
}

/// Until the child has left our own namespace.
fn wait_for_namespace(child: u32) {
    let namespace = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/net")).unwrap();
    for _ in 0..500 {
        if namespace(&child.to_string()) != namespace("thread-self") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("unshare did not make a network namespace");
}

impl Drop for Customer {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
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
