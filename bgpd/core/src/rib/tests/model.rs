//! After any sequence of events every peer and every VRF holds what a naive recomputation says.

use std::net::Ipv4Addr;

use bgp_wire::attribute::{Community, PrefixSid, RouteTarget};
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
    LocalRoute { vrf: VrfId(vrf), prefix: prefix(text), sid: Some(sid), med: Some(3) }
}

fn peer_session(n: u8) -> PeerSession {
    match n {
        1 | 2 => client(n),
        3 | 4 => session(n, AS),
        _ => session(n, 65000 + u32::from(n)),
    }
}

#[derive(Clone, Debug)]
struct Route {
    /// 0 for our own.
    from: u8,
    vrf: u32,
    held: Held,
    stale: bool,
}

#[derive(Debug, Default)]
struct Model {
    up: BTreeSet<u8>,
    routes: BTreeMap<(Key, u8), Route>,
    originated: BTreeSet<u32>,
    policies: usize,
}

fn full_key(nlri: &Nlri) -> Key {
    (family(nlri), nlri.rd, nlri.prefix)
}

fn is_external(n: u8) -> bool {
    n > 4
}

impl Model {
    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Announce { peer, key: at, variant: v } if self.up.contains(&peer) => {
                let (nlri, mut attributes) = (key(at), variant(v));
                if is_external(peer) {
                    attributes.local_pref = None;
                }
                let next_hop = match nlri.rd {
                    Some(_) => {
                        NextHop::V6 { global: format!("2001:db8::{peer}").parse().unwrap(), link_local: None }
                    }
                    None => next_hop_of(peer),
                };
                let looped = attributes.as_path.contains(AS);
                let held = Held { attributes, next_hop, label: nlri.label };
                let route = Route { from: peer, vrf: 0, held, stale: false };
                self.routes.remove(&(full_key(&nlri), peer));
                if !looped {
                    self.routes.insert((full_key(&nlri), peer), route);
                }
            }
            Event::Withdraw { peer, key: at } if self.up.contains(&peer) => {
                self.routes.remove(&(full_key(&key(at)), peer));
            }
            Event::Down { peer, retain } if self.up.remove(&peer) => {
                let kept = |key: &Key, route: &Route| retain && key.0 == Family::Ipv4Unicast && !route.stale;
                self.routes.retain(|(key, _), route| route.from != peer || kept(key, route));
                let theirs = self.routes.values_mut().filter(|route| route.from == peer);
                theirs.for_each(|route| route.stale = true);
            }
            Event::Up { peer } => {
                self.up.insert(peer);
            }
            Event::Sweep { peer } => self.routes.retain(|_, route| route.from != peer || !route.stale),
            Event::Originate { vrf, on: true } => {
                self.originated.insert(vrf);
            }
            Event::Originate { vrf, on: false } => {
                self.originated.remove(&vrf);
            }
            Event::Policies { variant } => self.policies = variant,
            _ => {}
        }
    }

    /// Everything in the tables, our own included.
    fn all(&self) -> BTreeMap<Key, Vec<Route>> {
        let mut all: BTreeMap<Key, Vec<Route>> = BTreeMap::new();
        for ((key, _), route) in &self.routes {
            all.entry(*key).or_default().push(route.clone());
        }
        for vrf in &self.originated {
            if let Some((key, route)) = self.own(*vrf) {
                all.entry(key).or_default().push(route);
            }
        }
        all
    }

    fn own(&self, vrf: u32) -> Option<(Key, Route)> {
        let local = local(vrf);
        let base = Attributes { med: Some(3), ..path(&[]) };
        if vrf == 0 {
            let held = Held { attributes: base, next_hop: next_hop_of(254), label: None };
            return Some((
                (Family::Ipv4Unicast, None, local.prefix),
                Route { from: 0, vrf, held, stale: false },
            ));
        }
        let policies = policies(self.policies);
        let policy = policies.get(&VrfId(vrf))?;
        let sid = local.sid.unwrap();
        let (prefix_sid, label) = PrefixSid::l3(sid.sid, sid.structure, sid.behavior);
        let attributes = Attributes {
            extended_communities: policy.export.iter().map(|target| (*target).into()).collect(),
            prefix_sid: Some(prefix_sid),
            ..base
        };
        let next_hop = NextHop::V6 { global: "2001:db8::fe".parse().unwrap(), link_local: None };
        let held = Held { attributes, next_hop, label: Some(label) };
        Some(((Family::Vpnv4, Some(policy.rd), local.prefix), Route { from: 0, vrf, held, stale: false }))
    }

    fn told(&self, peer: u8) -> HeldTable {
        let best = self.all().into_iter().filter_map(|(key, routes)| Some((key, best(&routes)?)));
        best.filter_map(|(key, route)| Some((key, exported(key.0, &route, peer)?))).collect()
    }

    /// SID and peer per VRF and prefix.
    fn imported(&self) -> BTreeMap<(VrfId, Prefix), (Option<Sid>, PeerId)> {
        let mut imported = BTreeMap::new();
        let bests: Vec<_> =
            self.all().into_iter().filter_map(|(key, routes)| Some((key, best(&routes)?))).collect();
        for (vrf, policy) in policies(self.policies) {
            for text in ["10.1.0.0/16", "10.2.0.0/16"] {
                let wanted = |route: &Route| {
                    let targets = route.held.attributes.extended_communities.iter();
                    targets
                        .filter_map(|community| community.route_target())
                        .any(|target| policy.import.contains(&target))
                };
                // In the order of the distinguishers.
                let candidates: Vec<Route> = bests
                    .iter()
                    .filter(|((family, _, prefix), route)| {
                        *family == Family::Vpnv4 && *prefix == self::prefix(text) && wanted(route)
                    })
                    .map(|(_, route)| route.clone())
                    .collect();
                let originated = self.originated.contains(&vrf.0) && text == "10.1.0.0/16";
                if let Some(route) = best(&candidates).filter(|_| !originated) {
                    let peer = if route.from == 0 { PeerId::LOCAL } else { PeerId(route.from.into()) };
                    let sid = (route.from == 0).then(|| local(route.vrf).sid.unwrap().sid);
                    imported.insert((vrf, self::prefix(text)), (sid, peer));
                }
            }
        }
        imported
    }
}

