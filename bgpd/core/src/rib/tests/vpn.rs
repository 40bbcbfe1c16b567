use bgp_wire::attribute::{PrefixSid, RouteTarget};
use srv6_types::{Behavior, Sid, SidStructure, Transposition};

use super::*;
use crate::{
    config::VrfPolicy,
    rib::{LocalRoute, LocalSid},
};

pub(super) const RED: VrfId = VrfId(1);
pub(super) const BLUE: VrfId = VrfId(2);
pub(super) const P: &str = "10.1.0.0/16";

fn target(n: u8) -> RouteTarget {
    RouteTarget([0, 2, 0xfd, 0xe8, 0, 0, 0, n])
}

fn rd(n: u8) -> RouteDistinguisher {
    RouteDistinguisher([0, 0, 0xfd, 0xe8, 0, 0, 0, n])
}

pub(super) fn vpn(distinguisher: u8, text: &str) -> Nlri {
    Nlri { path_id: 0, rd: Some(rd(distinguisher)), label: Label::new(16), prefix: prefix(text) }
}

pub(super) fn structure() -> SidStructure {
    SidStructure::new(32, 16, 16, 0, Transposition::new(16, 48).unwrap()).unwrap()
}

/// SID fc00:0:`node`:1::, a function that travels as label 16.
pub(super) fn sid(node: u8) -> Sid {
    Sid(format!("fc00:0:{node}:1::").parse::<std::net::Ipv6Addr>().unwrap().octets())
}

pub(super) fn service(node: u8, targets: &[u8]) -> Attributes {
    Attributes {
        extended_communities: targets.iter().map(|n| target(*n).into()).collect(),
        prefix_sid: Some(PrefixSid::l3(sid(node), structure(), Behavior::END_DT46).0),
        local_pref: Some(100),
        ..path(&[])
    }
}

fn policy(distinguisher: u8, import: &[u8], export: &[u8]) -> VrfPolicy {
    let targets = |list: &[u8]| list.iter().map(|n| target(*n)).collect();
    VrfPolicy {
        name: format!("vrf{distinguisher}"),
        rd: rd(distinguisher),
        import: targets(import),
        export: targets(export),
        next_hop: None,
    }
}

pub(super) fn red_and_blue() -> Speaker {
    let mut speaker = Speaker::with([session(1, AS), session(2, AS)]);
    speaker.rib.set_vrfs([(RED, policy(1, &[1], &[1])), (BLUE, policy(2, &[2], &[2]))].into());
    speaker
}

pub(super) fn sid_in(speaker: &Speaker, vrf: VrfId) -> Option<Sid> {
    speaker.vrfs.get(&(vrf, prefix(P))).map(|path| path.sid.unwrap())
}

pub(super) fn local(vrf: VrfId, node: u8) -> LocalRoute {
    let sid = LocalSid { sid: sid(node), structure: structure(), behavior: Behavior::END_DT46 };
    LocalRoute {
        vrf,
        prefix: prefix(P),
        sid: Some(sid),
        med: None,
        local_pref: None,
        communities: Vec::new(),
        color: None,
    }
}

#[test]
fn overlapping_tenants_are_kept_apart() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.announce(1, vpn(12, P), &service(2, &[2]));
    speaker.announce(2, vpn(13, P), &service(3, &[3]));
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (Some(sid(1)), Some(sid(2))));
    assert_eq!(speaker.vrfs.len(), 2);
    let path = &speaker.vrfs[&(RED, prefix(P))];
    assert_eq!((path.behavior, path.peer, path.local), (Behavior::END_DT46, PeerId(1), None));
    assert_eq!(path.next_hop, "2001:db8::1".parse::<IpAddr>().unwrap());

    speaker.withdraw(1, vpn(11, P));
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (None, Some(sid(2))));
}

#[test]
fn the_best_under_several_distinguishers_is_imported() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.announce(2, vpn(12, P), &Attributes { local_pref: Some(200), ..service(2, &[1, 2]) });
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (Some(sid(2)), Some(sid(2))));
    speaker.announce(2, vpn(12, P), &Attributes { local_pref: Some(50), ..service(2, &[1, 2]) });
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (Some(sid(1)), Some(sid(2))));
    let views = speaker.rib.routes(Family::Vpnv4, Some(prefix(P)));
    assert_eq!(
        views.iter().map(|view| view.imported_into.clone()).collect::<Vec<_>>(),
        [vec![RED], vec![RED, BLUE]]
    );
    assert_eq!(views[0].sid, Some(sid(1)));
}

