use bgp_wire::attribute::{PrefixSid, PrefixSidTlv, ServiceSubTlv};

use super::{
    vpn::{P, RED, local, red_and_blue, service, sid, sid_in, vpn},
    *,
};
use crate::rib::{Reachability, Step};

const U: &str = "192.0.2.0/24";

fn tracking() -> Speaker {
    let mut speaker = red_and_blue();
    speaker.rib.track_next_hops(true);
    speaker.flush();
    speaker
}

/// fc00:0:`node`::/48.
fn locator(node: u8) -> IpAddr {
    format!("fc00:0:{node}::").parse().unwrap()
}

impl Speaker {
    fn verdict(&mut self, address: IpAddr, reachability: Reachability) {
        self.rib.set_next_hops([(address, reachability)]);
        self.flush();
    }

    fn steps(&self, family: Family, text: &str) -> Vec<Option<Step>> {
        self.rib.routes(family, Some(prefix(text))).iter().map(|view| view.lost_at).collect()
    }
}

/// RFC 9252 section 5: the SID must be resolvable, wherever the BGP next hop is.
#[test]
fn a_vrf_fails_over_to_the_pe_whose_locator_is_reachable_and_back() {
    let mut speaker = tracking();
    let preferred = Attributes { local_pref: Some(200), ..service(1, &[1]) };
    speaker.announce(1, vpn(11, P), &preferred);
    speaker.announce(2, vpn(12, P), &service(2, &[1]));
    speaker.flush();
    assert_eq!(speaker.watched, [locator(1), locator(2)].into());
    assert_eq!(sid_in(&speaker, RED), Some(sid(1)));

    speaker.verdict(locator(1), Reachability::Unreachable);
    assert_eq!(sid_in(&speaker, RED), Some(sid(2)));
    assert_eq!(speaker.steps(Family::Vpnv4, P), [Some(Step::NextHop), None]);
    speaker.verdict(locator(2), Reachability::Unreachable);
    assert_eq!(sid_in(&speaker, RED), None);
    speaker.verdict(locator(1), Reachability::Cost(0));
    assert_eq!(sid_in(&speaker, RED), Some(sid(1)));
}

#[test]
fn paths_of_one_distinguisher_fail_over_alike() {
    let mut speaker = tracking();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.announce(2, vpn(11, P), &service(2, &[1]));
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), Some(sid(1)));
    speaker.verdict(locator(1), Reachability::Unreachable);
    assert_eq!(sid_in(&speaker, RED), Some(sid(2)));
}

/// A route that comes later is judged by what is known of its next hop already.
#[test]
fn what_is_known_of_a_next_hop_holds_for_later_routes() {
    let mut speaker = tracking();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    speaker.verdict(locator(1), Reachability::Unreachable);
    speaker.announce(1, vpn(11, "10.2.0.0/16"), &Attributes { med: Some(3), ..service(1, &[1]) });
    speaker.flush();
    assert!(speaker.vrfs.is_empty());
}

#[test]
fn a_next_hop_is_watched_from_the_first_attribute_set_to_the_last() {
    let mut speaker = tracking();
    let other = Attributes { med: Some(3), ..service(1, &[1]) };
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.announce(1, vpn(11, "10.2.0.0/16"), &service(1, &[1]));
    speaker.announce(2, vpn(12, P), &other);
    speaker.flush();
    assert_eq!(speaker.watched, [locator(1)].into());
    speaker.verdict(locator(1), Reachability::Unreachable);
    speaker.withdraw(1, vpn(11, P));
    speaker.withdraw(2, vpn(12, P));
    speaker.flush();
    assert_eq!(speaker.watched, [locator(1)].into());
    speaker.withdraw(1, vpn(11, "10.2.0.0/16"));
    speaker.flush();
    speaker.flush();
    assert_eq!(speaker.watched, [].into());

    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), Some(sid(1)), "the old verdict is forgotten: it is looked up anew");
}

