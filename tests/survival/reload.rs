//! A running agent is told to be something else, by SIGHUP or by its file; whom it does not concern does not notice.

use lab::Signal;

use crate::{
    config::Vrf,
    flood::{Flood, assert_lossless},
    net::{Net, PE1, RR, SITE2_V4},
};

/// A VRF on an interface that only [`add_green_interface`] makes.
const GREEN: Vrf<'_> = Vrf {
    name: "green",
    rd: "65000:301",
    target: "65000:3",
    circuit: Some(("green0", &["10.0.3.1/24", "fd00:3::1/64"])),
};

/// What a reload must not touch: the sessions with the route reflector, and the packets of a tenant.
struct Unconcerned<'a> {
    net: &'a Net,
    floods: [Flood<'a>; 2],
    /// Of pe1's session.
    uptime: u64,
    sessions: u64,
}

impl<'a> Unconcerned<'a> {
    fn watch(net: &'a Net, tenant: &'static str) -> Self {
        let uptime = || net.neighbor("pe1", RR).and_then(|rr| rr["uptimeSeconds"].as_u64());
        // So long that a session that was reset shows by its time.
        net.until("pe1", "the session is some seconds old", || uptime() >= Some(3));
        let sessions = net.sessions_at_reflector(PE1);
        Self { net, floods: net.floods(tenant), uptime: uptime().unwrap(), sessions }
    }

    #[track_caller]
    fn assert_untouched(self) {
        assert_lossless(self.floods);
        let rr = self.net.neighbor("pe1", RR).unwrap();
        assert!(rr["uptimeSeconds"].as_u64() >= Some(self.uptime), "{rr}");
        assert_eq!(self.net.sessions_at_reflector(PE1), self.sessions);
    }
}

fn add_green_interface(net: &Net) {
    net.ip("pe1", "link add green0 type veth peer green1");
    net.ip("pe1", "link set green1 up");
    net.ip("pe1", "link set green0 up");
}

#[test]
fn a_mistake_is_refused_by_its_place_and_the_old_configuration_goes_on() {
    let net = Net::up("mistake");
    let unconcerned = Unconcerned::watch(&net, "red");
    let right = net.config("pe1");
    let numbers = net.numbers("pe1", "red");
    let refused = || net.node("pe1").logs().matches("configuration refused").count();

    let wrong = right.clone().without_vrf("blue").edit_vrf("red", "rd: \"65000:101\"", "rd: \"65000\"");
    let line = wrong.to_string().lines().position(|line| line.contains("rd: \"65000\"")).unwrap() + 1;
    net.write("pe1", &wrong);
    net.until("pe1", "the changed file is refused", || refused() == 1);
    let place = format!("/etc/sixedge/sixedge.yaml:{line}:9: vrfs[0].rd: ");
    assert!(net.node("pe1").logs().contains(&place), "no {place:?} in\n{}", net.node("pe1").logs());
    net.node("pe1").kill_main(Signal::SIGHUP).unwrap();
    net.until("pe1", "SIGHUP has it refused again", || refused() == 2);
    assert_eq!(net.numbers("pe1", "red"), numbers);
    net.await_reachable("blue");

    assert_eq!(net.taken_over("pe1"), 0);
    net.reload("pe1", &right);
    net.node("pe1").kill_main(Signal::SIGHUP).unwrap();
    net.until("pe1", "SIGHUP has the same file taken over again", || net.taken_over("pe1") == 2);
    unconcerned.assert_untouched();
}

