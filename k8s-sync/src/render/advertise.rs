//! BgpAdvertisements: what of a VRF, and of the global table, is advertised and how.

use std::collections::BTreeMap;

use vrf_manager::intent::{RouteAttributes, Source};

use super::{
    Problem, Reason,
    draft::Origin,
    node::Node,
    parse::{COMMUNITY, Reader},
};
use crate::{
    api::{self, Advertisement, AdvertisementKind, BgpAdvertisementSpec, ServiceAddress},
    world::{Labels, ObjectRef, matches},
};

/// A kind of what is advertised, with its attributes as routes carry them.
pub(super) struct Rule<'a> {
    pub(super) origin: Origin,
    pub(super) of: &'a Advertisement,
    pub(super) attributes: RouteAttributes,
}

impl Rule<'_> {
    pub(super) fn selects(&self, labels: &Labels) -> bool {
        self.of.selector.as_ref().is_none_or(|selector| matches(selector, labels))
    }
}

/// What a node is to advertise, in the order in which it counts: by name, and as it is written.
#[derive(Default)]
pub(super) struct Advertisements<'a> {
    global: Vec<Rule<'a>>,
    vrfs: BTreeMap<&'a str, Vec<Rule<'a>>>,
}

impl<'a> Advertisements<'a> {
    pub(super) fn of(node: &Node<'a>, problems: &mut Vec<Problem>) -> Self {
        let selects = |spec: &BgpAdvertisementSpec| {
            spec.node_selector.as_ref().is_none_or(|selector| matches(selector, &node.known.labels))
        };
        let mut advertisements = Self::default();
        let all = &node.inputs.world.bgp_advertisements;
        for (name, advertisement) in all.iter().filter(|(_, advertisement)| selects(&advertisement.spec)) {
            let rules = match &advertisement.spec.vrf {
                Some(vrf) => advertisements.vrfs.entry(vrf).or_default(),
                None => &mut advertisements.global,
            };
            rules.extend(read(name, &advertisement.spec, problems));
        }
        advertisements
    }

    /// Of the global table.
    pub(super) fn global(&self) -> &[Rule<'a>] {
        &self.global
    }

    /// Of a VRF.
    pub(super) fn of_vrf(&self, vrf: &str) -> InVrf<'_, 'a> {
        InVrf(self.vrfs.get(vrf).map_or(&[], Vec::as_slice))
    }
}

/// What is advertised of a VRF.
#[derive(Clone, Copy)]
pub(super) struct InVrf<'r, 'a>(&'r [Rule<'a>]);

impl<'r, 'a> InVrf<'r, 'a> {
    fn first(self, kind: AdvertisementKind) -> Option<&'r Rule<'a>> {
        self.0.iter().find(|rule| rule.of.kind == kind)
    }

    /// The aggregate of pods' addresses, a static route: where the VRF has others, these would be advertised with it.
    pub(super) fn aggregate(self, has_static: bool, problems: &mut Vec<Problem>) -> Option<&'r Origin> {
        let rule = self.first(AdvertisementKind::PodCidr)?;
        if has_static && self.first(AdvertisementKind::Static).is_none() {
            let Origin { object, path } = &rule.origin;
            let message = format!(
                "{path}: the VRF has static routes, which are advertised together with the PodCIDR or not at all; add type \
                 Static, or remove the static routes"
            );
            problems.push(Problem::new(object.clone(), Reason::Unsupported, message));
            return None;
        }
        Some(&rule.origin)
    }

    /// By kind of route.
    pub(super) fn redistribute(self, aggregate: bool) -> BTreeMap<Source, RouteAttributes> {
        let mut sources = BTreeMap::new();
        for rule in self.0 {
            let source = match rule.of.kind {
                AdvertisementKind::Connected => Source::Connected,
                AdvertisementKind::Static => Source::Static,
                AdvertisementKind::PodCidr if aggregate => Source::Static,
                AdvertisementKind::PodIp => Source::Host,
                _ => continue,
            };
            sources.entry(source).or_insert_with(|| rule.attributes.clone());
        }
        sources
    }

    /// How a Service's addresses of a kind are advertised; `None` where they are not.
    pub(super) fn service(self, labels: &Labels, kind: ServiceAddress) -> Option<RouteAttributes> {
        let of_kind = |rule: &&Rule<'_>| {
            rule.of.kind == AdvertisementKind::Service && rule.of.addresses.contains(&kind)
        };
        let rule = self.0.iter().filter(of_kind).find(|rule| rule.selects(labels))?;
        Some(rule.attributes.clone())
    }

    /// What the egress addresses of a policy carry besides the LOCAL_PREF that the order of its gateways gives.
    pub(super) fn egress(self, labels: &Labels) -> RouteAttributes {
        let rule = self.0.iter().filter(|rule| rule.of.kind == AdvertisementKind::EgressIp);
        let attributes =
            rule.into_iter().find(|rule| rule.selects(labels)).map(|rule| rule.attributes.clone());
        RouteAttributes { local_preference: None, ..attributes.unwrap_or_default() }
    }
}

/// What of an advertisement means something.
pub(super) fn read<'a>(
    name: &str,
    spec: &'a BgpAdvertisementSpec,
    problems: &mut Vec<Problem>,
) -> Vec<Rule<'a>> {
    let object = ObjectRef::cluster("BgpAdvertisement", name);
    let mut reader = Reader::new(object.clone(), problems);
    let read = |(i, of): (usize, &'a Advertisement)| {
        let path = format!("spec.advertisements[{i}]");
        let attributes = attributes(&of.attributes, &format!("{path}.attributes"), &mut reader);
        match refusal(of, spec.vrf.is_some()) {
            Some((reason, problem)) => {
                reader.tell(reason, &path, problem);
                None
            }
            None => Some(Rule { origin: Origin::new(object.clone(), path), of, attributes }),
        }
    };
    spec.advertisements.iter().enumerate().filter_map(read).collect()
}

fn attributes(attributes: &api::RouteAttributes, path: &str, reader: &mut Reader<'_>) -> RouteAttributes {
    RouteAttributes {
        communities: reader.list(&COMMUNITY, &format!("{path}.communities"), &attributes.communities),
        color: attributes.color,
        local_preference: attributes.local_preference,
    }
}

/// Why there can be no such advertisement: one that would say more than is written is left out.
fn refusal(of: &Advertisement, in_vrf: bool) -> Option<(Reason, &'static str)> {
    use AdvertisementKind::{Connected, EgressIp, Locator, PodCidr, PodIp, Service, Static};
    let selective = of.selector.is_some();
    match of.kind {
        Locator if in_vrf => Some((
            Reason::Invalid,
            "locators are of the global table; write it in an advertisement without vrf",
        )),
        Connected | Static if !in_vrf => {
            Some((Reason::Invalid, "Connected and Static are of a VRF; write vrf, or remove it"))
        }
        PodIp if in_vrf && selective => Some((
            Reason::Unsupported,
            "hosts of a VRF are advertised all or none; leave selector away, or use a Vrf of its own for these pods",
        )),
        PodCidr | Locator | Connected | Static if selective => {
            Some((Reason::Invalid, "a selector means nothing with this type; leave it away"))
        }
        Service if of.addresses.is_empty() => Some((
            Reason::Invalid,
            "addresses is empty; write LoadBalancerIP, ClusterIP, ExternalIP or more of them",
        )),
        EgressIp if in_vrf && of.attributes.local_preference.is_some() => Some((
            Reason::Unsupported,
            "the order of an EgressPolicy's gateways gives LOCAL_PREF in a VRF; leave localPreference away",
        )),
        _ => None,
    }
}
