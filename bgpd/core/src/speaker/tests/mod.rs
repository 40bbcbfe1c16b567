mod net;

use bgp_wire::message::Message;
use net::{Net, SECOND, address, config, graceful, peer};

use super::*;
use crate::{config::PeerConfig, session::cease_code};

const SEEDS: std::ops::Range<u64> = 0..100;

fn told(net: &Net, index: usize, wanted: impl Fn(&Output) -> bool) -> usize {
    net.told[index].iter().filter(|output| wanted(output)).count()
}

#[test]
fn two_speakers_that_connect_at_once_end_with_one_session_that_stays() {
    for seed in SEEDS {
        let mut net = Net::pair(seed, |c| graceful(false, false, c));
        net.run(SECOND * 60);
        for (speaker, other) in [(0, 1), (1, 0)] {
            assert_eq!(net.state(speaker, other), "Established", "seed {seed}");
            assert_eq!(net.flaps(speaker), (1, vec![]), "seed {seed}");
            assert_eq!(net.speakers[speaker].as_ref().unwrap().connections.len(), 1, "seed {seed}");
        }
    }
}

#[test]
fn routes_arrive_and_are_withdrawn() {
    let mut net = Net::pair(1, |c| c);
    net.announce(0, &["192.0.2.0/24", "198.51.100.0/24"]);
    net.run(SECOND * 5);
    assert_eq!(net.reachable(1), ["192.0.2.0/24", "198.51.100.0/24"]);
    let prefix = bgp_wire::nlri::Prefix::V4("192.0.2.0/24".parse().unwrap());
    net.input(0, Input::Withdraw(vec![(srv6_types::VrfId::GLOBAL, prefix)]));
    net.run(SECOND);
    assert_eq!(net.reachable(1), ["198.51.100.0/24"]);
    assert_eq!(net.view(1, 0).routes[0].accepted, 1);
}

#[test]
fn a_session_that_flaps_comes_back_with_its_routes() {
    for seed in SEEDS {
        let mut net = Net::pair(seed, |c| c);
        net.announce(0, &["192.0.2.0/24"]);
        for _ in 0..3 {
            net.run(SECOND * 20);
            assert_eq!(net.reachable(1), ["192.0.2.0/24"], "seed {seed}");
            net.break_connections(1);
            net.run(SECOND / 5);
            assert_eq!(net.reachable(1), Vec::<String>::new(), "seed {seed}");
        }
        net.run(SECOND * 20);
        assert_eq!(net.reachable(1), ["192.0.2.0/24"], "seed {seed}");
    }
}

#[test]
fn a_peer_that_falls_silent_is_noticed_by_the_hold_timer() {
    let mut net = Net::pair(1, |c| c);
    net.announce(0, &["192.0.2.0/24"]);
    net.run(SECOND * 30);
    net.cut = true;
    net.run(SECOND * 8 - SECOND * 3);
    assert_eq!(net.state(1, 0), "Established");
    net.run(SECOND * 5);
    assert_eq!(net.flaps(1).1, ["sent Hold Timer Expired (4), subcode (0)"]);
    assert_eq!(net.reachable(1), Vec::<String>::new());
    net.cut = false;
    net.run(SECOND * 30);
    assert_eq!(net.reachable(1), ["192.0.2.0/24"]);
}

#[test]
fn a_helper_keeps_routes_over_a_restart_and_drops_at_end_of_rib_what_did_not_come_again() {
    for seed in SEEDS {
        let mut net = Net::pair(seed, |c| graceful(false, false, c));
        net.announce(0, &["192.0.2.0/24", "198.51.100.0/24"]);
        net.run(SECOND * 10);
        net.told[1].clear();
        net.crash(0);
        net.run(SECOND * 20);
        assert_eq!(net.view(1, 0).stale, [Family::Ipv4Unicast, Family::Ipv6Unicast]);
        assert_eq!(net.flaps(1).1, ["connection lost"], "seed {seed}");
        net.start(0, graceful(true, true, config(0, &[1])));
        net.announce(0, &["192.0.2.0/24"]);
        net.run(SECOND * 20);
        let lost = |o: &Output| matches!(o, Output::Unicast(r) if r.path.is_none() && r.prefix.to_string() == "192.0.2.0/24");
        assert_eq!(told(&net, 1, lost), 0, "seed {seed}: never without the route");
        let swept = |o: &Output| matches!(o, Output::Unicast(r) if r.path.is_none());
        assert_eq!(told(&net, 1, swept), 1, "seed {seed}: the other one went");
        assert_eq!(net.view(1, 0).stale, []);
    }
}

