//! What the command line tells of services and flows while there is traffic.

#[path = "support/peers.rs"]
mod peers;

use peers::{Network, eventually, items};
use serde_json::Value;

/// Of the service `shop`, whose backends here answer by the same PE.
const VIP: &str = "10.100.0.3";

fn up(name: &str) -> Network {
    let network = Network::of("services", name, &["pe1"]);
    eventually("red's client is answered", || ask(&network, "red-c1"));
    network
}

fn ask(network: &Network, client: &str) -> bool {
    let script = format!("exec 3<>/dev/tcp/{VIP}/80 && head -1 <&3");
    network.node(client).run(["timeout", "3", "bash", "-c", &script]).status.success()
}

/// What the VIP has counted over TCP.
fn counted(network: &Network, vrf: &str) -> Value {
    let services = network.pe("pe1").show(&["services", "--vrf", vrf]);
    let counters = items(&services["services"]).flat_map(|service| items(&service["counters"]));
    let mut of_vip = counters.filter(|counted| counted["address"] == VIP && counted["protocol"] == 6);
    of_vip.next().cloned().unwrap_or_else(|| panic!("{services}"))
}

#[test]
fn a_request_through_a_vip_is_told_by_every_view_of_its_tenant_and_by_none_of_the_other() {
    let network = up("t-show-traffic");
    let red = counted(&network, "red");
    let number = |counter: &str| red[counter].as_u64().unwrap();
    assert!(number("flows") > 0 && number("forwarded") > 0 && number("replies") > 0, "{red}");
    assert_eq!((number("targetPort"), number("refused")), (8080, 0));
    assert_eq!(counted(&network, "blue")["forwarded"], 0);

    let show = |words: &[&str]| network.pe("pe1").show(words);
    let flows = show(&["flows", "red"]);
    let of_kind = |kind: &str| {
        let mut found = items(&flows["flows"]).filter(|flow| flow["kind"] == kind);
        found.next().unwrap_or_else(|| panic!("{flows}"))
    };
    let (balanced, reply) = (of_kind("balanced"), of_kind("reply"));
    assert_eq!(balanced["destination"], format!("{VIP}:80"));
    assert_eq!(reply["vip"], balanced["destination"]);
    assert_eq!(reply["destination"], balanced["source"]);
    assert_eq!(reply["source"], balanced["backend"]);
    let limited = show(&["flows", "red", "--limit", "1"]);
    assert_eq!((items(&limited["flows"]).count(), &limited["total"]), (1, &flows["total"]));
    assert_eq!(show(&["flows", "blue"])["total"], 0);
}

#[test]
fn people_read_tables_and_a_vrf_that_is_not_there_is_refused() {
    let network = up("t-show-tables");
    let show = |words: &str| {
        let output = network.node("pe1").run(["sixedge", "show"].into_iter().chain(words.split(' ')));
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    for (words, expected) in [
        ("services", "red   shop     10.100.0.3:80"),
        ("services", "another PE"),
        ("flows red", "client to VIP"),
        ("flows blue", "VRF blue remembers no flows"),
        ("egress", "no egress policies configured"),
        ("filters", "no circuit has a filter"),
        ("sids", "balance"),
        ("vrf red routes", "a service of this PE"),
    ] {
        let (success, said) = show(words);
        assert!(success && said.contains(expected), "show {words} says nothing of {expected:?}:\n{said}");
    }
    for words in ["services --vrf green", "flows green", "egress --vrf green", "filters --vrf green"] {
        let (success, said) = show(words);
        assert!(!success && said.contains("there is no VRF green; there are: red blue"), "{words}: {said}");
    }
}
