//! After any sequence of events every peer and every VRF holds what a naive recomputation says.

mod oracle;

use bgp_wire::attribute::{Community, PrefixSid, RouteTarget};
use oracle::Model;
use proptest::prelude::*;
use srv6_types::{Behavior, Sid, SidStructure, Transposition};

use super::*;
use crate::{
    config::VrfPolicy,
    rib::{LocalRoute, LocalSid},
};

#[derive(Clone, Debug)]
enum Event {
    Announce { peer: u8, key: usize, variant: usize },
    Withdraw { peer: u8, key: usize },
    Down { peer: u8, retain: bool },
    Up { peer: u8 },
    Sweep { peer: u8 },
    Refresh { peer: u8 },
    Originate { vrf: u32, on: bool },
    Policies { variant: usize },
    Flush,
}

fn event() -> impl Strategy<Value = Event> {
    let peer = 1..=6u8;
    prop_oneof![
        8 => (peer.clone(), 0..KEYS, 0..VARIANTS).prop_map(|(peer, key, variant)| Event::Announce { peer, key, variant }),
        4 => (peer.clone(), 0..KEYS).prop_map(|(peer, key)| Event::Withdraw { peer, key }),
        1 => (peer.clone(), any::<bool>()).prop_map(|(peer, retain)| Event::Down { peer, retain }),
        2 => peer.clone().prop_map(|peer| Event::Up { peer }),
        1 => peer.clone().prop_map(|peer| Event::Sweep { peer }),
        1 => peer.prop_map(|peer| Event::Refresh { peer }),
        1 => (0..3u32, any::<bool>()).prop_map(|(vrf, on)| Event::Originate { vrf, on }),
        1 => (0..3usize).prop_map(|variant| Event::Policies { variant }),
        6 => Just(Event::Flush),
    ]
}

const KEYS: usize = 8;

/// Four unicast routes, and two VPN prefixes under two distinguishers each.
fn key(at: usize) -> Nlri {
    match at {
        0..4 => unicast(&format!("192.0.{at}.0/24")),
        _ => {
            let text = ["10.1.0.0/16", "10.2.0.0/16"][at % 2];
            Nlri { rd: Some(rd((at - 4) as u8 / 2)), label: Label::new(16), ..unicast(text) }
        }
    }
}

fn rd(n: u8) -> RouteDistinguisher {
    RouteDistinguisher([0, 0, 0, 1, 0, 0, 0, n])
}

fn target(n: u8) -> RouteTarget {
    RouteTarget([0, 2, 0, 1, 0, 0, 0, n])
}

const VARIANTS: usize = 8;

fn variant(at: usize) -> Attributes {
    let mut attributes = match at {
        0 => path(&[7]),
        1 => path(&[7, 8]),
        2 => Attributes { local_pref: Some(150), ..path(&[9]) },
        3 => Attributes { med: Some(10), ..path(&[7]) },
        4 => Attributes { communities: vec![Community::NO_EXPORT], ..path(&[8]) },
        5 => Attributes { communities: vec![Community::NO_ADVERTISE], ..path(&[9]) },
        6 => Attributes { med: Some(5), origin: Origin::Egp, ..path(&[8]) },
        _ => path(&[7, AS]),
    };
    attributes.extended_communities = vec![target(at as u8 % 3).into()];
    attributes
}

fn policies(variant: usize) -> BTreeMap<VrfId, VrfPolicy> {
    let policy = |n: u8, import: &[u8], export: u8| VrfPolicy {
        name: String::new(),
        rd: rd(10 + n),
        import: import.iter().map(|n| target(*n)).collect(),
        export: [target(export)].into(),
        next_hop: None,
    };
    match variant {
        0 => BTreeMap::new(),
        1 => [(VrfId(1), policy(1, &[1], 1)), (VrfId(2), policy(2, &[1, 2], 2))].into(),
        _ => [(VrfId(1), policy(3, &[0, 2], 2))].into(),
    }
}