#[test]
fn a_helper_does_not_wait_longer_than_the_restart_time() {
    let mut net = Net::pair(1, |c| graceful(false, false, c));
    net.announce(0, &["192.0.2.0/24"]);
    net.run(SECOND * 10);
    net.crash(0);
    net.run(SECOND * 59);
    assert_eq!(net.reachable(1), ["192.0.2.0/24"]);
    net.run(SECOND * 2);
    assert_eq!(net.reachable(1), Vec::<String>::new());
}

#[test]
fn routes_of_a_peer_that_lost_its_forwarding_state_go_as_soon_as_it_is_back() {
    let mut net = Net::pair(1, |c| graceful(false, false, c));
    net.announce(0, &["192.0.2.0/24"]);
    net.run(SECOND * 10);
    net.crash(0);
    net.start(0, graceful(true, false, config(0, &[1])));
    net.run(SECOND * 10);
    assert_eq!(net.reachable(1), Vec::<String>::new());
}

#[test]
fn a_peer_that_restarts_before_its_loss_was_noticed_is_taken_back() {
    for seed in SEEDS {
        let mut net = Net::pair(seed, |c| graceful(false, false, c));
        net.announce(0, &["192.0.2.0/24"]);
        net.run(SECOND * 10);
        net.cut = true;
        net.crash(0);
        net.cut = false;
        net.start(0, graceful(true, true, config(0, &[1])));
        net.announce(0, &["192.0.2.0/24"]);
        net.told[1].clear();
        net.run(SECOND * 5);
        assert_eq!(net.flaps(1), (1, vec!["peer restarted (new connection)".into()]), "seed {seed}");
        assert_eq!(told(&net, 1, |o| matches!(o, Output::Unicast(r) if r.path.is_none())), 0);
    }
}

#[test]
fn a_restarter_selects_nothing_before_all_peers_have_sent_their_routes() {
    let mut net = Net::new(1);
    for speaker in [1, 2] {
        net.start(speaker, graceful(false, false, config(speaker, &[0])));
    }
    net.announce(1, &["192.0.2.0/24"]);
    net.start(0, graceful(true, true, config(0, &[1, 2, 3])));
    net.run(SECOND * 20);
    assert_eq!((net.state(0, 1), net.state(0, 2)), ("Established", "Established"));
    assert_eq!(net.reachable(0), Vec::<String>::new(), "the third peer is still awaited");
    net.start(3, config(3, &[0]));
    net.run(SECOND * 20);
    assert_eq!(net.reachable(0), ["192.0.2.0/24"]);
    let last = net.told[0].iter().rposition(|o| matches!(o, Output::Unicast(_))).unwrap();
    let complete = net.told[0].iter().position(|o| matches!(o, Output::RestartComplete)).unwrap();
    assert!(last < complete, "complete is told behind the routes");
}

/// Two that restart at once do not wait for each other to select, but the dataplane is not cleared before the other has
/// sent its routes.
#[test]
fn what_nobody_confirms_goes_only_after_a_peer_that_restarts_as_well_has_sent_its_routes() {
    let mut net = Net::pair(1, |c| graceful(true, true, c));
    net.announce(1, &["192.0.2.0/24"]);
    net.run(SECOND * 20);
    let learnt = net.told[0].iter().position(|o| matches!(o, Output::Unicast(_))).unwrap();
    let complete = net.told[0].iter().position(|o| matches!(o, Output::RestartComplete)).unwrap();
    assert!(learnt < complete, "complete is told behind the routes");
}

#[test]
fn a_restarter_gives_up_on_peers_that_stay_away() {
    let mut net = Net::new(1);
    net.start(0, graceful(true, true, config(0, &[1])));
    net.run(SECOND * 59);
    assert_eq!(told(&net, 0, |o| *o == Output::RestartComplete), 0);
    net.run(SECOND * 2);
    assert_eq!(told(&net, 0, |o| *o == Output::RestartComplete), 1);
}

#[test]
fn a_new_configuration_leaves_other_sessions_alone() {
    let mut net = Net::new(1);
    for speaker in [1, 2, 3] {
        net.start(speaker, config(speaker, &[0]));
    }
    net.start(0, config(0, &[1, 2, 3]));
    net.run(SECOND * 20);
    let mut changed = config(0, &[1, 2]);
    let narrower = PeerConfig { families: [Family::Ipv4Unicast].into(), ..peer() };
    changed.peers.insert(address(2), narrower);
    let renamed = PeerConfig { description: "upstream".into(), ..peer() };
    changed.peers.insert(address(1), renamed);
    net.configure(0, changed);
    net.run(SECOND * 20);
    assert_eq!(net.flaps(1), (1, vec![]));
    assert_eq!(net.view(0, 1).description, "upstream");
    let other_change = "received Hard Reset: Cease (6), Other Configuration Change (6)";
    assert_eq!(net.flaps(2), (2, vec![other_change.into()]));
    assert_eq!(net.view(2, 0).session.unwrap().families, [(Family::Ipv4Unicast, true)]);
    assert_eq!(net.flaps(3), (1, vec!["received Hard Reset: Cease (6), Peer De-configured (3)".into()]));
    assert_eq!(net.speakers[0].as_ref().unwrap().by_address.len(), 2);
}

