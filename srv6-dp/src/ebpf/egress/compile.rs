//! From egress policies to two longest-prefix lookups: a host's address or circuit gives its class, class and
//! destination give the policy.
//!
//! A class is an order in which policies are asked: those with the longest prefix around the host first, then by rank. The
//! first that holds the destination has the packet. Pure: the same policies give the same classes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ipnet::IpNet;

use crate::model::{EgressPolicy, IfIndex};

/// Policy by destination; 0 where none holds what a shorter prefix gives to one.
pub(super) type Class = BTreeMap<IpNet, u32>;

/// What the policies of a VRF come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compiled {
    /// All different, none empty.
    pub(super) classes: Vec<Class>,
    /// Place of the class in `classes`.
    pub(super) sources: BTreeMap<IpNet, usize>,
    /// The same for circuits.
    pub(super) circuits: BTreeMap<IfIndex, usize>,
}

/// A policy as it is asked: prefixes cut to their length.
struct Asked {
    id: u32,
    destinations: BTreeSet<IpNet>,
    exceptions: BTreeSet<IpNet>,
}

impl Asked {
    fn new((id, policy): &(u32, &EgressPolicy)) -> Self {
        let cut = |prefixes: &BTreeSet<IpNet>| prefixes.iter().map(IpNet::trunc).collect();
        Self { id: *id, destinations: cut(&policy.destinations), exceptions: cut(&policy.exceptions) }
    }

    fn holds(&self, destination: IpNet) -> bool {
        around(destination).any(|prefix| self.destinations.contains(&prefix))
            && !around(destination).any(|prefix| self.exceptions.contains(&prefix))
    }
}

/// Compiles the policies of a VRF, given with their ids (not 0) in the order of their ranks.
pub(super) fn compile(policies: &[(u32, &EgressPolicy)]) -> Compiled {
    let asked: Vec<_> = policies.iter().map(Asked::new).collect();
    let mut hosts = BTreeMap::<IpNet, Vec<usize>>::new();
    let mut circuits = BTreeMap::<IfIndex, Vec<usize>>::new();
    for (at, (_, policy)) in policies.iter().enumerate() {
        let sources: BTreeSet<_> = policy.sources.iter().map(IpNet::trunc).collect();
        sources.into_iter().for_each(|source| hosts.entry(source).or_default().push(at));
        policy.circuits.iter().for_each(|circuit| circuits.entry(*circuit).or_default().push(at));
    }
    let mut classes = Classes { asked, by_order: HashMap::new(), classes: Vec::new() };
    let sources = hosts.keys().filter_map(|source| Some((*source, classes.of(order(&hosts, *source))?)));
    let sources = sources.collect();
    let circuits = circuits.into_iter().filter_map(|(circuit, order)| Some((circuit, classes.of(order)?)));
    let circuits = circuits.collect();
    Compiled { classes: classes.classes, sources, circuits }
}

/// Which policies to ask for hosts in `source`, and in which order.
fn order(hosts: &BTreeMap<IpNet, Vec<usize>>, source: IpNet) -> Vec<usize> {
    let mut order = Vec::new();
    for at in around(source).filter_map(|prefix| hosts.get(&prefix)).flatten() {
        if !order.contains(at) {
            order.push(*at);
        }
    }
    order
}

struct Classes {
    asked: Vec<Asked>,
    by_order: HashMap<Vec<usize>, Option<usize>>,
    classes: Vec<Class>,
}

impl Classes {
    /// `None` when no policy of the order holds any destination.
    fn of(&mut self, order: Vec<usize>) -> Option<usize> {
        if let Some(known) = self.by_order.get(&order) {
            return *known;
        }
        let class = self.class(&order);
        let place = match self.classes.iter().position(|known| *known == class) {
            _ if class.is_empty() => None,
            Some(place) => Some(place),
            None => {
                self.classes.push(class);
                Some(self.classes.len() - 1)
            }
        };
        self.by_order.insert(order, place);
        place
    }

    fn class(&self, order: &[usize]) -> Class {
        let asked: Vec<_> = order.iter().map(|at| &self.asked[*at]).collect();
        let prefixes = asked.iter().flat_map(|policy| policy.destinations.union(&policy.exceptions));
        let decide = |prefix: &IpNet| asked.iter().find(|policy| policy.holds(*prefix)).map_or(0, |by| by.id);
        let all: Class = prefixes.map(|prefix| (*prefix, decide(prefix))).collect();
        // What a shorter prefix says already is left out.
        let said = |prefix: IpNet| around(prefix).skip(1).find_map(|shorter| all.get(&shorter)).copied();
        all.iter()
            .filter(|(prefix, id)| said(**prefix).unwrap_or(0) != **id)
            .map(|(prefix, id)| (*prefix, *id))
            .collect()
    }
}

/// The prefix and every shorter one around it, the longest first.
fn around(prefix: IpNet) -> impl Iterator<Item = IpNet> {
    (0..=prefix.prefix_len())
        .rev()
        .filter_map(move |length| IpNet::new(prefix.network(), length).ok())
        .map(|prefix| prefix.trunc())
}

#[cfg(test)]
mod tests;
