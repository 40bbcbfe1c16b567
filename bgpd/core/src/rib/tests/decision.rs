use std::net::Ipv4Addr;

use bgp_wire::attribute::{Attributes, Origin};

use super::*;
use crate::rib::{Reachability, Step};

const P: &str = "192.0.2.0/24";

/// Announces the same prefix by both peers; returns the step at which the second lost, or panics if it won.
fn lost_at(first: (PeerSession, Attributes), second: (PeerSession, Attributes)) -> Step {
    let number = |session: &PeerSession| session.router_id.octets()[3];
    let peers = [number(&first.0), number(&second.0)];
    // The order of arrival must not matter.
    let steps = [[0, 1], [1, 0]].map(|order| {
        let mut speaker = Speaker::with([first.0.clone(), second.0.clone()]);
        for at in order {
            speaker.announce(peers[at], unicast(P), [&first.1, &second.1][at]);
            speaker.flush();
        }
        let views = speaker.rib.routes(Family::Ipv4Unicast, Some(prefix(P)));
        assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(peers[0].into()));
        views.iter().find(|view| view.peer == PeerId(peers[1].into())).unwrap().lost_at.unwrap()
    });
    assert_eq!(steps[0], steps[1]);
    steps[0]
}

#[test]
fn each_step_decides_where_all_before_it_tie() {
    let external = |n: u8| session(n, 65000 + u32::from(n));
    let internal = |n: u8| session(n, AS);
    let base = path(&[7, 8]);
    let id = |n| Some(Ipv4Addr::new(1, 1, 1, n));
    let table = [
        (
            Step::LocalPref,
            (internal(2), Attributes { local_pref: Some(101), ..path(&[7, 8, 9]) }),
            (internal(1), Attributes { local_pref: None, ..base.clone() }),
        ),
        (
            Step::AsPathLength,
            (internal(2), Attributes { origin: Origin::Incomplete, ..path(&[7]) }),
            (internal(1), base.clone()),
        ),
        (
            Step::Origin,
            (internal(2), Attributes { origin: Origin::Egp, med: Some(9), ..base.clone() }),
            (internal(1), Attributes { origin: Origin::Incomplete, ..base.clone() }),
        ),
        (Step::Med, (internal(2), base.clone()), (external(1), Attributes { med: Some(1), ..base.clone() })),
        (Step::External, (external(2), base.clone()), (internal(1), base.clone())),
        (Step::RouterId, (internal(1), base.clone()), (internal(2), base.clone())),
        (
            Step::RouterId,
            (internal(2), Attributes { originator_id: id(1), ..base.clone() }),
            (internal(1), Attributes { originator_id: id(2), ..base.clone() }),
        ),
        (
            Step::ClusterList,
            (internal(2), Attributes { originator_id: id(1), cluster_list: vec![], ..base.clone() }),
            (
                internal(1),
                Attributes { originator_id: id(1), cluster_list: vec![Ipv4Addr::LOCALHOST], ..base.clone() },
            ),
        ),
        (
            Step::PeerAddress,
            (internal(1), Attributes { originator_id: id(1), ..base.clone() }),
            (internal(2), Attributes { originator_id: id(1), ..base }),
        ),
    ];
    for (step, winner, loser) in table {
        assert_eq!(lost_at(winner, loser), step);
    }
}

#[test]
fn med_is_not_compared_between_neighbouring_ases() {
    let low = Attributes { med: Some(1), ..path(&[7, 9]) };
    let high = Attributes { med: Some(100), ..path(&[8, 9]) };
    assert_eq!(lost_at((session(1, AS), high), (session(2, AS), low)), Step::RouterId);
}

/// RFC 4271 section 9.1.2.2 c: a path that is beaten by its neighbour AS's better one helps nobody to lose.
#[test]
fn med_does_not_depend_on_the_order_of_arrival() {
    let paths = [(1, path(&[7, 9]), 10), (2, path(&[8, 9]), 0), (3, path(&[7, 9]), 5)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut speaker = Speaker::with([1, 2, 3].map(|n| session(n, AS)));
        for at in order {
            let (n, attributes, med) = &paths[at];
            speaker.announce(*n, unicast(P), &Attributes { med: Some(*med), ..attributes.clone() });
            speaker.flush();
        }
        assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(2));
    }
}

#[test]
fn an_unreachable_next_hop_is_passed_over_and_a_nearer_one_wins() {
    let mut speaker = Speaker::with([1, 2].map(|n| session(n, AS)));
    speaker.announce(1, unicast(P), &path(&[7]));
    speaker.announce(2, unicast(P), &path(&[7]));
    speaker.flush();
    assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(1));

    let next_hop = |n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
    speaker.rib.set_next_hops([(next_hop(1), Reachability::Cost(20))]);
    speaker.flush();
    assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(2));
    speaker.rib.set_next_hops([(next_hop(2), Reachability::Unreachable)]);
    speaker.flush();
    assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(1));
    speaker.rib.set_next_hops([(next_hop(1), Reachability::Unreachable)]);
    speaker.flush();
    assert!(speaker.unicast.is_empty());
    speaker.rib.set_next_hops([(next_hop(1), Reachability::Cost(0))]);
    speaker.flush();
    assert_eq!(speaker.unicast[&prefix(P)].peer, PeerId(1));
}

#[test]
fn our_own_route_wins() {
    let mut speaker = Speaker::with([session(1, AS)]);
    speaker.announce(1, unicast(P), &Attributes { local_pref: Some(1000), ..path(&[]) });
    speaker.flush();
    assert_eq!(speaker.unicast.len(), 1);
    let ours = crate::rib::LocalRoute {
        vrf: VrfId::GLOBAL,
        prefix: prefix(P),
        sid: None,
        med: None,
        local_pref: None,
        communities: Vec::new(),
        color: None,
    };
    speaker.rib.announce(ours);
    speaker.flush();
    assert!(speaker.unicast.is_empty());
    assert_eq!(speaker.at(1, P).unwrap().next_hop, next_hop_of(254));
}

/// RFC 7911.
#[test]
fn paths_of_one_peer_are_told_apart_by_their_identifiers() {
    let mut with_add_path = session(1, AS);
    with_add_path.receive.add_path = [Family::Ipv4Unicast].into();
    let mut speaker = Speaker::with([with_add_path.clone(), client(2)]);
    let message = |path_id, asns: &[u32]| {
        let (mut octets, mut message) = (Vec::new(), Vec::new());
        path(asns).encode(None, &context(false), &mut octets);
        let writer = UpdateWriter::new(Family::Ipv4Unicast, &with_add_path.receive);
        match asns {
            [] => writer.withdraw([Nlri { path_id, ..unicast(P) }], &mut message),
            _ => {
                writer
                    .announce(next_hop_of(1), &octets, [Nlri { path_id, ..unicast(P) }], &mut message)
                    .unwrap();
            }
        }
        message
    };
    for (path_id, asns, told) in
        [(1, vec![7, 8], vec![7, 8]), (2, vec![9], vec![9]), (1, vec![7], vec![7]), (1, vec![], vec![9])]
    {
        speaker.receive(1, message(path_id, &asns));
        speaker.flush();
        assert_eq!(speaker.at(2, P).unwrap().attributes.as_path, AsPath::sequence(told));
    }
    speaker.receive(1, message(2, &[]));
    speaker.flush();
    assert_eq!(speaker.holders(P), []);
}