fn offered(net: &Net, speaker: usize, by: usize) -> bgp_wire::capability::GracefulRestart {
    let session = net.view(speaker, by).session.unwrap();
    let offered = session.capabilities.into_iter().find_map(|capability| match capability {
        bgp_wire::capability::Capability::GracefulRestart(offered) => Some(offered),
        _ => None,
    });
    offered.unwrap()
}

/// The session stays; the next OPEN tells of it, without an R bit that the peer has seen already.
#[test]
fn another_restart_time_reaches_the_next_open() {
    let mut net = Net::pair(1, |c| graceful(true, false, c));
    net.run(SECOND * 20);
    assert_eq!(offered(&net, 1, 0).restart_time, 60);
    let mut longer = graceful(true, false, config(0, &[1]));
    longer.graceful_restart.as_mut().unwrap().restart_time = SECOND * 300;
    net.configure(0, longer);
    net.run(SECOND * 20);
    assert_eq!(net.flaps(1), (1, vec![]));
    net.break_connections(1);
    net.run(SECOND * 20);
    let restart = offered(&net, 1, 0);
    assert_eq!((restart.restart_time, restart.restarted), (300, false));
    assert!(restart.families.iter().all(|(.., kept)| *kept), "forwarding has gone on since");
    net.configure(0, config(0, &[1]));
    net.break_connections(1);
    net.run(SECOND * 20);
    assert_eq!(offered(&net, 1, 0).families, []);
}

/// RFC 4724 section 4.1. Nothing wakes a speaker that only waits to be connected to.
#[test]
fn a_passive_speaker_does_not_claim_a_restart_after_the_restart_time() {
    let mut net = Net::new(1);
    let mut waits = graceful(true, true, config(0, &[1]));
    waits.peers.insert(address(1), PeerConfig { passive: true, ..peer() });
    net.start(0, waits);
    net.run(SECOND * 61);
    net.start(1, graceful(false, false, config(1, &[0])));
    net.run(SECOND * 20);
    assert!(!offered(&net, 1, 0).restarted);
}

#[test]
fn a_flood_of_end_of_rib_markers_is_told_once() {
    let mut net = Net::pair(1, |c| c);
    net.run(SECOND * 10);
    net.told[0].clear();
    let connection = *net.speakers[0].as_ref().unwrap().connections.keys().next().unwrap();
    let marker = [&[0xff; 16][..], &[0, 23, 2, 0, 0, 0, 0]].concat();
    net.input(0, Input::Received { connection, frames: marker.repeat(1000).into() });
    assert_eq!(told(&net, 0, |o| matches!(o, Output::EndOfRib { .. })), 1);
    assert_eq!(net.state(0, 1), "Established");
}

/// RFC 4486 section 4.
#[test]
fn a_peer_that_sends_too_many_routes_is_taken_down_until_the_limit_is_another() {
    let limited = |limit| {
        let mut config = graceful(false, false, config(0, &[1]));
        config.peers.insert(address(1), PeerConfig { max_prefixes: Some(limit), ..peer() });
        config
    };
    let mut net = Net::new(1);
    net.start(0, limited(2));
    net.start(1, graceful(false, false, config(1, &[0])));
    net.announce(1, &["10.0.0.0/24", "10.1.0.0/24"]);
    net.run(SECOND * 20);
    assert_eq!(net.reachable(0), ["10.0.0.0/24", "10.1.0.0/24"]);
    net.announce(1, &["10.2.0.0/24"]);
    net.run(SECOND * 600);
    let too_many = "received Hard Reset: Cease (6), Maximum Number of Prefixes Reached (1)";
    assert_eq!(net.flaps(1), (1, vec![too_many.into()]));
    assert_eq!((net.state(0, 1), net.reachable(0)), ("Idle", Vec::<String>::new()));
    net.configure(0, limited(3));
    net.run(SECOND * 20);
    assert_eq!(net.reachable(0).len(), 3);
}

