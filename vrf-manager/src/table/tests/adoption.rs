use super::*;
use crate::testing::{segments, via, vrf};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24"])
}

/// A PE with two learnt routes, about to restart.
fn running() -> Pe {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    pe.learn(RED, "10.2.0.0/16", Some(path("fc00:0:3:1::")));
    pe
}

#[test]
fn a_restart_with_the_same_intent_touches_nothing() {
    let mut pe = running();
    let transition = pe.restart(&intent(vec![red()]));
    assert_eq!((transition.make, transition.remove), (vec![], vec![]));
    assert_eq!(transition.announce.len(), 1, "the speaker is new and knows nothing");
    assert_eq!(pe.tables.adopted(), 2);
}

#[test]
fn confirmed_routes_stay_and_the_others_are_swept() {
    let mut pe = running();
    pe.restart(&intent(vec![red()]));
    assert_eq!(pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::"))), None, "as it was");
    let swept = pe.tables.sweep();
    assert_eq!(swept, [Change::RemoveRoute(RED, "10.2.0.0/16".parse().unwrap())]);
    assert_eq!(pe.tables.sweep(), [], "once");
    assert_eq!(pe.tables.adopted(), 0);
}

#[test]
fn bgp_has_the_last_word_on_an_adopted_route() {
    let mut pe = running();
    pe.restart(&intent(vec![red()]));
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:7::")));
    assert_eq!(pe.route(RED, "10.1.0.0/16"), Some(encapsulate("fc00:0:2:7::")), "moved while we were away");
    pe.learn(RED, "10.2.0.0/16", Some(VpnPath { sid: None, ..path("::") }));
    assert_eq!(pe.route(RED, "10.2.0.0/16"), None, "not usable any more");
    assert_eq!(pe.tables.sweep(), []);
}

#[test]
fn what_the_plan_has_is_not_stale() {
    let with_segments = || red().route("10.3.0.0/16", segments(&["fc00:0:5:1::"]));
    let mut pe = Pe::new(vec![with_segments()], &["eth1"]);
    let transition = pe.restart(&intent(vec![with_segments()]));
    assert_eq!((transition.make, transition.remove), (vec![], vec![]));
    assert_eq!(pe.tables.sweep(), []);
}

#[test]
fn what_the_plan_has_no_more_goes_at_once_unless_bgp_may_confirm_it() {
    let before =
        red().route("10.3.0.0/16", segments(&["fc00:0:5:1::"])).route("10.4.0.0/16", via("10.0.0.2"));
    let mut pe = Pe::new(vec![before], &["eth1"]);
    let transition = pe.restart(&intent(vec![red()]));
    assert_eq!(transition.remove, [Change::RemoveRoute(RED, "10.4.0.0/16".parse().unwrap())]);
    assert_eq!(pe.tables.sweep(), [Change::RemoveRoute(RED, "10.3.0.0/16".parse().unwrap())]);
}

#[test]
fn a_vrf_removed_while_we_were_away_goes_with_its_routes() {
    let mut pe = running();
    pe.restart(&intent(vec![vrf("blue")]));
    assert_eq!(pe.tables.sweep(), []);
    assert!(!pe.dataplane.vrfs.contains_key(&RED));
    assert!(pe.dataplane.routes.is_empty());
    assert!(pe.dataplane.sids.values().all(|local| local.vrf == BLUE));
}

#[test]
fn a_static_route_configured_while_we_were_away_replaces_the_adopted_one() {
    let mut pe = running();
    pe.restart(&intent(vec![red().route("10.1.0.0/16", via("10.0.0.2"))]));
    assert!(matches!(pe.route(RED, "10.1.0.0/16"), Some(NextHop::Gateway { .. })));
    let swept = pe.tables.sweep();
    pe.apply(&swept);
    assert!(matches!(pe.route(RED, "10.1.0.0/16"), Some(NextHop::Gateway { .. })), "the sweep leaves it");
}
