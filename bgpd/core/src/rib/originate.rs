//! Routes of this node: plain unicast ones, and VPN ones that carry a VRF's service SID (RFC 9252 section 5).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use bgp_wire::{
    Family,
    attribute::{Attributes, Community, ExtendedCommunity, Origin, PrefixSid, RawAttributes},
    message::{Context, NextHop},
    nlri::{Nlri, Prefix},
};
use srv6_types::VrfId;

use super::{
    LocalRoute, Rib,
    attributes::{AttributeSet, SetId, Source, SourceKind},
    export::Speaker,
    key::family_index,
    path::Path,
};
use crate::config::{PeerId, VrfPolicy};

/// What this node originates.
#[derive(Debug)]
pub(crate) struct Origins {
    source: Arc<Source>,
    routes: BTreeMap<(VrfId, Prefix), Originated>,
}

#[derive(Debug)]
struct Originated {
    route: LocalRoute,
    /// Where it stands in the tables; `None` while it cannot be advertised.
    placed: Option<(Family, Nlri)>,
}

impl Origins {
    pub(crate) fn new(speaker: &Speaker) -> Self {
        let source = Source {
            peer: PeerId::LOCAL,
            kind: SourceKind::Local,
            router_id: speaker.router_id,
            address: IpAddr::V4(speaker.router_id),
            local: [None; 2],
            context: Context { four_octet_as: true, ..Context::default() },
        };
        Self { source: Arc::new(source), routes: BTreeMap::new() }
    }

    /// Whether the VRF's own route to the prefix goes before any other. One whose LOCAL_PREF is set is compared by it.
    pub(crate) fn prevails(&self, vrf: VrfId, prefix: Prefix) -> bool {
        self.routes.get(&(vrf, prefix)).is_some_and(|own| own.route.local_pref.is_none())
    }
}

impl Rib {
    /// Originates a route, or changes one. A VRF's route is advertised as soon as the VRF is known and the route has
    /// a SID: without one, nobody could reach it.
    pub fn announce(&mut self, route: LocalRoute) {
        let key = (route.vrf, route.prefix);
        match self.origins.routes.get_mut(&key) {
            Some(originated) => originated.route = route,
            None => {
                self.origins.routes.insert(key, Originated { route, placed: None });
            }
        }
        self.place(key);
    }

    /// Stops originating a route.
    pub fn withdraw(&mut self, vrf: VrfId, prefix: Prefix) {
        if let Some(originated) = self.origins.routes.remove(&(vrf, prefix)) {
            self.displace(vrf, originated.placed);
            self.imports.reconsider(vrf, prefix);
        }
    }

    /// Replaces the VRFs; only what differs is imported and originated anew.
    pub fn set_vrfs(&mut self, vrfs: BTreeMap<VrfId, VrfPolicy>) {
        let exports = |policy: &VrfPolicy| (policy.rd, policy.export.clone(), policy.next_hop);
        let before: BTreeMap<_, _> =
            self.imports.policies.iter().map(|(vrf, policy)| (*vrf, exports(policy))).collect();
        self.imports.set_policies(vrfs);
        let differs = |vrf: &VrfId| before.get(vrf) != self.imports.policies.get(vrf).map(exports).as_ref();
        let affected: Vec<_> = self.origins.routes.keys().filter(|(vrf, _)| differs(vrf)).copied().collect();
        affected.into_iter().for_each(|key| self.place(key));
    }

    /// Puts a route into the table where its VRF's policy wants it.
    fn place(&mut self, key: (VrfId, Prefix)) {
        let Some(Originated { route, placed }) = self.origins.routes.get(&key) else { return };
        let before = *placed;
        let wanted = originate(route, self.imports.policies.get(&key.0));
        let placed = wanted.map(|(family, nlri, attributes, next_hop)| {
            let set = self.hold(attributes, next_hop);
            let path = Path::new(set, PeerId::LOCAL, key.0.0, nlri.label);
            self.tables[family_index(family)].insert(&nlri, path, &mut self.sets);
            self.sets.release(set);
            (family, nlri)
        });
        if let Some(originated) = self.origins.routes.get_mut(&key) {
            originated.placed = placed;
        }
        let moved = before.filter(|(_, nlri)| placed.is_none_or(|(_, placed)| placed.rd != nlri.rd));
        self.displace(key.0, moved);
        self.imports.reconsider(key.0, key.1);
    }

    fn displace(&mut self, vrf: VrfId, placed: Option<(Family, Nlri)>) {
        if let Some((family, nlri)) = placed {
            self.tables[family_index(family)].remove(&nlri, PeerId::LOCAL, vrf.0, &mut self.sets);
        }
    }

    /// The set with a reference, which the caller gives back.
    fn hold(&mut self, attributes: Attributes, next_hop: NextHop) -> SetId {
        let source = Arc::clone(&self.origins.source);
        let mut octets = Vec::new();
        attributes.encode(None, &source.context, &mut octets);
        let raw = RawAttributes(octets.into());
        match self.sets.find(&raw, &next_hop, &source) {
            Some(set) => set,
            None => self.sets.insert(AttributeSet::new(&raw, next_hop, &source, attributes)),
        }
    }
}

/// What a route is advertised as; `None` while its VRF or its SID is missing.
fn originate(route: &LocalRoute, policy: Option<&VrfPolicy>) -> Option<(Family, Nlri, Attributes, NextHop)> {
    let color = route.color.map(ExtendedCommunity::of_color).into_iter();
    let attributes = Attributes {
        origin: Origin::Igp,
        med: route.med,
        local_pref: route.local_pref,
        communities: sorted(&route.communities),
        extended_communities: color.collect(),
        ..Attributes::default()
    };
    let nlri = Nlri { path_id: 0, rd: None, label: None, prefix: route.prefix };
    if route.vrf == VrfId::GLOBAL {
        let (family, next_hop) = match route.prefix {
            Prefix::V4(_) => (Family::Ipv4Unicast, NextHop::V4(Ipv4Addr::UNSPECIFIED)),
            Prefix::V6(_) => (Family::Ipv6Unicast, v6(Ipv6Addr::UNSPECIFIED)),
        };
        return Some((family, nlri, attributes, next_hop));
    }
    let (policy, sid) = (policy?, route.sid?);
    let (prefix_sid, label) = PrefixSid::l3(sid.sid, sid.structure, sid.behavior);
    let family = if matches!(route.prefix, Prefix::V4(_)) { Family::Vpnv4 } else { Family::Vpnv6 };
    // In ascending order of the type, as the routes of others come.
    let targets = policy.export.iter().map(|target| ExtendedCommunity::from(*target));
    let attributes = Attributes {
        extended_communities: targets.chain(attributes.extended_communities).collect(),
        prefix_sid: Some(prefix_sid),
        ..attributes
    };
    let nlri = Nlri { rd: Some(policy.rd), label: Some(label), ..nlri };
    Some((family, nlri, attributes, v6(policy.next_hop.unwrap_or(Ipv6Addr::UNSPECIFIED))))
}

/// A set, RFC 1997: the same ones in another order are no other route.
fn sorted(communities: &[Community]) -> Vec<Community> {
    communities.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

fn v6(global: Ipv6Addr) -> NextHop {
    NextHop::V6 { global, link_local: None }
}