#[test]
fn changed_targets_of_a_route_move_it_between_vrfs() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    speaker.announce(1, vpn(11, P), &service(1, &[2]));
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (None, Some(sid(1))));
}

#[test]
fn changed_import_is_evaluated_anew() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    speaker.rib.set_vrfs([(RED, policy(1, &[], &[1])), (BLUE, policy(2, &[1, 2], &[2]))].into());
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (None, Some(sid(1))));
    // A change of the table and of the policy at once.
    speaker.announce(1, vpn(11, P), &service(2, &[3]));
    speaker.rib.set_vrfs([(RED, policy(1, &[3], &[1]))].into());
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (Some(sid(2)), None));
    speaker.rib.set_vrfs(BTreeMap::new());
    speaker.flush();
    assert!(speaker.vrfs.is_empty());
}

/// RFC 9252 sections 4 and 5: the function stands in the label, the SID without it in the attribute.
#[test]
fn a_vrfs_route_is_advertised_with_its_sid() {
    let mut speaker = red_and_blue();
    speaker.rib.announce(local(RED, 9));
    speaker.flush();
    let held = &speaker.held[&PeerId(1)][&(Family::Vpnv4, Some(rd(1)), prefix(P))];
    let prefix_sid = held.attributes.prefix_sid.as_ref().unwrap();
    assert_eq!(held.label, Label::new(16));
    assert_eq!(prefix_sid.service_sid(held.label), Some((sid(9), Behavior::END_DT46)));
    assert_eq!(prefix_sid.l3_service().unwrap().sid, Sid(*b"\xfc\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0"));
    assert_eq!(held.attributes.extended_communities, [target(1).into()]);
    assert_eq!((held.attributes.origin, held.attributes.local_pref), (Origin::Igp, Some(100)));
    assert_eq!(held.next_hop, NextHop::V6 { global: "2001:db8::fe".parse().unwrap(), link_local: None });
    assert!(speaker.vrfs.is_empty(), "what the VRF originates it is not told");

    speaker.rib.withdraw(RED, prefix(P));
    speaker.flush();
    assert!(speaker.held[&PeerId(1)].is_empty());
    assert_eq!(speaker.rib.attribute_sets(), 0);
}

#[test]
fn changed_export_is_advertised_anew() {
    let mut speaker = red_and_blue();
    speaker.rib.announce(local(RED, 9));
    speaker.rib.announce(local(BLUE, 8));
    speaker.flush();
    speaker.sent.clear();
    let next_hop = "2001:db8:ffff::1".parse().unwrap();
    let red = VrfPolicy { next_hop: Some(next_hop), ..policy(7, &[1], &[5]) };
    speaker.rib.set_vrfs([(RED, red), (BLUE, policy(2, &[2], &[2]))].into());
    speaker.flush();
    let held = &speaker.held[&PeerId(1)];
    let keys: Vec<_> = held.keys().map(|(_, rd, _)| rd.unwrap()).collect();
    assert_eq!(keys, [rd(2), rd(7)]);
    let red = &held[&(Family::Vpnv4, Some(rd(7)), prefix(P))];
    assert_eq!(red.attributes.extended_communities, [target(5).into()]);
    assert_eq!(red.next_hop.global(), IpAddr::V6(next_hop));
    // The VRF is gone, and comes back: its routes with it.
    speaker.rib.set_vrfs([(BLUE, policy(2, &[2], &[2]))].into());
    speaker.flush();
    assert_eq!(speaker.held[&PeerId(1)].len(), 1);
    speaker.rib.set_vrfs([(RED, policy(1, &[1], &[1])), (BLUE, policy(2, &[2], &[2]))].into());
    speaker.flush();
    assert_eq!(speaker.held[&PeerId(1)].len(), 2);
}

