//! The agent dies; packets, sessions of tenants and routes at other PEs do not.

use std::{io::Read, process::Child};

use lab::Signal;
use serde_json::Value;

use crate::{
    config::Vrf,
    flood::assert_lossless,
    net::{Net, PE1, SITE2_V4},
};

/// A TCP transfer from a tenant's site 1 to its site 2.
struct Transfer {
    client: Child,
    _server: Child,
}

impl Transfer {
    fn start(net: &Net, tenant: &str, seconds: u32) -> Self {
        let server = net.node(&format!("{tenant}-ce2")).spawn(["iperf3", "-s", "-1"]).unwrap();
        let listening = || net.node(&format!("{tenant}-ce2")).check(["ss", "-ltn"]).contains(":5201");
        net.until("pe1", "iperf3 listens", listening);
        let client = net
            .node(&format!("{tenant}-ce1"))
            .spawn(["iperf3", "-J", "-b", "100M", "-t", &seconds.to_string(), "-c", SITE2_V4])
            .unwrap();
        Self { client, _server: server }
    }

    /// To its end; no second of it without data.
    fn assert_steady(mut self) {
        let mut report = String::new();
        self.client.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        assert!(self.client.wait().unwrap().success(), "{report}");
        let report: Value = serde_json::from_str(&report).unwrap();
        let intervals = report["intervals"].as_array().unwrap();
        let bits = intervals.iter().map(|interval| interval["sum"]["bits_per_second"].as_f64().unwrap());
        let megabits: Vec<f64> = bits.map(|bits| (bits / 1e6).round()).collect();
        println!(
            "TCP, Mbit/s in each second: {megabits:?}, {} segments sent again",
            report["end"]["sum_sent"]["retransmits"]
        );
        assert!(megabits.iter().all(|rate| *rate > 0.0), "{megabits:?}");
    }
}

/// Packets of red that went into the core.
fn encapsulated(net: &Net) -> u64 {
    let counters = net.show("pe1", "counters");
    let red = counters["vrfs"].as_array().unwrap().iter().find(|vrf| vrf["vrf"] == "red").unwrap();
    red["encapsulated"].as_u64().unwrap()
}

#[test]
fn a_killed_agent_loses_no_packet_and_the_next_one_takes_over() {
    let net = Net::up("kill");
    let numbers = ["red", "blue"].map(|vrf| net.numbers("pe1", vrf));
    let floods = net.floods("red");
    let transfer = Transfer::start(&net, "blue", 12);
    let before = encapsulated(&net);

    net.kill("pe1");
    net.until("pe1", "the reflector keeps pe1's routes as stale", || {
        net.stale_at_reflector("10.0.1.0/24") == [true, true]
    });
    assert!(net.has_fresh("pe2", "red", "10.0.1.0/24"), "the other PE hears nothing of it");

    net.start("pe1");
    net.until("pe1", "the reflector has pe1's routes anew", || {
        net.stale_at_reflector("10.0.1.0/24") == [false, false]
    });
    net.until("pe1", "BGP confirms what was adopted", || net.has_fresh("pe1", "red", "10.0.2.0/24"));
    transfer.assert_steady();
    assert_lossless(floods);

    assert_eq!(["red", "blue"].map(|vrf| net.numbers("pe1", vrf)), numbers);
    assert!(net.node("pe1").logs().contains("opened=Adopted"), "{}", net.node("pe1").logs());
    assert!(encapsulated(&net) > before + 100, "the counters go on, for the maps are the same");
    assert_eq!(net.swept("pe1").last(), Some(&0), "nothing had to be taken away");
}

/// As an upgrade to a version with other maps does: the old ones forward until BGP has filled the new ones.
#[test]
fn maps_of_another_layout_forward_until_the_new_ones_are_filled() {
    let net = Net::up("layout");
    let floods = net.floods("red");
    net.kill("pe1");
    let rename = "cd /sys/fs/bpf/sixedge && mv $(readlink maps) v0123456789abcdef && rm maps && ln -s v0123456789abcdef maps";
    net.node("pe1").check(["sh", "-c", rename]);
    net.start("pe1");
    net.until("pe1", "BGP fills the new maps", || net.has_fresh("pe1", "red", "10.0.2.0/24"));
    net.until("pe1", "the old maps are gone", || {
        !net.node("pe1").check(["ls", "/sys/fs/bpf/sixedge"]).contains("v0123456789abcdef")
    });
    assert!(net.node("pe1").logs().contains("opened=Staged"), "{}", net.node("pe1").logs());
    assert!(net.reaches("blue-ce1", SITE2_V4), "the new maps forward");
    assert_lossless(floods);
}