/// RFC 4271 section 9.1.2.2, by the book.
fn best(routes: &[Route]) -> Option<Route> {
    let mut left: Vec<&Route> = routes.iter().collect();
    let keep_lowest = |left: &mut Vec<&Route>, rank: &dyn Fn(&Route) -> i64| {
        let lowest = left.iter().map(|route| rank(route)).min();
        left.retain(|route| Some(rank(route)) == lowest);
    };
    let attributes = |route: &Route| route.held.attributes.clone();
    keep_lowest(&mut left, &|route| i64::from(route.from != 0));
    keep_lowest(&mut left, &|route| -i64::from(attributes(route).local_pref.unwrap_or(100)));
    keep_lowest(&mut left, &|route| attributes(route).as_path.length() as i64);
    keep_lowest(&mut left, &|route| attributes(route).origin as i64);
    let all = left.clone();
    left.retain(|route| {
        let med = |route: &Route| attributes(route).med.unwrap_or(0);
        let same = all
            .iter()
            .filter(|other| attributes(other).as_path.first_as() == attributes(route).as_path.first_as());
        !same.into_iter().any(|other| med(other) < med(route))
    });
    keep_lowest(&mut left, &|route| i64::from(!is_external(route.from)));
    keep_lowest(&mut left, &|route| i64::from(route.from));
    keep_lowest(&mut left, &|route| i64::from(route.vrf));
    left.first().copied().cloned()
}

fn exported(family: Family, route: &Route, to: u8) -> Option<Held> {
    let mut held = route.held.clone();
    let attributes = &mut held.attributes;
    let non_client = |n: u8| n == 3 || n == 4;
    let no_export = attributes.communities.contains(&Community::NO_EXPORT);
    if route.from == to
        || attributes.communities.contains(&Community::NO_ADVERTISE)
        || non_client(route.from) && non_client(to)
        || no_export && is_external(to)
    {
        return None;
    }
    if is_external(to) {
        attributes.as_path.prepend(AS);
        attributes.local_pref = None;
        if route.from != 0 {
            attributes.med = None;
        }
        if family == Family::Ipv4Unicast {
            held.next_hop = next_hop_of(254);
        }
    } else {
        attributes.local_pref.get_or_insert(100);
        if route.from != 0 && !is_external(route.from) {
            attributes.originator_id = Some(Ipv4Addr::new(10, 0, 0, route.from));
            attributes.cluster_list = vec![Ipv4Addr::new(10, 9, 9, 9)];
        }
    }
    Some(held)
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
