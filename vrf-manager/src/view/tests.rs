use bgp_core::{
    config::PeerId,
    rib::{VpnPath, VrfRoute},
};
use srv6_types::{Behavior, Sid};

use super::*;
use crate::{
    Allocations,
    intent::BackendState,
    testing::{drops, gateway, intent, links, replan, service, via, vrf},
};

const RED: VrfId = VrfId(1);

fn path(behavior: Behavior) -> VpnPath {
    VpnPath {
        sid: Some(Sid::from("fc00:0:2:1::".parse::<Ipv6Addr>().unwrap())),
        behavior,
        next_hop: "2001:db8::2".parse().unwrap(),
        peer: PeerId(1),
        local: None,
        external: false,
        stale: false,
    }
}

/// One VRF with a missing circuit and three learnt routes: usable, hidden by a static one, and unusable.
fn tables() -> VrfTables {
    let red = vrf("red")
        .circuit("eth1", &["10.0.0.1/24"])
        .circuit("eth7", &["10.7.0.1/24"])
        .route("10.9.0.0/16", via("10.0.0.2"));
    let desired = replan(&intent(vec![red, vrf("blue")]), &links(&["eth1"]), &mut Allocations::default());
    let mut tables = VrfTables::default();
    tables.replan(&desired);
    let learnt = [
        ("10.1.0.0/16", Behavior::END_DT46),
        ("10.9.0.0/16", Behavior::END_DT46),
        ("10.2.0.0/16", Behavior(0x15)),
    ];
    for (prefix, behavior) in learnt {
        let path = Some(VpnPath { stale: prefix == "10.1.0.0/16", ..path(behavior) });
        tables.learn(&VrfRoute { vrf: RED, prefix: prefix.parse().unwrap(), path });
    }
    tables
}

#[test]
fn a_vrf_shows_its_policy_circuits_counts_and_problems() {
    let views = tables().vrf_views();
    let red = &views[0];
    assert_eq!((red.name.as_str(), red.id, red.rd.as_deref()), ("red", 1, Some("10.255.0.1:1")));
    assert_eq!(red.import_route_targets, ["65000:1"]);
    let states: Vec<_> = red.circuits.iter().map(|c| (c.interface.as_str(), c.state)).collect();
    assert_eq!(states, [("eth1", CircuitState::Up), ("eth7", CircuitState::Missing)]);
    let by_source = [
        (RouteSource::Local, 1),
        (RouteSource::Connected, 1),
        (RouteSource::Static, 1),
        (RouteSource::InternalBgp, 3),
    ];
    assert_eq!(red.routes, RouteCounts { by_source: by_source.into(), programmed: 4, stale: 1, unusable: 1 });
    assert_eq!(red.problems.len(), 1);
    assert!(red.problems[0].contains("eth7 does not exist"));
    assert_eq!(views[1].problems, [""; 0], "red's problem is not blue's");
}

#[test]
fn routes_show_who_is_used_and_why_not() {
    let shown: Vec<_> = tables()
        .route_views(RED)
        .into_iter()
        .map(|r| (r.prefix.to_string(), r.source, r.programmed, r.stale, r.unusable))
        .collect();
    let reason = "behavior 0x0015 does not deliver packets of this family";
    let expected = [
        ("10.0.0.0/24", RouteSource::Connected, true, false, None),
        ("10.0.0.1/32", RouteSource::Local, true, false, None),
        ("10.1.0.0/16", RouteSource::InternalBgp, true, true, None),
        ("10.2.0.0/16", RouteSource::InternalBgp, false, false, Some(reason)),
        ("10.9.0.0/16", RouteSource::Static, true, false, None),
        ("10.9.0.0/16", RouteSource::InternalBgp, false, false, None),
    ];
    let expected = expected
        .map(|(p, source, used, stale, why)| (p.to_owned(), source, used, stale, why.map(str::to_owned)));
    assert_eq!(shown, expected);
}

#[test]
fn next_hops_are_shown_with_names() {
    let routes = tables().route_views(RED);
    let json = |prefix: &str, source| {
        let route = routes.iter().find(|r| r.prefix.to_string() == prefix && r.source == source).unwrap();
        serde_json::to_string(&route.next_hop).unwrap()
    };
    assert_eq!(
        json("10.9.0.0/16", RouteSource::Static),
        r#"{"kind":"gateway","interface":"eth1","address":"10.0.0.2"}"#
    );
    assert_eq!(
        json("10.1.0.0/16", RouteSource::InternalBgp),
        r#"{"kind":"encapsulate","segments":["fc00:0:2:1::"],"reduced":true}"#
    );
}