#[test]
fn another_as_or_router_id_is_refused_as_a_whole() {
    let net = Net::up("identity");
    let unconcerned = Unconcerned::watch(&net, "red");
    let right = net.config("pe1");
    let refused = || net.node("pe1").logs().matches("configuration refused").count();
    for (refusals, (from, to)) in
        [("asn: 65000, routerId", "asn: 65001, routerId"), ("10.255.0.1", "10.255.0.7")]
            .into_iter()
            .enumerate()
    {
        net.write("pe1", &right.clone().without_vrf("blue").edit_head(from, to));
        net.until("pe1", "the changed file is refused", || refused() == refusals + 1);
    }
    let summary = net.show("pe1", "bgp summary");
    assert_eq!((&summary["asn"], &summary["routerId"]), (&65000.into(), &"10.255.0.1".into()));
    net.await_reachable("blue");
    net.reload("pe1", &right);
    unconcerned.assert_untouched();
}

#[test]
fn a_state_file_that_cannot_be_written_refuses_the_reload_and_not_the_service() {
    let net = Net::up("readonly");
    let unconcerned = Unconcerned::watch(&net, "red");
    let before = net.config("pe1");
    // Not even root writes where a folder is in the way.
    net.node("pe1").check(["mkdir", "/var/lib/sixedge/allocations.new"]);
    net.write("pe1", &before.clone().without_vrf("blue"));
    let refused = "configuration refused, the old one goes on\n/var/lib/sixedge/allocations.json: ";
    net.until("pe1", "the reload is refused", || net.node("pe1").logs().contains(refused));
    net.await_reachable("blue");
    net.node("pe1").check(["rmdir", "/var/lib/sixedge/allocations.new"]);
    net.reload("pe1", &before.clone().without_vrf("blue").with_vrf(&Vrf { circuit: None, ..GREEN }));
    unconcerned.assert_untouched();
}

#[test]
fn vrfs_come_and_go_without_the_others_noticing() {
    let net = Net::up("vrfs");
    let unconcerned = Unconcerned::watch(&net, "red");
    let before = net.config("pe1");
    add_green_interface(&net);
    net.reload("pe1", &before.clone().with_vrf(&GREEN));
    net.until("pe1", "green is advertised", || net.at_reflector("10.0.3.0/24").len() == 1);
    let sids = |net: &Net| net.show("pe1", "sids")["sids"].as_array().unwrap().len();
    assert_eq!(sids(&net), 3);

    net.reload("pe1", &before.clone().without_vrf("blue"));
    net.until("pe1", "green is withdrawn", || net.at_reflector("10.0.3.0/24").is_empty());
    net.until("pe1", "blue is withdrawn", || net.at_reflector("10.0.1.0/24").len() == 1);
    assert_eq!(sids(&net), 1);
    assert!(!net.reaches("blue-ce1", SITE2_V4));

    net.reload("pe1", &before);
    net.await_reachable("blue");
    unconcerned.assert_untouched();
}

#[test]
fn imports_follow_the_route_targets() {
    let net = Net::up("targets");
    let unconcerned = Unconcerned::watch(&net, "blue");
    let before = net.config("pe1");
    let onlooker = |target| Vrf { name: "green", rd: "65000:301", target, circuit: None };
    let green_has = |prefix| net.has_fresh("pe1", "green", prefix);

    net.reload("pe1", &before.clone().with_vrf(&onlooker("65000:2")));
    net.until("pe1", "green imports what blue exports", || green_has("10.9.9.0/24"));
    net.reload("pe1", &before.clone().with_vrf(&onlooker("65000:1")));
    net.until("pe1", "and no more", || !green_has("10.9.9.0/24"));
    net.until("pe1", "but what red exports", || green_has("10.0.2.0/24"));

    let moved = |pe| net.config(pe).edit_vrf("red", "65000:1\"", "65000:7\"");
    net.reload("pe2", &moved("pe2"));
    net.until("pe1", "pe2 exports red's with another target", || {
        net.route("pe1", "red", "10.0.2.0/24").is_none()
    });
    assert!(!net.reaches("red-ce1", SITE2_V4));
    net.reload("pe1", &moved("pe1"));
    net.await_reachable("red");
    unconcerned.assert_untouched();
}

