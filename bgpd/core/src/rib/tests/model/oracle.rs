//! What everybody should hold, recomputed from nothing each time.

use std::net::Ipv4Addr;

use super::*;

#[derive(Clone, Debug)]
pub(super) struct Route {
    /// 0 for our own.
    pub(super) from: u8,
    vrf: u32,
    pub(super) held: Held,
    stale: bool,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) up: BTreeSet<u8>,
    pub(super) routes: BTreeMap<(Key, u8), Route>,
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
    pub(super) fn apply(&mut self, event: &Event) {
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
    pub(super) fn all(&self) -> BTreeMap<Key, Vec<Route>> {
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

    pub(super) fn told(&self, peer: u8) -> HeldTable {
        let best = self.all().into_iter().filter_map(|(key, routes)| Some((key, best(&routes)?)));
        best.filter_map(|(key, route)| Some((key, exported(key.0, &route, peer)?))).collect()
    }

    /// SID and peer per VRF and prefix.
    pub(super) fn imported(&self) -> BTreeMap<(VrfId, Prefix), (Option<Sid>, PeerId)> {
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