fn local(vrf: u32) -> LocalRoute {
    let structure = SidStructure::new(32, 16, 16, 0, Transposition::new(16, 48).unwrap()).unwrap();
    let sid = LocalSid { sid: Sid([vrf as u8; 16]), structure, behavior: Behavior::END_DT46 };
    let text = if vrf == 0 { "192.0.1.0/24" } else { "10.1.0.0/16" };
    LocalRoute {
        vrf: VrfId(vrf),
        prefix: prefix(text),
        sid: Some(sid),
        med: Some(3),
        local_pref: None,
        communities: Vec::new(),
        color: None,
    }
}

fn peer_session(n: u8) -> PeerSession {
    match n {
        1 | 2 => client(n),
        3 | 4 => session(n, AS),
        _ => session(n, 65000 + u32::from(n)),
    }
}

fn drive(speaker: &mut Speaker, up: &BTreeSet<u8>, event: &Event) {
    match *event {
        Event::Announce { peer, key: at, variant: v } if up.contains(&peer) => {
            speaker.announce(peer, key(at), &variant(v));
        }
        Event::Withdraw { peer, key: at } if up.contains(&peer) => {
            speaker.withdraw(peer, key(at));
        }
        Event::Down { peer, retain } if up.contains(&peer) => {
            let retained: &[Family] = if retain { &[Family::Ipv4Unicast] } else { &[] };
            speaker.down(peer.into(), retained);
        }
        Event::Up { peer } if !up.contains(&peer) => speaker.up(peer_session(peer)),
        Event::Sweep { peer } => speaker.rib.sweep_stale(PeerId(peer.into()), None),
        Event::Refresh { peer } => speaker.rib.refresh(PeerId(peer.into()), Family::Ipv4Unicast),
        Event::Originate { vrf, on: true } => speaker.rib.announce(local(vrf)),
        Event::Originate { vrf, on: false } => speaker.rib.withdraw(VrfId(vrf), local(vrf).prefix),
        Event::Policies { variant } => speaker.rib.set_vrfs(policies(variant)),
        Event::Flush => {
            speaker.flush_once();
        }
        _ => {}
    }
}

fn check(speaker: &Speaker, model: &Model) -> Result<(), TestCaseError> {
    for peer in &model.up {
        let id = PeerId((*peer).into());
        prop_assert_eq!(&speaker.held[&id], &model.told(*peer), "peer {}", peer);
        let counts = speaker.rib.peer_counts(id);
        let accepted: u64 = counts.iter().map(|counts| counts.accepted).sum();
        let advertised: u64 = counts.iter().map(|counts| counts.advertised).sum();
        prop_assert_eq!(accepted, model.routes.keys().filter(|(_, from)| from == peer).count() as u64);
        prop_assert_eq!(advertised, speaker.held[&id].len() as u64);
    }
    let imported: BTreeMap<_, _> =
        speaker.vrfs.iter().map(|(at, path)| (*at, (path.sid, path.peer))).collect();
    prop_assert_eq!(imported, model.imported());
    let sets: std::collections::HashSet<_> = model
        .all()
        .into_values()
        .flatten()
        .map(|route| (route.from, route.held.attributes, route.held.next_hop))
        .collect();
    // What arrives from outside is held with the LOCAL_PREF that is not believed.
    let distinct = speaker.rib.attribute_sets();
    prop_assert!(distinct >= sets.len() && distinct <= model.all().values().map(Vec::len).sum(), "sets leak");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn everybody_holds_what_the_model_says(
        events in prop::collection::vec(event(), 1..120),
        changes in 1usize..6,
        dump in 1u32..6,
    ) {
        let (mut speaker, mut model) = (Speaker::new(), Model::default());
        speaker.rib.budget.changes = changes;
        speaker.rib.budget.dump = dump;
        for peer in [1, 3, 5] {
            speaker.up(peer_session(peer));
            model.apply(&Event::Up { peer });
        }
        for event in &events {
            drive(&mut speaker, &model.up.clone(), event);
            model.apply(event);
        }
        speaker.flush();
        check(&speaker, &model)?;
    }
}