/// A VRF that imports what another on this node exports.
#[test]
fn a_leak_between_vrfs_of_this_node() {
    let mut speaker = red_and_blue();
    speaker.rib.set_vrfs([(RED, policy(1, &[1], &[1])), (BLUE, policy(2, &[1, 2], &[2]))].into());
    speaker.announce(1, vpn(11, P), &Attributes { local_pref: Some(900), ..service(1, &[1]) });
    speaker.rib.announce(local(RED, 9));
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), None, "its own route");
    let path = &speaker.vrfs[&(BLUE, prefix(P))];
    assert_eq!((path.peer, path.local, path.sid), (PeerId::LOCAL, Some(RED), Some(sid(9))));
    speaker.rib.withdraw(RED, prefix(P));
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), sid_in(&speaker, BLUE)), (Some(sid(1)), Some(sid(1))));
}

#[test]
fn a_route_without_sid_is_told_as_such() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &Attributes { prefix_sid: None, ..service(1, &[1]) });
    speaker.flush();
    assert_eq!(speaker.vrfs[&(RED, prefix(P))].sid, None);
}

#[test]
fn stale_routes_stay_imported_and_say_so() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    speaker.down(1, &[Family::Vpnv4]);
    speaker.flush();
    assert!(speaker.vrfs[&(RED, prefix(P))].stale);
    speaker.up(session(1, AS));
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    assert!(!speaker.vrfs[&(RED, prefix(P))].stale);
}

/// RFC 9252 section 2: where the next hop stays, the service TLVs stay, to other ASes too.
#[test]
fn reflected_vpn_routes_keep_next_hop_label_and_sid() {
    let mut speaker =
        Speaker::with([client(1), PeerSession { next_hop_self: true, ..client(2) }, session(5, 65005)]);
    let attributes = service(1, &[1]);
    speaker.announce(1, vpn(11, P), &attributes);
    speaker.flush();
    for n in [2, 5] {
        let held = &speaker.held[&PeerId(n)][&(Family::Vpnv4, Some(rd(11)), prefix(P))];
        assert_eq!(held.next_hop.global(), "2001:db8::1".parse::<IpAddr>().unwrap());
        assert_eq!((held.label, &held.attributes.prefix_sid), (Label::new(16), &attributes.prefix_sid));
        assert_eq!(held.attributes.extended_communities, attributes.extended_communities);
    }
}

/// One prefix under very many route distinguishers: each comes and goes in its place, whatever the order.
#[test]
fn of_many_distinguishers_the_lowest_that_is_left_wins() {
    let mut speaker = red_and_blue();
    let numbered = |n: u8| Nlri { rd: Some(rd(n)), ..vpn(0, P) };
    let shuffled: Vec<u8> = (0..200u8).map(|n| n.wrapping_mul(77)).collect();
    for n in &shuffled {
        speaker.announce(1, numbered(*n), &service(*n, &[1]));
        speaker.flush();
    }
    for (gone, n) in shuffled.iter().enumerate() {
        let lowest = *shuffled[gone..].iter().min().unwrap();
        assert_eq!(speaker.vrfs[&(RED, prefix(P))].next_hop.to_string(), "2001:db8::1");
        assert_eq!(speaker.vrfs[&(RED, prefix(P))].sid, Some(sid(lowest)), "{gone} gone");
        speaker.withdraw(1, numbered(*n));
        speaker.flush();
    }
    assert!(speaker.vrfs.is_empty());
}

/// Several gateways have one address: all of them must take the same one to be in use.
#[test]
fn an_own_route_is_compared_by_its_local_pref_if_it_has_one() {
    let preferred = |local_pref| Attributes { local_pref: Some(local_pref), ..service(1, &[1]) };
    for (own, others, used) in [
        (None, 200, None),
        (Some(100), 200, Some(sid(1))),
        (Some(200), 100, None),
        (Some(0), 100, Some(sid(1))),
    ] {
        let mut speaker = red_and_blue();
        speaker.rib.announce(LocalRoute { local_pref: own, ..local(RED, 3) });
        speaker.announce(1, vpn(11, P), &preferred(others));
        speaker.flush();
        assert_eq!(sid_in(&speaker, RED), used, "own {own:?}, other's {others}");
        speaker.withdraw(1, vpn(11, P));
        speaker.flush();
        assert_eq!(sid_in(&speaker, RED), None, "a VRF is not told of its own route");
    }
}