#[test]
fn sids_show_what_is_transposed() {
    let sids = tables().sid_views();
    let red = SidView {
        sid: "fc00:0:1:1::".parse().unwrap(),
        behavior: "End.DT46".into(),
        role: None,
        vrf: "red".into(),
        locator: Some("main".into()),
        structure: [32, 16, 16, 0],
        transposition: [16, 48],
    };
    assert_eq!(sids[0], red);
    assert_eq!(sids.len(), 2);
}

/// Red with a service that has backends here, there and nowhere, a policy with a gateway elsewhere, and filters.
fn translating() -> VrfTables {
    let mut web = service("web", &["10.100.0.1"], &["10.0.0.2", "10.9.0.2", "10.7.0.2"]);
    web.backends[1].state = BackendState::Draining;
    let mut internet = gateway("internet", &["192.0.2.6", "192.0.2.7", "192.0.2.8"]);
    internet.gateway.as_mut().unwrap().addresses.truncate(1);
    internet.gateway.as_mut().unwrap().addresses[0] = internet.addresses[2];
    let red = vrf("red").circuit("eth1", &["10.0.0.1/24"]).circuit("eth7", &["10.7.0.1/24"]);
    let red = red.service(web).service(service("none", &["10.100.0.2"], &[])).egress(internet);
    let vrfs = vec![red.rule(drops("all")), vrf("blue")];
    let mut tables = VrfTables::default();
    tables.replan(&replan(&intent(vrfs), &links(&["eth1"]), &mut Allocations::default()));
    let path = Some(path(Behavior::END_DT46));
    tables.learn(&VrfRoute { vrf: RED, prefix: "192.0.2.7/32".parse().unwrap(), path });
    tables
}

#[test]
fn a_service_shows_where_its_backends_are_and_whether_others_hear_of_it() {
    let views = translating().service_views(RED);
    let [web, none] = views.as_slice() else { panic!("{views:?}") };
    let places: Vec<_> = web.backends.iter().map(|backend| (backend.state, &backend.place)).collect();
    let nowhere = PlaceView::Nowhere { reason: "its circuit is not up".into() };
    let expected = [
        (BackendState::Ready, &PlaceView::Here),
        (BackendState::Draining, &PlaceView::Direct),
        (BackendState::Ready, &nowhere),
    ];
    assert_eq!(places, expected);
    let told = |view: &ServiceView| (view.vips[0].sid, view.vips[0].withheld.clone());
    assert_eq!(told(web), (Some("fc00:0:1:2::".parse().unwrap()), None));
    assert_eq!(told(none), (None, Some("no backend is ready".into())));
    let text = serde_json::to_string(web).unwrap();
    let ports = r#""ports":[{"protocol":6,"port":80,"targetPort":8080}],"policy":"cluster""#;
    assert!(text.contains(ports), "{text}");
    assert_eq!(serde_json::from_str::<ServiceView>(&text).unwrap(), *web);
}

#[test]
fn an_egress_policy_shows_the_address_in_use() {
    let tables = translating();
    let [internet] = &tables.egress_views(RED)[..] else { panic!("one policy") };
    let used: Vec<_> = internet.addresses.iter().map(|c| (c.next_hop.is_some(), c.used)).collect();
    assert_eq!(used, [(false, false), (true, true), (true, false)], "the first that has a route");
    assert_eq!(internet.addresses[2].next_hop, Some(NextHopView::Egress));
    let [own] = &tables.egress_address_views(RED)[..] else { panic!("one address") };
    let text = serde_json::to_string(own).unwrap();
    let expected = r#"{"address":"192.0.2.8","sid":"fc00:0:1:3::","withheld":null,"firstPort":1024,"lastPort":65535,"portBlock":128,"blocks":504,"localPreference":null,"gracefulShutdown":false}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<EgressAddressView>(&text).unwrap(), *own);
}

#[test]
fn a_filter_is_shown_for_each_circuit_that_is_attached() {
    let tables = translating();
    let [filter] = &tables.filter_views(RED)[..] else { panic!("one circuit") };
    assert_eq!((filter.interface.as_str(), filter.rules.len()), ("eth1", 2));
    let rule = &filter.rules[1];
    assert_eq!((rule.name.as_str(), rule.direction.as_str(), rule.action.as_str()), ("all", "in", "drop"));
    assert_eq!(rule.prefix.to_string(), "::/0");
    let blue = VrfId(2);
    assert!(tables.filter_views(blue).is_empty() && tables.service_views(blue).is_empty());
}

#[test]
fn sids_show_what_they_do_besides() {
    let roles: Vec<_> = translating().sid_views().into_iter().map(|sid| sid.role).collect();
    assert_eq!(roles, [None, Some("balance".into()), Some("egress 192.0.2.8".into()), None]);
}
