//! What our own routes carry, and who is told.

use bgp_wire::attribute::{Community, ExtendedCommunity};

use srv6_types::Sid;

use super::{
    vpn::{RED, local, red_and_blue, service, sid, sid_in, vpn},
    *,
};
use crate::rib::LocalRoute;

const P: &str = "192.0.2.0/24";
const LOW: Community = Community(65000 << 16 | 1);
const HIGH: Community = Community(65000 << 16 | 2);

fn ours(local_pref: Option<u32>, communities: &[Community]) -> LocalRoute {
    LocalRoute {
        vrf: VrfId::GLOBAL,
        prefix: prefix(P),
        sid: None,
        med: None,
        local_pref,
        communities: communities.to_vec(),
        color: None,
    }
}

/// Internal peer 1, external peer 5, which hold what we originate.
fn originating(route: LocalRoute) -> Speaker {
    let mut speaker = Speaker::with([session(1, AS), session(5, 65005)]);
    speaker.rib.announce(route);
    speaker.flush();
    speaker
}

fn held(speaker: &Speaker, peer: u32) -> (Option<u32>, Vec<Community>) {
    let attributes = &speaker.at(peer, P).unwrap().attributes;
    (attributes.local_pref, attributes.communities.clone())
}

/// RFC 4271 section 5.1.5, RFC 1997.
#[test]
fn communities_go_to_all_once_and_in_order_and_local_pref_stays_in_the_as() {
    let speaker = originating(ours(Some(200), &[HIGH, LOW, HIGH]));
    assert_eq!(held(&speaker, 1), (Some(200), vec![LOW, HIGH]));
    assert_eq!(held(&speaker, 5), (None, vec![LOW, HIGH]));
    assert_eq!(held(&originating(ours(None, &[])), 1), (Some(100), vec![]));
}

#[test]
fn a_change_of_local_pref_or_communities_alone_is_advertised() {
    let mut speaker = originating(ours(None, &[LOW, HIGH]));
    let steps = [
        (ours(None, &[HIGH, LOW]), None),
        (ours(Some(50), &[LOW, HIGH]), Some((Some(50), vec![LOW, HIGH]))),
        (ours(Some(50), &[LOW]), Some((Some(50), vec![LOW]))),
        (ours(Some(50), &[LOW]), None),
        (ours(None, &[]), Some((Some(100), vec![]))),
    ];
    for (route, told) in steps {
        speaker.sent.clear();
        speaker.rib.announce(route.clone());
        speaker.flush();
        assert_eq!(!speaker.sent.is_empty(), told.is_some(), "{route:?}");
        assert!(told.is_none_or(|told| held(&speaker, 1) == told), "{route:?}");
    }
}

/// RFC 1997.
#[test]
fn our_own_routes_heed_well_known_communities() {
    for (community, told) in [
        (Community::NO_EXPORT, vec![1]),
        (Community::NO_EXPORT_SUBCONFED, vec![1]),
        (Community::NO_ADVERTISE, vec![]),
        (Community::GRACEFUL_SHUTDOWN, vec![1, 5]),
    ] {
        assert_eq!(originating(ours(None, &[LOW, community])).holders(P), told, "{community}");
    }
}

#[test]
fn a_community_that_narrows_the_scope_takes_the_route_back() {
    let mut speaker = originating(ours(None, &[]));
    assert_eq!(speaker.holders(P), [1, 5]);
    speaker.rib.announce(ours(None, &[Community::NO_EXPORT]));
    speaker.flush();
    assert_eq!(speaker.holders(P), [1]);
}

/// RFC 8326 section 4.2.
#[test]
fn a_node_that_leaves_says_so_to_external_peers_and_has_the_lowest_preference_within_the_as() {
    let mut route = ours(Some(200), &[LOW]);
    route.shut_down_gracefully();
    let speaker = originating(route);
    assert_eq!(held(&speaker, 1), (Some(0), vec![LOW, Community::GRACEFUL_SHUTDOWN]));
    assert_eq!(held(&speaker, 5), (None, vec![LOW, Community::GRACEFUL_SHUTDOWN]));
}

/// What a PE that leaves makes of its VPN route: as it is told to internal and to external peers.
fn leaving(node: u8, local_pref: Option<u32>) -> Attributes {
    Attributes { communities: vec![Community::GRACEFUL_SHUTDOWN], local_pref, ..service(node, &[1]) }
}