#[test]
fn after_a_cleanup_nothing_is_left_in_the_kernel() {
    let net = Net::up("cleanup");
    net.until("pe1", "red reaches its other site", || net.reaches("red-ce1", SITE2_V4));
    let pe1 = net.node("pe1");
    assert!(!pe1.run(["sixedge", "cleanup"]).status.success(), "refused while an agent runs");
    assert!(net.reaches("red-ce1", SITE2_V4));
    pe1.kill_main(Signal::SIGTERM).unwrap();
    net.until("pe1", "the agent has ended", || pe1.main_pids().is_empty());
    pe1.check(["sixedge", "cleanup"]);
    assert!(!net.reaches("red-ce1", SITE2_V4), "nothing forwards any more");
    assert!(!pe1.check(["ls", "/sys/fs/bpf"]).contains("sixedge"));
    assert_eq!(pe1.check(["ip", "-6", "route", "show", "proto", "161"]), "");
    assert!(!pe1.check(["ip", "-6", "rule"]).contains("161"));
}

#[test]
fn until_bgp_is_back_the_routes_are_those_from_before_and_stale() {
    let net = Net::up("stale");
    let floods = net.floods("red");
    net.kill("pe1");
    net.ip("p", "link set eth3 down"); // The way to the reflector.
    net.node("pe1").start_main().unwrap();
    net.until("pe1", "the agent answers", || net.try_show("pe1", "vrf").is_some());
    for prefix in ["10.0.2.0/24", "fd00:2::/64"] {
        let route = net.route("pe1", "red", prefix).unwrap();
        assert_eq!((&route["source"], &route["stale"]), (&"adopted".into(), &true.into()), "{route}");
    }
    assert!(net.show("pe1", "vrf red")["vrfs"][0]["routes"]["stale"].as_u64() >= Some(2));

    // The address on it stays, the routes via it do not.
    net.ip("p", "link set eth3 up");
    net.ip("p", "address replace fd00:c:9::fe/64 dev eth3 nodad");
    net.ip("p", "-6 route replace fd00:ff::9/128 via fd00:c:9::9");
    net.until("pe1", "BGP confirms", || net.has_fresh("pe1", "red", "10.0.2.0/24"));
    assert_eq!(net.show("pe1", "vrf red")["vrfs"][0]["routes"]["stale"], 0);
    assert_lossless(floods);
}

#[test]
fn a_route_withdrawn_while_the_agent_was_dead_is_swept_after_end_of_rib() {
    let net = Net::up("withdrawn");
    net.until("pe1", "blue has its static route", || net.reaches("blue-ce1", "10.9.9.9"));
    let floods = net.floods("red");
    net.kill("pe1");
    net.reload(
        "pe2",
        &net.config("pe2").edit_vrf("blue", "redistribute: [connected, static]", "redistribute: [connected]"),
    );
    net.until("pe2", "the reflector has lost it", || net.at_reflector("10.9.9.0/24").is_empty());
    assert!(net.reaches("blue-ce1", "10.9.9.9"), "the pinned dataplane has not heard of it");

    net.start("pe1");
    assert_eq!(net.swept("pe1").last(), Some(&1), "that route and no other");
    assert!(net.route("pe1", "blue", "10.9.9.0/24").is_none());
    assert!(!net.reaches("blue-ce1", "10.9.9.9"));
    assert!(net.reaches("blue-ce1", SITE2_V4));
    assert_lossless(floods);
}

#[test]
fn a_restart_with_another_configuration_spares_the_tenants_that_it_does_not_concern() {
    let net = Net::up("changed");
    let red = net.numbers("pe1", "red");
    let floods = net.floods("red");
    net.kill("pe1");
    // Blue goes, green comes, and blue's circuit moves to green, which knows blue's routes at pe2.
    let green = Vrf {
        name: "green",
        rd: "65000:301",
        target: "65000:2",
        circuit: Some(("eth3", &["10.0.1.1/24", "fd00:1::1/64"])),
    };
    net.write("pe1", &net.config("pe1").without_vrf("blue").with_vrf(&green));
    net.start("pe1");
    net.until("pe1", "green has pe2's routes", || net.has_fresh("pe1", "green", "10.0.2.0/24"));
    net.await_reachable("blue");
    assert!(net.try_show("pe1", "vrf blue").is_none());
    assert_eq!(net.numbers("pe1", "red"), red);
    assert_lossless(floods);
}

#[test]
fn an_interface_made_anew_while_the_agent_was_dead_concerns_its_own_tenant_only() {
    let net = Net::up("anew");
    let floods = net.floods("red");
    net.kill("pe1");
    net.ip("pe1", "link delete eth3");
    net.make_blue_circuit();
    net.start("pe1");
    net.await_reachable("blue");
    let log = net.node("pe1").logs();
    assert!(log.contains("forwarding_kept: true"), "peers are not told that all is lost\n{log}");
    assert_lossless(floods);
}

