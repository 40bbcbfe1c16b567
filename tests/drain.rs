//! `bgp.gracefulShutdown` in a network: a node is taken out of service, and its neighbours have gone another way before.

#[path = "support/peers.rs"]
mod peers;

use std::time::Duration;

use lab::Node;
use peers::{Network, Stream, eventually, reaches};
use serde_json::{Value, json};

/// Behind pe2 and pe3; pe2 has the lower BGP identifier.
const PREFIX: &str = "10.0.2.0/24";
const PE1: &str = "fd00:ff::1";
const DISTINGUISHER_OF_PE2: &str = "65000:102";

fn path_by_pe2(network: &Network) -> Value {
    let paths = network.pe("pe1").paths("vpnv4", PREFIX);
    paths.into_iter().find(|path| path["rd"] == DISTINGUISHER_OF_PE2).unwrap_or_default()
}

/// ce2 sends with 220, ce3 with 120.
fn answers_with_ttl_above(node: &Node<'_>, limit: u32) -> bool {
    let said = node.run(["ping", "-n", "-c1", "-W1", "10.0.2.2"]).stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let ttl = said.split("ttl=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    ttl.is_some_and(|ttl| ttl > limit)
}

#[test]
fn a_pe_is_drained_and_then_cut_off_without_a_packet_lost() {
    let network = Network::up("next_hop_tracking", "t-drain", &["pe1", "pe2", "pe3"], &[]);
    let (pe1, pe2, ce1) = (network.pe("pe1"), network.pe("pe2"), network.node("ce1"));
    eventually("pe1 knows of both PEs", || pe1.paths("vpnv4", PREFIX).len() == 2);
    reaches(&ce1, "10.0.2.2");
    assert!(answers_with_ttl_above(&ce1, 200), "ce2 answers");
    let up = || pe2.neighbor(PE1)["uptimeSeconds"].as_u64();
    let before = up().expect("the session is up");

    let stream = Stream::start(&ce1, "10.0.2.2");
    network.edit("pe2.yaml", "networks: []", "gracefulShutdown: true");
    pe2.reload();
    eventually("pe2's path has the lowest preference", || path_by_pe2(&network)["localPref"] == 0);
    assert_eq!(path_by_pe2(&network)["communities"], json!(["graceful-shutdown"]));
    eventually("pe3 has taken over", || !answers_with_ttl_above(&ce1, 200));
    assert!(up() >= Some(before), "no session was touched");
    pe2.0.check(["ip", "link", "set", "eth1", "down"]);
    reaches(&ce1, "10.0.2.2");
    std::thread::sleep(Duration::from_secs(1));
    let (sent, answered) = stream.stop();
    assert!(sent > 50, "{sent} pings are too few to tell");
    assert_eq!(answered, sent, "pings while pe2 was taken out of service");
}

#[test]
fn the_last_pe_of_a_prefix_is_used_while_it_leaves_and_taken_back_in_full() {
    let network = Network::up("next_hop_tracking", "t-drain-last", &["pe1", "pe2", "pe3"], &[]);
    let (pe1, pe2, ce1) = (network.pe("pe1"), network.pe("pe2"), network.node("ce1"));
    network.node("pe3").check(["ip", "link", "set", "eth2", "down"]);
    eventually("pe2 alone has the prefix", || pe1.paths("vpnv4", PREFIX).len() == 1);
    network.edit("pe2.yaml", "networks: []", "gracefulShutdown: true");
    pe2.reload();
    eventually("pe2's path has the lowest preference", || path_by_pe2(&network)["localPref"] == 0);
    reaches(&ce1, "10.0.2.2");

    network.edit("pe2.yaml", "gracefulShutdown: true", "gracefulShutdown: false");
    pe2.reload();
    eventually("pe2's path is as any other", || path_by_pe2(&network)["localPref"] == 100);
    assert_eq!(path_by_pe2(&network)["communities"], json!([]));
    reaches(&ce1, "10.0.2.2");
}