#[test]
fn a_unicast_route_depends_on_its_next_hop() {
    let mut speaker = tracking();
    speaker.announce(1, unicast(U), &path(&[7]));
    speaker.announce(2, unicast(U), &path(&[7, 8]));
    speaker.flush();
    assert_eq!(speaker.watched, [next_hop_of(1).global(), next_hop_of(2).global()].into());
    assert_eq!(speaker.unicast[&prefix(U)].peer, PeerId(1));
    speaker.verdict(next_hop_of(1).global(), Reachability::Unreachable);
    assert_eq!(speaker.unicast[&prefix(U)].peer, PeerId(2));
    assert_eq!(speaker.steps(Family::Ipv4Unicast, U), [None, Some(Step::NextHop)]);
}

#[test]
fn a_vpn_route_without_a_sid_depends_on_its_next_hop() {
    let mut speaker = tracking();
    speaker.announce(1, vpn(11, P), &Attributes { prefix_sid: None, ..service(1, &[1]) });
    speaker.flush();
    assert_eq!(speaker.watched, ["2001:db8::1".parse().unwrap()].into());
}

/// Without a structure nothing says where the locator ends.
#[test]
fn a_sid_without_structure_is_looked_up_whole() {
    let mut speaker = tracking();
    let mut prefix_sid = PrefixSid::l3(sid(1), super::vpn::structure(), srv6_types::Behavior::END_DT46).0;
    let [PrefixSidTlv::Service(service_tlv)] = &mut prefix_sid.tlvs[..] else { panic!("one service") };
    let [ServiceSubTlv::SidInformation(information)] = &mut service_tlv.sub_tlvs[..] else {
        panic!("one SID")
    };
    information.sub_sub_tlvs.clear();
    information.sid = sid(1);
    let attributes = Attributes { prefix_sid: Some(prefix_sid), ..service(1, &[1]) };
    speaker.announce(1, vpn(11, P), &attributes);
    speaker.flush();
    assert_eq!(speaker.watched, [IpAddr::V6(sid(1).addr())].into());
}

#[test]
fn what_is_on_a_link_or_our_own_is_not_watched() {
    let mut speaker = tracking();
    let next_hop = NextHop::V6 { global: "fe80::1".parse().unwrap(), link_local: None };
    speaker.announce_via(1, unicast("2001:db8:1::/48"), next_hop, &path(&[7]));
    speaker.rib.announce(local(RED, 9));
    speaker.flush();
    assert_eq!(speaker.unicast.len(), 1);
    assert_eq!(speaker.watched, [].into());
}

/// While selection waits for peers after a restart, next hops are looked up already (RFC 4724 section 4.1).
#[test]
fn next_hops_are_told_of_while_selection_is_deferred() {
    let mut speaker = tracking();
    speaker.rib.defer(true);
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    assert_eq!(speaker.watched, [locator(1)].into());
    speaker.verdict(locator(1), Reachability::Unreachable);
    speaker.rib.defer(false);
    speaker.flush();
    assert_eq!(sid_in(&speaker, RED), None);
}

#[test]
fn tracking_is_turned_on_and_off_with_routes_in_the_tables() {
    let mut speaker = red_and_blue();
    speaker.announce(1, vpn(11, P), &service(1, &[1]));
    speaker.flush();
    assert_eq!(speaker.watched, [].into());
    speaker.rib.track_next_hops(true);
    speaker.flush();
    assert_eq!(speaker.watched, [locator(1)].into());
    speaker.verdict(locator(1), Reachability::Unreachable);
    assert_eq!(sid_in(&speaker, RED), None);
    speaker.rib.track_next_hops(false);
    speaker.flush();
    assert_eq!((sid_in(&speaker, RED), speaker.watched.len()), (Some(sid(1)), 0));
}

/// Each costs the owner a look-up with every change of the underlay: a peer must not choose how many.
#[test]
fn the_number_of_watched_next_hops_is_bounded() {
    let mut speaker = tracking();
    for n in 0..5000_u16 {
        let [high, low] = n.to_be_bytes();
        let next_hop = NextHop::V4(Ipv4Addr::new(172, 16, high, low));
        let nlri = unicast(&format!("10.{high}.{low}.0/24"));
        speaker.announce_via(1, nlri, next_hop, &path(&[7]));
    }
    speaker.flush();
    assert_eq!((speaker.watched.len(), speaker.unicast.len()), (4096, 5000));
    speaker.down(1, &[]);
    speaker.flush();
    speaker.flush();
    assert_eq!(speaker.watched.len(), 0);
}