#[test]
fn a_lost_state_file_yields_the_same_numbers_from_the_maps() {
    let net = Net::up("state");
    // Numbers that a first start with this configuration would not give: `amber` had the first ones.
    let amber = Vrf { name: "amber", rd: "auto", target: "65000:9", circuit: None };
    let renumbered = net.config("pe1").edit_vrf("red", "rd: \"65000:101\"", "rd: auto");
    let without = renumbered.clone().without_vrf("red").without_vrf("blue").with_vrf(&amber);
    net.reload("pe1", &without);
    net.reload("pe1", &renumbered.clone().with_vrf(&amber));
    net.reload("pe1", &renumbered);
    let numbers = ["red", "blue"].map(|vrf| net.numbers("pe1", vrf));
    net.await_reachable("red");

    let floods = net.floods("red");
    net.node("pe1").check(["rm", "/var/lib/sixedge/allocations.json"]);
    net.node("pe1").kill_main(Signal::SIGHUP).unwrap();
    net.until("pe1", "the running agent needs no file", || net.taken_over("pe1") == 4);
    assert_eq!(["red", "blue"].map(|vrf| net.numbers("pe1", vrf)), numbers);

    net.kill("pe1");
    net.node("pe1").check(["rm", "/var/lib/sixedge/allocations.json"]);
    net.start("pe1");
    assert!(net.has_fresh("pe1", "red", "10.0.2.0/24"));
    assert_eq!(["red", "blue"].map(|vrf| net.numbers("pe1", vrf)), numbers);
    assert_lossless(floods);
}

#[test]
fn a_stopped_agent_leaves_forwarding_and_routes_in_place() {
    let net = Net::up("stop");
    let floods = net.floods("red");
    net.node("pe1").kill_main(Signal::SIGTERM).unwrap();
    net.until("pe1", "the agent ends", || net.node("pe1").main_pids().is_empty());
    assert!(net.node("pe1").logs().contains("stopping keep=true"), "{}", net.node("pe1").logs());
    net.until("pe1", "the reflector keeps pe1's routes as stale", || {
        net.stale_at_reflector("10.0.1.0/24") == [true, true]
    });
    assert!(net.has_fresh("pe2", "red", "10.0.1.0/24"));
    net.start("pe1");
    assert!(net.has_fresh("pe1", "red", "10.0.2.0/24"));
    assert_lossless(floods);
}

#[test]
fn both_agents_killed_at_once_lose_no_packet() {
    let net = Net::up("both");
    let floods = net.floods("red");
    net.kill("pe1");
    net.kill("pe2");
    let sweeps = ["pe1", "pe2"].map(|pe| (pe, net.swept(pe).len()));
    for (pe, _) in sweeps {
        net.node(pe).start_main().unwrap();
    }
    for (pe, before) in sweeps {
        net.until(pe, "the new agent sweeps", || net.swept(pe).len() > before);
        assert_eq!(net.swept(pe).last(), Some(&0), "nothing had to be taken away");
    }
    for tenant in ["red", "blue"] {
        assert!(net.has_fresh("pe1", tenant, "10.0.2.0/24") && net.has_fresh("pe2", tenant, "10.0.1.0/24"));
    }
    assert_lossless(floods);
}

#[test]
fn an_agent_killed_while_it_learns_a_bulk_of_routes_comes_to_have_them_all() {
    const BULK: usize = 20_000;
    let net = Net::up("bulk");
    let floods = net.floods("red");
    let routes: Vec<_> = (0..BULK)
        .map(|n| format!("{{ prefix: 10.{}.{}.0/24, via: 10.0.2.2 }}", 20 + n / 250, n % 250))
        .collect();
    let route = "{ prefix: 10.9.9.0/24, via: 10.0.2.2 }";
    net.write("pe2", &net.config("pe2").edit_vrf("blue", route, &routes.join(", ")));
    let learnt = |net: &Net| {
        let vrf = net.try_show("pe1", "vrf blue");
        vrf.and_then(|vrf| {
            usize::try_from(vrf["vrfs"][0]["routes"]["bySource"]["internalBgp"].as_u64()?).ok()
        })
        .unwrap_or(0)
    };
    // Each time a little later: while the routes go out, come in, are chosen, and are written to the maps. The agent
    // answers no question meanwhile: the reflector tells how far it is.
    for later in 0..6 {
        net.until("pe1", "routes go out to pe1", || net.sent_by_reflector(PE1) > BULK / 2);
        for _ in 0..later {
            net.sent_by_reflector(PE1);
        }
        net.kill("pe1");
        net.node("pe1").start_main().unwrap();
        net.await_session("pe1");
    }
    let log = net.node("pe1").logs();
    let adopted: Vec<_> = log.lines().filter_map(|line| line.split_once("routes=")).map(|(_, n)| n).collect();
    println!("routes found in the maps at each start: {adopted:?}");
    net.until("pe1", "all routes are there", || learnt(&net) == BULK + 2);
    let views = &net.show("pe1", "vrf blue")["vrfs"][0]["routes"];
    assert_eq!((&views["stale"], &views["unusable"]), (&0.into(), &0.into()));
    assert_lossless(floods);
}
