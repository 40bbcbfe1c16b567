//! The L3VPN of `containerlab/l3vpn.clab.yml` with all routes in place: what the PEs say, and packets made by hand.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{collections::BTreeMap, net::IpAddr, process::Output, time::Duration};

use lab::{Lab, Node, wait_until};
use serde_json::Value;

/// For what takes as long as it takes; the machine may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Addresses of each tenant's host at site 2.
pub(crate) const SITE2: [&str; 2] = ["10.0.2.2", "fd00:2::2"];

/// A lab of PEs.
pub(crate) struct L3vpn(Lab);

impl L3vpn {
    /// Returns when each PE has every tenant's far prefixes, and has met its neighbours.
    pub(crate) fn up(name: &str) -> Self {
        let l3vpn = Self::start("containerlab/l3vpn.clab.yml", name);
        for (pe, site) in [("pe1", 2), ("pe2", 1)] {
            for vrf in ["red", "blue"] {
                let far = [format!("10.0.{site}.0/24"), format!("fd00:{site}::/64")];
                assert!(
                    wait_until(PATIENCE, || far.iter().all(|prefix| l3vpn.has_route(pe, vrf, prefix))),
                    "{pe} has not learnt {far:?} of {vrf}\n{}",
                    l3vpn.node(pe).logs()
                );
            }
        }
        l3vpn.meet(&["red-ce1", "blue-ce1"], &SITE2);
        l3vpn
    }

    /// Any topology, as it comes up.
    pub(crate) fn start(file: &str, name: &str) -> Self {
        let lab = Lab::up_as(file, &format!("t-wire-e2e-{name}"));
        Self(lab.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Pings until there is an answer: from then on all neighbours know each other.
    pub(crate) fn meet(&self, nodes: &[&str], addresses: &[&str]) {
        for node in nodes {
            for address in addresses {
                let answered = || self.ping(node, &format!("-c 1 -W 1 {address}")).status.success();
                assert!(wait_until(PATIENCE, answered), "{node} does not reach {address}");
            }
        }
    }

    #[track_caller]
    pub(crate) fn node(&self, name: &str) -> Node<'_> {
        self.0.node(name)
    }

    pub(crate) fn ping(&self, node: &str, arguments: &str) -> Output {
        self.node(node).run(["ping", "-n"].into_iter().chain(arguments.split_whitespace()))
    }

    /// Three pings, all answered.
    #[track_caller]
    pub(crate) fn assert_pings(&self, node: &str, arguments: &str) -> String {
        let text = text(&self.ping(node, &format!("-c 3 -i 0.2 -W 5 {arguments}")));
        assert!(text.contains(" 0% packet loss"), "{node}: ping {arguments}\n{text}");
        text
    }

    /// What a PE says to `sixedge show ... --json`.
    #[track_caller]
    pub(crate) fn show(&self, pe: &str, what: &str) -> Value {
        let words = ["sixedge", "show", "--json"].into_iter().chain(what.split_whitespace());
        serde_json::from_str(&self.node(pe).check(words)).unwrap()
    }

    fn has_route(&self, pe: &str, vrf: &str, prefix: &str) -> bool {
        let output = self.node(pe).run(["sixedge", "show", "--json", "vrf", vrf, "routes"]);
        let Ok(answer) = serde_json::from_slice::<Value>(&output.stdout) else { return false };
        let routes = answer["routes"].as_array().into_iter().flatten();
        routes.filter(|route| route["prefix"] == prefix).any(|route| route["programmed"] == true)
    }

    /// Packets dropped in a VRF (`-`: in none) so far, by reason; but for what hosts say on their link unasked, at any
    /// moment.
    pub(crate) fn drops(&self, pe: &str, vrf: &str) -> BTreeMap<String, u64> {
        let mut drops = self.all_drops(pe, vrf);
        drops.remove("link-scope");
        drops
    }

    fn all_drops(&self, pe: &str, vrf: &str) -> BTreeMap<String, u64> {
        let answer = self.show(pe, "drops");
        let drops = answer["drops"].as_array().unwrap().iter().filter(|drop| drop["vrf"] == vrf);
        drops
            .map(|drop| (drop["reason"].as_str().unwrap().to_owned(), drop["packets"].as_u64().unwrap()))
            .collect()
    }

    pub(crate) fn dropped(&self, pe: &str, vrf: &str, reason: &str) -> u64 {
        self.all_drops(pe, vrf).get(reason).copied().unwrap_or_default()
    }

    /// One of the counters of `show counters`.
    pub(crate) fn counter(&self, pe: &str, vrf: &str, counter: &str) -> u64 {
        let answer = self.show(pe, "counters");
        let vrfs = answer["vrfs"].as_array().unwrap();
        let vrf = vrfs.iter().find(|found| found["vrf"] == vrf).unwrap_or_else(|| panic!("{answer}"));
        vrf[counter].as_u64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// The SID that a PE has for a VRF.
    pub(crate) fn sid(&self, pe: &str, vrf: &str) -> String {
        let answer = self.show(pe, "sids");
        let sid = answer["sids"].as_array().unwrap().iter().find(|sid| sid["vrf"] == vrf);
        sid.and_then(|sid| sid["sid"].as_str()).unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(crate) fn mac(&self, node: &str, interface: &str) -> [u8; 6] {
        crate::wire::mac(&self.node(node), interface)
    }

    /// The address that the kernel gave itself on an interface.
    pub(crate) fn link_local(&self, node: &str, interface: &str) -> IpAddr {
        let words = ["ip", "-json", "-6", "address", "show", "dev", interface, "scope", "link"];
        let links: Value = serde_json::from_str(&self.node(node).check(words)).unwrap();
        links[0]["addr_info"][0]["local"].as_str().unwrap().parse().unwrap()
    }
}

/// What a command said, on both channels.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