/// The VRF's route as it went from hand to hand in one flush.
fn moves(speaker: &mut Speaker) -> Vec<Option<Sid>> {
    let mut out = Vec::new();
    while speaker.rib.flush(&mut out) {}
    let routes = out.into_iter().filter_map(|output| match output {
        RibOutput::Vrf(route) => Some(route),
        _ => None,
    });
    routes.map(|route| route.path.map(|path| path.sid.unwrap())).collect()
}

#[test]
fn a_vrf_goes_over_to_another_pe_in_one_step_when_one_leaves() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, vpn::P), &service(1, &[1]));
    speaker.announce(2, vpn(12, vpn::P), &service(2, &[1]));
    assert_eq!(moves(&mut speaker), [Some(sid(1))]);
    speaker.announce(1, vpn(11, vpn::P), &leaving(1, Some(0)));
    assert_eq!(moves(&mut speaker), [Some(sid(2))]);
    speaker.withdraw(1, vpn(11, vpn::P));
    assert_eq!(moves(&mut speaker), []);
}

#[test]
fn the_only_pe_is_used_though_it_leaves() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, vpn::P), &leaving(1, Some(0)));
    assert_eq!(moves(&mut speaker), [Some(sid(1))]);
}

/// RFC 8326 section 4.1: LOCAL_PREF 0 only for what comes from another AS; within the AS it is for the sender to say.
#[test]
fn a_vpn_route_of_an_external_peer_that_leaves_is_the_last_resort_of_the_vrf() {
    let mut speaker = red_and_blue();
    speaker.up(session(5, 65005));
    let shorter = Attributes { as_path: AsPath::sequence([65005]), ..leaving(5, None) };
    let longer = Attributes { as_path: AsPath::sequence([7, 8, 9]), ..service(2, &[1]) };
    speaker.announce(5, vpn(11, vpn::P), &shorter);
    speaker.announce(2, vpn(12, vpn::P), &longer);
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), Some(sid(2)));
    let preferences = speaker.rib.routes(Family::Vpnv4, None).into_iter().map(|view| view.local_pref);
    assert_eq!(preferences.collect::<Vec<_>>(), [0, 100]);

    speaker.announce(1, vpn(10, vpn::P), &leaving(1, Some(100)));
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), Some(sid(1)), "from within the AS the community alone says nothing");
}

/// RFC 9012 section 4.3: transitive, so external peers hear of it too; a change of the colour alone is advertised.
#[test]
fn a_color_goes_to_all_peers_and_stays_when_it_is_reflected() {
    let colored = |color| LocalRoute { color, ..ours(None, &[]) };
    let color =
        |speaker: &Speaker, peer| speaker.at(peer, P).unwrap().attributes.extended_communities.clone();
    let mut speaker = originating(colored(Some(100)));
    for peer in [1, 5] {
        assert_eq!(color(&speaker, peer), [ExtendedCommunity::of_color(100)]);
    }
    for (change, told) in [(Some(200), vec![ExtendedCommunity::of_color(200)]), (None, vec![])] {
        speaker.rib.announce(colored(change));
        speaker.flush();
        assert_eq!(color(&speaker, 1), told);
    }
    speaker.rib.withdraw(VrfId::GLOBAL, prefix(P));
    speaker.up(client(2));
    let flagged = ExtendedCommunity([0x03, 0x0b, 0x40, 0, 0, 0, 0, 5]);
    speaker.announce(1, unicast(P), &Attributes { extended_communities: vec![flagged], ..path(&[7]) });
    speaker.flush();
    assert_eq!((color(&speaker, 2), color(&speaker, 5)), (vec![flagged], vec![flagged]));
}

#[test]
fn a_vpn_route_has_its_color_behind_the_route_targets() {
    let mut speaker = red_and_blue();
    speaker.rib.announce(LocalRoute { color: Some(7), ..local(RED, 3) });
    let views = speaker.rib.routes(Family::Vpnv4, None);
    let communities = views[0].attributes.extended_communities.iter().map(ToString::to_string);
    let communities: Vec<_> = communities.collect();
    assert!(communities.len() > 1 && communities[0].starts_with("rt:"), "{communities:?}");
    assert_eq!(communities.last().unwrap(), "color:7");
}
