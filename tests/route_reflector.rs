//! FRR 8.4 as route reflector between two PEs: what it passes on, and what happens when it, a link or a route goes away.

#[path = "support/peers.rs"]
mod peers;

use lab::Signal;
use peers::{Network, Stream, eventually, reaches, unreachable, vtysh};

const REFLECTOR: &str = "fd00:ff::9";
/// Behind pe2 by static routes; the subnets of its circuit are connected ones.
const STATIC_OF_PE2: [&str; 2] = ["10.9.9.0/24", "fd00:9::/64"];
const OF_PE2: [&str; 4] = ["10.0.2.0/24", "fd00:2::/64", "10.9.9.0/24", "fd00:9::/64"];
const OF_PE1: [&str; 2] = ["10.0.1.0/24", "fd00:1::/64"];

fn up(name: &str) -> Network {
    let network = Network::up("route_reflector", name, &["pe1", "pe2"], &[]);
    all_learnt(&network);
    network
}

#[track_caller]
fn all_learnt(network: &Network) {
    let (pe1, pe2) = (network.pe("pe1"), network.pe("pe2"));
    for pe in [&pe1, &pe2] {
        pe.await_session(REFLECTOR);
    }
    OF_PE2.iter().for_each(|prefix| drop(pe1.await_learnt("red", prefix)));
    OF_PE1.iter().for_each(|prefix| drop(pe2.await_learnt("red", prefix)));
}

#[track_caller]
fn customers_reach_each_other(network: &Network) {
    for address in ["10.0.2.2", "fd00:2::2", "10.9.9.9", "fd00:9::9"] {
        reaches(&network.node("ce1"), address);
    }
    for address in ["10.0.1.2", "fd00:1::2"] {
        reaches(&network.node("ce2"), address);
    }
}

#[test]
fn vpn_routes_cross_the_reflector_with_their_sid_and_customers_reach_each_other() {
    let network = up("t-interop-rr-routes");
    let (pe1, pe2) = (network.pe("pe1"), network.pe("pe2"));
    let sid = pe2.sid("End.DT46").expect("pe2 has a SID");
    for (family, prefix) in [("vpnv4", "10.0.2.0/24"), ("vpnv6", "fd00:2::/64"), ("vpnv4", "10.9.9.0/24")] {
        let [path] = &pe1.paths(family, prefix)[..] else { panic!("one path for {prefix}") };
        assert_eq!(path["sid"], sid, "the function folded back into the SID: {path}");
        assert_eq!(path["rd"], "65000:102");
        assert_eq!(path["nextHop"], "fd00:ff::2", "the reflector leaves the next hop as it is: {path}");
        assert_eq!(path["routeTargets"], serde_json::json!(["65000:1"]));
        assert_eq!(path["importedInto"], serde_json::json!(["red"]));
        let route = pe1.learnt("red", prefix).expect("it is in the dataplane");
        assert_eq!(route["nextHop"]["segments"], serde_json::json!([sid]), "{route}");
    }
    customers_reach_each_other(&network);
}

#[test]
fn routes_come_back_after_a_reset_by_the_reflector_and_after_a_reset_by_us() {
    let network = up("t-interop-rr-reset");
    let (pe1, rr) = (network.pe("pe1"), network.node("rr"));
    let neighbor = || vtysh(&rr, "show bgp neighbors fd00:ff::1 json");
    let sessions = || neighbor()["fd00:ff::1"]["connectionsEstablished"].as_u64();
    let resets: [(&str, &dyn Fn()); 2] = [
        ("by the reflector", &|| drop(rr.check(["vtysh", "-c", "clear bgp fd00:ff::1"]))),
        ("by us", &|| drop(pe1.0.check(["sixedge", "clear", "bgp", REFLECTOR]))),
    ];
    for (by, reset) in resets {
        let before = sessions().expect("FRR counts its sessions");
        reset();
        eventually(&format!("a new session after the reset {by}"), || sessions() > Some(before));
        all_learnt(&network);
        customers_reach_each_other(&network);
    }
}

#[test]
fn a_core_link_that_fails_takes_the_routes_along_and_brings_them_back() {
    let network = up("t-interop-rr-link");
    let (pe1, ce1, rr) = (network.pe("pe1"), network.node("ce1"), network.node("rr"));
    let state = || vtysh(&rr, "show bgp neighbors fd00:ff::1 json")["fd00:ff::1"]["bgpState"].clone();
    pe1.0.check(["ip", "link", "set", "eth1", "down"]);
    assert!(unreachable(&ce1, "10.0.2.2"));
    eventually("FRR's hold timer ends the session", || state() != "Established");
    eventually("ours ends it too", || !pe1.established(REFLECTOR));
    pe1.0.check(["ip", "link", "set", "eth1", "up"]);
    all_learnt(&network);
    customers_reach_each_other(&network);
}