#[test]
fn sids_move_to_another_locator_before_the_old_ones_go() {
    let net = Net::up("locator");
    let unconcerned = Unconcerned::watch(&net, "blue");
    let concerned = net.floods("red");
    net.ip("p", "-6 route add fc00:0:3::/48 via fd00:c:1::1");
    let second = "    - { name: second, prefix: \"fc00:0:3::/48\" }\nbgp:\n";
    let config = net.config("pe1").edit_head("bgp:\n", second);
    net.reload("pe1", &config.edit_vrf("red", "redistribute:", "locator: second\n    redistribute:"));
    let leads_there = || {
        let route = net.route("pe2", "red", "10.0.1.0/24");
        route.is_some_and(|route| {
            route["nextHop"]["segments"][0].as_str().is_some_and(|sid| sid.starts_with("fc00:0:3:"))
        })
    };
    net.until("pe2", "the other PE sends to the new SID", leads_there);
    assert!(net.numbers("pe1", "blue")[2].starts_with("\"fc00:0:1:"));
    let gone = "what was withdrawn or has moved is gone";
    net.until("pe1", "the old SID goes after a while", || net.node("pe1").logs().contains(gone));
    assert_lossless(concerned);
    unconcerned.assert_untouched();
}

#[test]
fn neighbors_come_and_go_without_the_others_noticing() {
    let net = Net::up("neighbors");
    let unconcerned = Unconcerned::watch(&net, "red");
    let before = ["pe1", "pe2"].map(|pe| (pe, net.config(pe)));
    for ((pe, config), (own, other)) in before.iter().zip([(PE1, "fd00:ff::2"), ("fd00:ff::2", PE1)]) {
        let rr = "    - { address: \"fd00:ff::9\"";
        let direct = format!(
            "    - {{ address: \"{other}\", asn: 65000, localAddress: \"{own}\", families: [vpnv4, vpnv6], connectRetry: 1 }}\n{rr}"
        );
        net.reload(pe, &config.clone().edit_head(rr, &direct));
    }
    net.until("pe1", "the PEs speak with each other", || net.established("pe1", "fd00:ff::2"));
    let paths = || {
        let routes = net.show("pe1", "bgp routes vpnv4 10.0.2.0/24");
        routes["routes"].as_array().unwrap().len()
    };
    net.until("pe1", "both have told it of red's and blue's route", || paths() == 4);

    let [(_, pe1), _] = &before;
    net.reload("pe1", pe1);
    assert!(net.neighbor("pe1", "fd00:ff::2").is_none());
    net.until("pe1", "its routes go with it", || paths() == 2);
    unconcerned.assert_untouched();
}

#[test]
fn an_interface_that_is_removed_and_made_again_is_the_circuit_again() {
    let net = Net::up("interface");
    let unconcerned = Unconcerned::watch(&net, "red");
    let circuit = || net.show("pe1", "vrf blue")["vrfs"][0]["circuits"][0]["state"].clone();
    net.ip("pe1", "link delete eth3");
    net.until("pe1", "the circuit is missed", || circuit() == "missing");
    net.until("pe2", "its subnet is withdrawn", || net.route("pe2", "blue", "10.0.1.0/24").is_none());

    net.make_blue_circuit();
    net.until("pe1", "the circuit is there again", || circuit() == "up");
    net.await_reachable("blue");
    unconcerned.assert_untouched();
}

#[test]
fn the_subnet_of_an_interface_goes_and_comes_with_its_link() {
    let net = Net::up("down");
    let unconcerned = Unconcerned::watch(&net, "red");
    for _ in 0..2 {
        net.ip("pe1", "link set eth3 down");
        net.until("pe2", "the subnet is withdrawn", || net.route("pe2", "blue", "10.0.1.0/24").is_none());
        net.ip("pe1", "link set eth3 up");
        net.await_reachable("blue");
    }
    unconcerned.assert_untouched();
}