#[test]
fn a_peer_that_is_not_passive_any_more_is_connected_to() {
    let mut net = Net::new(1);
    let passive = |speaker, other| {
        let mut config = config(speaker, &[other]);
        config.peers.insert(address(other), PeerConfig { passive: true, ..peer() });
        config
    };
    net.start(0, passive(0, 1));
    net.start(1, passive(1, 0));
    net.run(SECOND * 60);
    assert_eq!(net.state(0, 1), "Active");
    net.configure(0, config(0, &[1]));
    net.run(SECOND * 10);
    assert_eq!(net.state(0, 1), "Established");
}

#[test]
fn a_cleared_session_comes_back() {
    let mut net = Net::pair(1, |c| c);
    net.run(SECOND * 10);
    let id = net.speakers[0].as_ref().unwrap().peer_id(address(1)).unwrap();
    net.input(0, Input::Stop { peer: id, subcode: cease_code::ADMIN_RESET });
    net.input(0, Input::Start { peer: id });
    net.run(SECOND * 10);
    assert_eq!(net.flaps(1), (2, vec!["received Hard Reset: Cease (6), Administrative Reset (4)".into()]));
}

#[test]
fn strangers_are_told_that_they_are_rejected() {
    let mut net = Net::new(1);
    net.start(0, config(0, &[]));
    net.start(1, config(1, &[0]));
    net.run(SECOND);
    assert_eq!(told(&net, 0, |o| matches!(o, Output::Refused { .. })), 1);
    let (_, error) = net.view(1, 0).last_error.unwrap();
    assert_eq!(error, "received Cease (6), Connection Rejected (5)");
}

#[test]
fn a_refused_open_does_no_harm_to_the_session_that_is_up() {
    let mut net = Net::pair(1, |c| graceful(false, false, c));
    net.run(SECOND * 10);
    let connection = ConnectionId::Incoming(1 << 40);
    net.input(0, Input::Accepted { connection, remote: address(1), local: address(0) });
    let wrong = crate::session::Local {
        asn: 65999,
        ..net.speakers[0].as_ref().unwrap().peers[&PeerId(1)].local.clone()
    };
    let mut frames = Vec::new();
    Message::Open(wrong.open()).encode(&Default::default(), &mut frames);
    net.input(0, Input::Received { connection, frames: frames.into() });
    net.run(SECOND * 10);
    assert_eq!(net.flaps(0), (1, vec![]));
}

#[test]
fn a_broken_stream_is_answered_with_the_headers_error() {
    let mut net = Net::pair(1, |c| c);
    net.run(SECOND * 10);
    let connection = *net.speakers[0].as_ref().unwrap().connections.keys().next().unwrap();
    net.input(0, Input::Received { connection, frames: vec![0; 19].into() });
    net.run(SECOND / 2);
    assert_eq!(net.flaps(0).1, ["sent Message Header Error (1), Connection Not Synchronized (1)"]);
    assert_eq!(net.state(0, 1), "Idle");
}

/// Three speakers in a full mesh; whatever happens to them, when it stops all know all.
#[test]
fn after_any_storm_everybody_has_every_route() {
    for seed in SEEDS {
        let mut net = Net::new(seed);
        let gr = |restarted, index: usize| {
            let others: Vec<_> = (0..3).filter(|o| *o != index).collect();
            let config = config(index, &others);
            // Every second storm hits speakers without graceful restart.
            if seed % 2 == 0 { graceful(restarted, restarted, config) } else { config }
        };
        let start = |net: &mut Net, restarted, index: usize| {
            net.start(index, gr(restarted, index));
            net.announce(index, &[["10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"][index]]);
        };
        (0..3).for_each(|index| start(&mut net, false, index));
        for _ in 0..12 {
            let dice = net.dice();
            let index = (dice % 3) as usize;
            match (dice / 3) % 4 {
                0 => net.break_connections(index),
                1 => net.crash(index),
                2 => {
                    net.cut = true;
                    net.run(SECOND * (dice % 13) as u32);
                    net.cut = false;
                }
                _ => net.clear(index, PeerId(1 + (dice % 2) as u32)),
            }
            net.run(SECOND / 10 * (dice % 97) as u32);
            if net.speakers[index].is_none() {
                net.told[index].clear();
                start(&mut net, true, index);
            }
        }
        net.run(SECOND * 300);
        for index in 0..3 {
            let all = ["10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"];
            let others: Vec<_> =
                all.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, p)| *p).collect();
            assert_eq!(net.reachable(index), others, "seed {seed}, speaker {index}");
            let speaker = net.speakers[index].as_ref().unwrap();
            assert_eq!(speaker.connections.len(), 2, "seed {seed}: nothing is left behind");
            assert!(speaker.peers.values().all(|p| p.second.is_none() && p.helper == Helper::Idle));
        }
    }
}