#[test]
fn a_circuit_that_fails_is_withdrawn_and_comes_back() {
    let network = up("t-interop-rr-circuit");
    let (pe1, pe2, ce2) = (network.pe("pe1"), network.pe("pe2"), network.node("ce2"));
    ce2.check(["ip", "link", "set", "eth1", "down"]);
    OF_PE2.iter().for_each(|prefix| pe1.await_gone("red", prefix));
    for prefix in OF_PE1 {
        assert!(pe2.learnt("red", prefix).is_some(), "{prefix} has nothing to do with the circuit");
    }
    for command in [
        "ip link set eth1 up",
        "ip address replace fd00:2::2/64 dev eth1 nodad",
        "ip route replace default via 10.0.2.1",
        "ip -6 route replace default via fd00:2::1",
    ] {
        ce2.check(command.split(' '));
    }
    all_learnt(&network);
    customers_reach_each_other(&network);
}

/// RFC 4724 section 4.2: we are the helper of FRR's restart.
#[test]
fn traffic_goes_on_while_the_reflector_is_dead_and_what_left_meanwhile_is_swept() {
    let network = up("t-interop-rr-restart");
    let (pe1, pe2, rr) = (network.pe("pe1"), network.pe("pe2"), network.node("rr"));
    customers_reach_each_other(&network);
    let stream = Stream::start(&network.node("ce1"), "10.0.2.2");
    rr.kill_main(Signal::SIGKILL).unwrap();
    for pe in [&pe1, &pe2] {
        eventually("the session is down", || !pe.established(REFLECTOR));
    }
    let stale = serde_json::json!(["vpnv4", "vpnv6"]);
    eventually("the reflector's routes are kept as stale", || pe1.neighbor(REFLECTOR)["stale"] == stale);
    customers_reach_each_other(&network);
    network.edit("pe2.yaml", "      - { prefix: 10.9.9.0/24, via: 10.0.2.2 }\n", "");
    pe2.reload();
    assert!(pe1.learnt("red", STATIC_OF_PE2[0]).is_some(), "nobody could tell pe1 yet");
    // Until here without the reflector. FRR 8.4 says End-of-RIB to the first PE before the second has told its routes, so
    // that a packet may be lost after its return.
    let (sent, answered) = stream.stop();
    assert!(sent > 50, "{sent} pings are too few to tell");
    assert_eq!(answered, sent, "pings while the reflector was dead");

    rr.start_main().unwrap();
    pe1.await_session(REFLECTOR);
    pe1.await_gone("red", STATIC_OF_PE2[0]);
    eventually("nothing is stale any more", || pe1.neighbor(REFLECTOR)["stale"] == serde_json::json!([]));
    for prefix in [OF_PE2[0], OF_PE2[1], STATIC_OF_PE2[1]] {
        pe1.await_learnt("red", prefix);
    }
    OF_PE1.iter().for_each(|prefix| drop(pe2.await_learnt("red", prefix)));
    reaches(&network.node("ce1"), "10.0.2.2");
    reaches(&network.node("ce1"), "fd00:9::9");
}

#[test]
fn a_static_route_taken_out_of_the_file_is_gone_from_the_other_pes_dataplane() {
    let network = up("t-interop-rr-withdraw");
    let (pe1, pe2, ce1) = (network.pe("pe1"), network.pe("pe2"), network.node("ce1"));
    reaches(&ce1, "10.9.9.9");
    reaches(&ce1, "fd00:9::9");
    network.edit("pe2.yaml", "    staticRoutes:\n", "");
    network.edit("pe2.yaml", "      - { prefix: 10.9.9.0/24, via: 10.0.2.2 }\n", "");
    network.edit("pe2.yaml", "      - { prefix: \"fd00:9::/64\", via: \"fd00:2::2\" }\n", "");
    pe2.reload();
    STATIC_OF_PE2.iter().for_each(|prefix| pe1.await_gone("red", prefix));
    assert_eq!(pe1.paths("vpnv4", STATIC_OF_PE2[0]), [] as [serde_json::Value; 0]);
    for address in ["10.9.9.9", "fd00:9::9"] {
        let before = pe1.dropped("red", "no-route-in-vrf");
        assert!(unreachable(&ce1, address));
        assert!(pe1.dropped("red", "no-route-in-vrf") > before, "{address} ends at pe1 for want of a route");
    }
    reaches(&ce1, "10.0.2.2");
    reaches(&ce1, "fd00:2::2");
}
