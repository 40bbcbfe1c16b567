use super::*;
use crate::{
    intent::{Encapsulation, SidMode, Via},
    testing::{gateway, via, vrf},
};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24"])
}

#[test]
fn a_learnt_route_is_encapsulated_and_goes_when_withdrawn() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    assert_eq!(pe.route(RED, "10.1.0.0/16"), Some(encapsulate("fc00:0:2:1::")));
    let change = pe.learn(RED, "10.1.0.0/16", None);
    assert_eq!(change, Some(Change::RemoveRoute(RED, "10.1.0.0/16".parse().unwrap())));
    assert_eq!(pe.learn(RED, "10.1.0.0/16", None), None);
}

#[test]
fn the_same_path_again_or_with_other_words_changes_nothing() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    assert_eq!(pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::"))), None);
    let stale = VpnPath { stale: true, ..path("fc00:0:2:1::") };
    assert_eq!(pe.learn(RED, "10.1.0.0/16", Some(stale)), None, "a peer restarts: packets go on");
    let other_peer = VpnPath { peer: PeerId(2), ..path("fc00:0:2:1::") };
    assert_eq!(pe.learn(RED, "10.1.0.0/16", Some(other_peer)), None, "a second reflector takes over");
}

#[test]
fn overlapping_tenants_never_meet() {
    let mut pe = Pe::new(vec![red(), vrf("blue").circuit("eth2", &["10.0.0.1/24"])], &["eth1", "eth2"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    pe.learn(BLUE, "10.1.0.0/16", Some(path("fc00:0:2:2::")));
    assert_eq!(pe.route(RED, "10.1.0.0/16"), Some(encapsulate("fc00:0:2:1::")));
    assert_eq!(pe.route(BLUE, "10.1.0.0/16"), Some(encapsulate("fc00:0:2:2::")));
    pe.learn(RED, "10.1.0.0/16", None);
    assert_eq!(pe.route(BLUE, "10.1.0.0/16"), Some(encapsulate("fc00:0:2:2::")));
}

#[test]
fn connected_and_static_routes_hide_learnt_ones_until_they_go() {
    let mut pe = Pe::new(vec![red().route("10.9.0.0/16", via("10.0.0.2"))], &["eth1"]);
    assert_eq!(pe.learn(RED, "10.0.0.0/24", Some(path("fc00:0:2:1::"))), None);
    assert_eq!(pe.learn(RED, "10.9.0.0/16", Some(path("fc00:0:2:1::"))), None);
    pe.configure(&intent(vec![vrf("red")]));
    assert_eq!(pe.route(RED, "10.0.0.0/24"), Some(encapsulate("fc00:0:2:1::")));
    assert_eq!(pe.route(RED, "10.9.0.0/16"), Some(encapsulate("fc00:0:2:1::")));
    let transition = pe.configure(&intent(vec![red()]));
    assert_eq!(
        pe.route(RED, "10.0.0.0/24"),
        Some(NextHop::Connected { interface: srv6_dp::model::IfIndex(2) })
    );
    let replaced = |c: &Change| matches!(c, Change::RemoveRoute(_, p) if p.to_string() == "10.0.0.0/24");
    assert!(!transition.remove.iter().any(replaced), "replaced in one step, never absent");
}

/// BGP has compared the address with those of other gateways, and tells of theirs only if it is preferred.
#[test]
fn an_egress_address_is_the_preferred_gateways() {
    let address = "192.0.2.7/32";
    let intent = intent(vec![Vrf { egress: vec![gateway("internet", &["192.0.2.7"])], ..red() }]);
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.configure(&intent);
    assert_eq!(pe.route(RED, address), Some(NextHop::Egress));
    let used = |pe: &Pe| {
        let prefix: IpNet = address.parse().unwrap();
        let used = pe.tables.candidates(RED).filter(|c| c.prefix == prefix && c.programmed);
        used.map(|c| c.source).collect::<Vec<_>>()
    };
    pe.learn(RED, address, Some(path("fc00:0:2:1::")));
    assert_eq!(pe.route(RED, address), Some(encapsulate("fc00:0:2:1::")));
    assert_eq!(used(&pe), [RouteSource::InternalBgp]);

    pe.restart(&intent);
    assert_eq!(pe.route(RED, address), Some(encapsulate("fc00:0:2:1::")), "until BGP has spoken");
    let swept = pe.tables.sweep();
    pe.apply(&swept);
    assert_eq!(pe.route(RED, address), Some(NextHop::Egress), "the other gateway is gone");

    pe.learn(RED, address, Some(path("fc00:0:2:1::")));
    pe.learn(RED, address, None);
    assert_eq!(pe.route(RED, address), Some(NextHop::Egress), "never without a gateway");
    assert_eq!(used(&pe), [RouteSource::Egress]);
}

#[test]
fn what_cannot_be_used_is_named_and_not_programmed() {
    let with = |sid, behavior| VpnPath { sid, behavior, ..path("::") };
    let remote = Some(sid("fc00:0:2:1::"));
    let dx2 = Behavior(0x0015);
    let table = [
        ("10.1.0.0/16", with(None, Behavior::END_DT46), Unusable::NoSid),
        ("10.1.0.0/16", with(remote, dx2), Unusable::Behavior(dx2)),
        ("10.1.0.0/16", with(remote, Behavior::END_DT6), Unusable::Behavior(Behavior::END_DT6)),
        ("2001:db8:9::/48", with(remote, Behavior::END_DT4), Unusable::Behavior(Behavior::END_DT4)),
        ("10.1.0.0/16", path("::"), Unusable::BadSid(sid("::"))),
        ("10.1.0.0/16", path("ff02::1"), Unusable::BadSid(sid("ff02::1"))),
        ("10.1.0.0/16", path("fc00:0:1:99::"), Unusable::NotOurs(sid("fc00:0:1:99::"))),
        ("10.1.0.0/16", path("fc00:0:1:1::"), Unusable::Loop),
    ];
    for (prefix, path, reason) in table {
        let mut pe = Pe::new(vec![red()], &["eth1"]);
        assert_eq!(pe.learn(RED, prefix, Some(path)), None, "{reason}");
        assert_eq!(pe.reason(RED, prefix), Some(reason));
    }
}

#[test]
fn behaviors_that_deliver_the_family_are_used() {
    let table = [
        ("10.1.0.0/16", Behavior::END_DT4),
        ("10.1.0.0/16", Behavior::END_DT46),
        ("10.1.0.0/16", Behavior::END_DT4_NEXT),
        ("10.1.0.0/16", Behavior::END_DX4),
        ("10.1.0.0/16", Behavior::OPAQUE),
        ("2001:db8:9::/48", Behavior::END_DT6),
        ("2001:db8:9::/48", Behavior::END_DT46_NEXT),
        ("2001:db8:9::/48", Behavior::END_DX6),
        ("2001:db8:9::/48", Behavior::OPAQUE),
    ];
    for (prefix, behavior) in table {
        let mut pe = Pe::new(vec![red()], &["eth1"]);
        pe.learn(RED, prefix, Some(VpnPath { behavior, ..path("fc00:0:2:1::") }));
        assert_eq!(pe.route(RED, prefix), Some(encapsulate("fc00:0:2:1::")), "{behavior} for {prefix}");
    }
}

#[test]
fn a_route_that_becomes_unusable_is_taken_out() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    pe.learn(RED, "10.1.0.0/16", Some(VpnPath { sid: None, ..path("::") }));
    assert_eq!(pe.route(RED, "10.1.0.0/16"), None);
}

#[test]
fn a_route_of_another_vrf_here_is_looked_up_there() {
    let blue = vrf("blue").circuit("eth2", &["10.2.0.1/24"]);
    let mut pe = Pe::new(vec![red(), blue], &["eth1", "eth2"]);
    pe.learn(RED, "10.2.0.0/24", Some(path("fc00:0:1:2::")));
    assert_eq!(pe.route(RED, "10.2.0.0/24"), Some(NextHop::Vrf(BLUE)), "by its SID");
    pe.learn(RED, "10.3.0.0/24", Some(VpnPath { local: Some(BLUE), sid: None, ..path("::") }));
    assert_eq!(pe.route(RED, "10.3.0.0/24"), Some(NextHop::Vrf(BLUE)), "by its name");
}

#[test]
fn a_new_encapsulation_reaches_every_learnt_route() {
    let mut pe = Pe::new(vec![red(), vrf("blue")], &["eth1"]);
    for n in 1..50 {
        pe.learn(RED, &format!("10.{n}.0.0/16"), Some(path("fc00:0:2:1::")));
        pe.learn(BLUE, &format!("10.{n}.0.0/16"), Some(path("fc00:0:2:1::")));
    }
    let mut full = red();
    full.encapsulation = Encapsulation::Full;
    let transition = pe.configure(&intent(vec![full, vrf("blue")]));
    assert_eq!(transition.make.len(), 49, "red's routes and nothing else");
    let segments = vec![sid("fc00:0:2:1::")];
    assert_eq!(pe.route(RED, "10.7.0.0/16"), Some(NextHop::Encapsulate { segments, reduced: false }));
}

#[test]
fn a_sid_that_becomes_ours_turns_encapsulation_into_a_leak() {
    let mut pe = Pe::new(vec![red(), vrf("blue")], &["eth1"]);
    pe.learn(RED, "10.5.0.0/16", Some(path("fc00:0:1:4::")));
    assert_eq!(pe.reason(RED, "10.5.0.0/16"), Some(Unusable::NotOurs(sid("fc00:0:1:4::"))));
    let mut blue = vrf("blue");
    blue.sid_mode = SidMode::PerFamily;
    pe.configure(&intent(vec![red(), blue, vrf("green")]));
    assert_eq!(pe.dataplane.sids[&sid("fc00:0:1:4::")].vrf, BLUE);
    assert_eq!(pe.reason(RED, "10.5.0.0/16"), Some(Unusable::Behavior(Behavior::END_DT6)));
    pe.learn(RED, "2001:db8:5::/48", Some(path("fc00:0:1:4::")));
    assert_eq!(pe.route(RED, "2001:db8:5::/48"), Some(NextHop::Vrf(BLUE)));
}

#[test]
fn routes_of_vrfs_that_are_not_planned_are_ignored() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    assert_eq!(pe.learn(VrfId(9), "10.1.0.0/16", Some(path("fc00:0:2:1::"))), None);
}

#[test]
fn paths_are_held_once_and_let_go() {
    let mut pe = Pe::new(vec![red().route("10.77.0.0/16", Via::Blackhole)], &["eth1"]);
    for n in 1..100 {
        pe.learn(RED, &format!("10.{n}.0.0/16"), Some(path("fc00:0:2:1::")));
    }
    assert_eq!(pe.tables.vrfs[&RED].paths.distinct(), (1, 1));
    for n in 1..100 {
        pe.learn(RED, &format!("10.{n}.0.0/16"), Some(path("fc00:0:2:2::")));
    }
    assert_eq!(pe.tables.vrfs[&RED].paths.distinct(), (1, 2));
    for n in 1..100 {
        pe.learn(RED, &format!("10.{n}.0.0/16"), None);
    }
    assert_eq!(pe.tables.vrfs[&RED].paths.distinct(), (0, 2));
}
