//! What the command line tells of egress addresses while there is traffic.

#[path = "support/peers.rs"]
mod peers;

use peers::{Network, eventually, items};
use serde_json::Value;

const EGRESS: &str = "192.0.2.7";
const HOST: &str = "10.0.1.2";

/// The port that the firewall sees the tenant's host come from.
fn seen_port(network: &Network, tenant: &str) -> Option<u64> {
    let script = "exec 3<>/dev/tcp/203.0.113.10/8080 && head -1 <&3";
    let pod = network.node(&format!("{tenant}-pod"));
    let said = pod.run(["timeout", "3", "bash", "-c", script]).stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let words = said.trim().strip_prefix(&format!("{tenant}-fw sees {EGRESS} port "))?;
    words.parse().ok()
}

/// The egress address of a VRF as the gateway tells it.
fn address(network: &Network, vrf: &str) -> Value {
    let egress = network.pe("pe2").show(&["egress", "--vrf", vrf, "--host", HOST]);
    let mut of_address = items(&egress["addresses"]).filter(|address| address["address"] == EGRESS);
    of_address.next().cloned().unwrap_or_else(|| panic!("{egress}"))
}

#[test]
fn a_host_leaves_by_the_ports_that_it_is_said_to_have_and_each_tenant_is_counted_apart() {
    let network = Network::of("egress", "t-show-egress", &["pe1", "pe2"]);
    let mut port = None;
    eventually("red's firewall sees the egress address", || {
        port = seen_port(&network, "red");
        port.is_some()
    });
    let red = address(&network, "red");
    let block = [0, 1].map(|end| red["hostPorts"][end].as_u64());
    assert!(block[0] <= port && port <= block[1], "{port:?} is in the block of {red}");
    assert!(red["mappings"].as_u64() > Some(0) && red["outbound"].as_u64() > Some(0), "{red}");
    assert_eq!(red["exhausted"], 0);
    let blue = address(&network, "blue");
    assert_eq!((&blue["mappings"], &blue["hostPorts"]), (&0.into(), &red["hostPorts"]));

    let flows = network.pe("pe2").show(&["flows", "red"]);
    let inbound = items(&flows["flows"]).find(|flow| flow["kind"] == "inbound");
    let host = inbound.and_then(|flow| flow["host"].as_str()).unwrap_or_default();
    assert!(host.starts_with(&format!("{HOST}:")), "the mapping leads to the host: {flows}");

    // The node where the host is knows the gateway by its route.
    let policies = network.pe("pe1").show(&["egress", "--vrf", "red"])["policies"].clone();
    let choices = items(&policies).flat_map(|policy| items(&policy["addresses"]));
    let used: Vec<_> = choices.filter(|choice| choice["address"] == EGRESS).collect();
    assert_eq!(used.len(), 1, "{policies}");
    assert_eq!((&used[0]["used"], &used[0]["nextHop"]["segments"][0]), (&true.into(), &red["sid"]));
}
