//! Next-hop tracking in a network: two PEs announce one prefix of a tenant, and the underlay decides which of them can be used.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use lab::{Lab, Node, Signal, wait_until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);
const PREFIX: &str = "10.0.2.0/24";

/// The locators of pe2 and pe3, and who is behind them.
const PE2: &str = "fc00:0:2::/48";
const PE3: &str = "fc00:0:3::/48";

/// The lab, run from a copy of its files, which the test may change.
struct Network(Lab, PathBuf);

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.1);
    }
}

impl Network {
    #[track_caller]
    fn up(name: &str) -> Self {
        let name = format!("t-nht-{name}");
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies/next_hop_tracking");
        fs::create_dir_all(&folder).unwrap();
        for file in fs::read_dir(source).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        let lab = Lab::up_as(folder.join("topology.clab.yml"), &name);
        let network = Self(lab.unwrap_or_else(|error| panic!("{error}")), folder);
        network.eventually("pe1 knows of both PEs", || network.paths().len() == 2);
        network.comes_to_answer("ce2");
        network
    }

    fn pe1(&self) -> Node<'_> {
        self.0.node("pe1")
    }

    #[track_caller]
    fn eventually(&self, what: &str, condition: impl FnMut() -> bool) {
        if !wait_until(PATIENCE, condition) {
            panic!("not so: {what}\npe1 wrote:\n{}\n{:#?}", self.pe1().logs(), self.paths());
        }
    }

    /// Changes a node's configuration; in place, for a bind holds on to the file and not to its name.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.1.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Takes the underlay's route to a locator away from pe1, or gives it back.
    #[track_caller]
    fn route(&self, change: &[&str]) {
        self.pe1().check([&["ip", "-6", "route"], change].concat());
    }

    #[track_caller]
    fn show(&self, words: &[&str]) -> Value {
        let output = self.pe1().run([&["sixedge", "show", "--json"], words].concat());
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// pe1's paths to the prefix, by the distinguisher: pe2's first.
    fn paths(&self) -> Vec<Value> {
        self.show(&["bgp", "routes", "vpnv4", PREFIX])["routes"].as_array().cloned().unwrap_or_default()
    }

    /// Why pe1 does not use them; empty for one that it uses.
    fn reasons(&self) -> Vec<String> {
        let reason = |path: &Value| path["reason"].as_str().unwrap_or_default().to_owned();
        self.paths().iter().map(reason).collect()
    }

    /// Which site answers ce1; both have the same address.
    fn who_answers(&self) -> Option<&'static str> {
        let output = self.0.node("ce1").run(["ping", "-n", "-c", "1", "-W", "1", "10.0.2.2"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let ttl: u8 = text.split_once("ttl=")?.1.split_whitespace().next()?.parse().unwrap();
        Some(if ttl > 150 { "ce2" } else { "ce3" })
    }

    #[track_caller]
    fn comes_to_answer(&self, site: &str) {
        self.eventually(&format!("{site} answers"), || self.who_answers() == Some(site));
    }

    /// Packets of red that had no route.
    fn without_route(&self) -> u64 {
        let drops = self.show(&["drops"]);
        let of_red = |drop: &&Value| drop["vrf"] == "red" && drop["reason"] == "no-route-in-vrf";
        let packets = drops["drops"].as_array().into_iter().flatten().find(of_red);
        packets.and_then(|drop| drop["packets"].as_u64()).unwrap_or(0)
    }
}

/// RFC 9252 section 5: all the while both PEs announce the prefix, and both sessions are up.
#[test]
fn a_tenant_goes_over_to_another_pe_when_the_underlay_loses_the_way_to_the_first_and_back() {
    let network = Network::up("failover");
    assert_eq!(network.reasons(), ["", ""]);

    network.route(&["del", PE2]);
    network.comes_to_answer("ce3");
    assert_eq!(network.reasons(), ["next hop unreachable", ""]);
    let text = network.pe1().check(["sixedge", "show", "bgp", "routes", "vpnv4"]);
    assert!(text.contains("next hop unreachable"), "{text}");

    network.route(&["add", PE2, "via", "fd00:c:1::fe"]);
    network.comes_to_answer("ce2");
    assert_eq!(network.reasons(), ["", ""]);
}

#[test]
fn with_no_pe_left_the_route_leaves_the_vrf_and_the_tenant_is_told() {
    let network = Network::up("none-left");
    network.route(&["del", PE2]);
    network.route(&["del", PE3]);
    network.eventually("both paths are out of use", || network.reasons() == ["next hop unreachable"; 2]);
    let has_route = || {
        let table = network.show(&["vrf", "red", "routes"]);
        table["routes"].as_array().unwrap().iter().any(|route| route["prefix"] == PREFIX)
    };
    network.eventually("the VRF has no route", || !has_route());
    let before = network.without_route();
    let output = network.0.node("ce1").run(["ping", "-n", "-c", "3", "-i", "0.5", "-W", "2", "10.0.2.2"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Destination Net Unreachable"), "{text}");
    assert_eq!(network.without_route(), before + 3);

    network.route(&["add", PE3, "via", "fd00:c:1::fe"]);
    network.comes_to_answer("ce3");
}

#[test]
fn a_default_route_is_a_way_and_a_blackhole_is_none() {
    let network = Network::up("default");
    network.route(&["add", "default", "via", "fd00:c:1::fe"]);
    network.route(&["del", PE2]);
    network.route(&["del", PE3]);
    network.comes_to_answer("ce2");
    assert_eq!(network.reasons(), ["", ""]);
    network.route(&["add", "blackhole", PE2]);
    network.comes_to_answer("ce3");
}

/// The kernel does not tell the agent of routes that it installs itself.
#[test]
fn a_locator_that_bgp_brings_into_the_kernel_is_a_way() {
    let network = Network::up("unicast");
    network.route(&["del", PE2]);
    network.comes_to_answer("ce3");
    let announced = format!("networks: [\"{PE2}\"]");
    network.edit("pe2.yaml", "networks: []", &announced);
    network.comes_to_answer("ce2");
    network.edit("pe2.yaml", &announced, "networks: []");
    network.comes_to_answer("ce3");
}

/// The kernel keeps the routes, and would send into the void.
#[test]
fn a_core_link_without_carrier_is_no_way() {
    let network = Network::up("carrier");
    network.0.node("p").check(["ip", "link", "set", "eth1", "down"]);
    network.eventually("both paths are out of use", || network.reasons() == ["next hop unreachable"; 2]);
    assert!(network.pe1().check(["ip", "-6", "route"]).contains(PE2), "the route stands there as before");
}

/// What is not known yet counts as reachable: a new agent goes on with what it finds.
#[test]
fn a_restarted_agent_forwards_on_while_it_looks_next_hops_up_and_judges_them_as_before() {
    let network = Network::up("restart");
    network.route(&["del", PE2]);
    network.comes_to_answer("ce3");
    let flood =
        network.0.node("ce1").spawn(["ping", "-n", "-q", "-i", "0.01", "-c", "800", "-W", "5", "10.0.2.2"]);
    network.pe1().kill_main(Signal::SIGKILL).unwrap();
    network.pe1().start_main().unwrap();
    let output = flood.unwrap().wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" 0% packet loss"), "{text}\n{}", network.pe1().logs());
    network.eventually("the verdict is as before", || network.reasons() == ["next hop unreachable", ""]);
    assert_eq!(network.who_answers(), Some("ce3"));
}
