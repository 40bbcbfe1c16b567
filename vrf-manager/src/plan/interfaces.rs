//! Which interface serves whom. Names and patterns of the core come first, then those of circuits in the order of the intent;
//! a name wins over any pattern.

use std::collections::BTreeMap;

use super::Links;
use crate::intent::{Intent, is_pattern, matches};

/// The interfaces that names and patterns of an intent mean.
pub(crate) struct Interfaces<'a> {
    pub(super) core: Vec<Served<'a>>,
    /// By the indices of the VRF and of the circuit in it.
    circuits: BTreeMap<(usize, usize), Vec<Served<'a>>>,
}

/// An interface that is meant.
#[derive(Clone, Copy)]
pub(crate) struct Served<'a> {
    pub(crate) name: &'a str,
    /// Somebody else has it.
    pub(crate) taken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Core(usize),
    Circuit(usize, usize),
}

impl<'a> Interfaces<'a> {
    pub(crate) fn of(intent: &'a Intent, links: &'a Links) -> Self {
        let mut owners = BTreeMap::new();
        for (user, name) in users(intent).filter(|(_, name)| !is_pattern(name)) {
            owners.entry(name).or_insert(user);
        }
        let named = owners.clone();
        let mut interfaces = Self { core: Vec::new(), circuits: BTreeMap::new() };
        for (user, wanted) in users(intent) {
            let names: Vec<&str> = match is_pattern(wanted) {
                true => links.matched_by(wanted).filter(|name| !named.contains_key(name)).collect(),
                false => vec![wanted],
            };
            let served = names.into_iter().map(|name| {
                let owner = *owners.entry(name).or_insert(user);
                Served { name, taken: owner != user }
            });
            match user {
                User::Core(_) => interfaces.core.extend(served),
                User::Circuit(vrf, circuit) => {
                    drop(interfaces.circuits.insert((vrf, circuit), served.collect()));
                }
            }
        }
        interfaces
    }

    /// Those of a circuit, by the indices of its VRF and of itself in there.
    pub(crate) fn of_circuit(&self, vrf: usize, circuit: usize) -> &[Served<'a>] {
        self.circuits.get(&(vrf, circuit)).map_or(&[], Vec::as_slice)
    }
}

fn users(intent: &Intent) -> impl Iterator<Item = (User, &str)> {
    let core = intent.srv6.core_interfaces.iter().enumerate();
    let circuits = intent.vrfs.iter().enumerate().flat_map(|(vrf, of)| {
        let circuits = of.circuits.iter().enumerate();
        circuits.map(move |(circuit, wanted)| (User::Circuit(vrf, circuit), wanted.interface.as_str()))
    });
    core.map(|(at, name)| (User::Core(at), name.as_str())).chain(circuits)
}

impl Links {
    /// Ethernet interfaces only: the loopback interface is nobody's circuit.
    fn matched_by<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a str> {
        let ethernet = self.0.iter().filter(|(_, link)| link.mac != [0; 6]);
        ethernet.map(|(name, _)| name.as_str()).filter(move |name| matches(pattern, name))
    }
}
