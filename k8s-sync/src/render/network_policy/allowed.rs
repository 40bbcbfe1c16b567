//! What policies allow in one direction, and the fewest rules for it that are simple to find.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use srv6_dp::model::{Action, Direction};
use vrf_manager::intent::FilterRule;

use super::{peer::Far, port::Traffic};

/// A pod's own addresses.
const ITSELF: &str = "itself";

/// By kind of traffic.
#[derive(Default)]
pub(super) struct Allowed(BTreeMap<Traffic, Reach>);

/// Whom traffic may come from or go to, each with the name of the first policy that allows it.
#[derive(Default)]
struct Reach {
    everywhere: Option<String>,
    prefixes: BTreeMap<IpNet, String>,
    lengths: BTreeSet<u8>,
}

impl Allowed {
    pub(super) fn add_own(&mut self, addresses: impl Iterator<Item = IpAddr>) {
        let own = addresses.map(IpNet::from).collect();
        self.add(ITSELF, Traffic::EVERYTHING, &Far::Prefixes(own));
    }

    pub(super) fn add(&mut self, policy: &str, traffic: Traffic, far: &Far) {
        let reach = self.0.entry(traffic).or_default();
        match far {
            Far::Everywhere => drop(reach.everywhere.get_or_insert_with(|| policy.to_owned())),
            Far::Prefixes(prefixes) => {
                for prefix in prefixes {
                    reach.prefixes.entry(*prefix).or_insert_with(|| policy.to_owned());
                    reach.lengths.insert(prefix.prefix_len());
                }
            }
        }
    }

    /// Nothing would be left to drop.
    pub(super) fn is_everything(&self) -> bool {
        self.0.get(&Traffic::EVERYTHING).is_some_and(|reach| reach.everywhere.is_some())
    }

    /// In any order: all of them accept.
    pub(super) fn rules(&self, direction: Direction) -> Vec<FilterRule> {
        let rule = |name: &str, prefix, traffic: Traffic| FilterRule {
            name: name.to_owned(),
            direction,
            prefix,
            protocol: traffic.protocol,
            ports: traffic.ports,
            action: Action::Accept,
        };
        let mut rules = Vec::new();
        for (traffic, reach) in &self.0 {
            let wider = self.0.iter().filter(|(other, _)| *other != traffic && other.holds(*traffic));
            let wider: Vec<_> = wider.map(|(_, reach)| reach).collect();
            if wider.iter().any(|wider| wider.everywhere.is_some()) {
                continue;
            }
            match &reach.everywhere {
                Some(name) => rules.push(rule(name, None, *traffic)),
                None => {
                    for (name, prefixes) in reach.needed(&wider) {
                        let merged = IpNet::aggregate(&prefixes);
                        rules.extend(merged.into_iter().map(|prefix| rule(name, Some(prefix), *traffic)));
                    }
                }
            }
        }
        rules
    }
}

impl Reach {
    /// By policy, what lies in nothing else that is allowed.
    fn needed(&self, wider: &[&Self]) -> BTreeMap<&str, Vec<IpNet>> {
        let mut needed = BTreeMap::<&str, Vec<IpNet>>::new();
        for (prefix, name) in &self.prefixes {
            let covered = self.is_around(*prefix) || wider.iter().any(|wider| wider.holds(*prefix));
            if !covered {
                needed.entry(name).or_default().push(*prefix);
            }
        }
        needed
    }

    fn holds(&self, prefix: IpNet) -> bool {
        self.prefixes.contains_key(&prefix) || self.is_around(prefix)
    }

    /// Whether a shorter prefix holds it. Lengths of prefixes are few.
    fn is_around(&self, prefix: IpNet) -> bool {
        let shorter = self.lengths.range(..prefix.prefix_len());
        let mut around = shorter.filter_map(|len| Some(IpNet::new(prefix.addr(), *len).ok()?.trunc()));
        around.any(|around| self.prefixes.contains_key(&around))
    }
}
