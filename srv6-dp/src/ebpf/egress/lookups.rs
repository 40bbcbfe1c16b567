//! The compiled lookups in the kernel. A class never changes once a source names it: another policy is another class, which
//! is complete before the sources go over to it, one by one and each in one step.

use std::collections::BTreeMap;

use aya::{Ebpf, maps::MapError};
use ipnet::IpNet;
use srv6_types::{
    VrfId,
    maps::{FibKey4, FibKey6},
};

use super::{
    super::{
        batch::Trie,
        codec::{fib_key4, fib_key6, route4, route6},
        error::EbpfError,
        maps::{Sizes, take_trie},
        pins::Pins,
    },
    compile::{Class, Compiled},
};

/// VRF or class, and prefix.
type Entries = BTreeMap<(VrfId, IpNet), u32>;

pub(super) struct Lookups {
    sources: Pair,
    destinations: Pair,
    /// As written, by number.
    classes: BTreeMap<u32, Class>,
    /// Class of each source, as written.
    written: Entries,
}

impl Lookups {
    pub(super) fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
    ) -> Result<Self, EbpfError> {
        let mut pair = |names| Pair::take(ebpf, pins, generation, sizes, names);
        let sources = pair(["EGRESS_SOURCES4", "EGRESS_SOURCES6"])?;
        let destinations = pair(["EGRESS_DESTINATIONS4", "EGRESS_DESTINATIONS6"])?;
        let mut classes = BTreeMap::<u32, Class>::new();
        for ((VrfId(class), prefix), policy) in destinations.read()? {
            classes.entry(class).or_default().insert(prefix, policy);
        }
        let written = sources.read()?;
        Ok(Self { sources, destinations, classes, written })
    }

    /// VRFs that have sources.
    pub(super) fn vrfs(&self) -> impl Iterator<Item = VrfId> {
        self.written.keys().map(|(vrf, _)| *vrf)
    }

    /// Numbers of the classes, in their order; those that are not there are made. Ids of policies are in one VRF each, so that
    /// VRFs share no class.
    pub(super) fn make(&mut self, compiled: &Compiled) -> Result<Vec<u32>, EbpfError> {
        compiled.classes.iter().map(|class| self.number(class)).collect()
    }

    fn number(&mut self, class: &Class) -> Result<u32, EbpfError> {
        if let Some((number, _)) = self.classes.iter().find(|(_, known)| *known == class) {
            return Ok(*number);
        }
        let free = |number: &u32| !self.classes.contains_key(number);
        // There are fewer classes than numbers, for each has an entry of a map.
        let number = (1..).find(free).unwrap_or(u32::MAX);
        let entries: Vec<_> =
            class.iter().map(|(prefix, policy)| ((VrfId(number), *prefix), *policy)).collect();
        if let Err(error) = self.destinations.insert(&entries) {
            self.destinations.remove(&keys(&entries))?;
            return Err(error);
        }
        self.classes.insert(number, class.clone());
        Ok(number)
    }

    /// Gives the sources of a VRF their classes. No host is without one for a moment that has one before and after: prefixes
    /// are written with the longest first, so that none hides one to come, and removed with the shortest first, so that none
    /// bares one that is to go.
    pub(super) fn set_sources(&mut self, vrf: VrfId, wanted: &BTreeMap<IpNet, u32>) -> Result<(), EbpfError> {
        let mut new: Vec<_> = wanted
            .iter()
            .map(|(prefix, class)| ((vrf, *prefix), *class))
            .filter(|(key, class)| self.written.get(key) != Some(class))
            .collect();
        new.sort_by_key(|((_, prefix), _)| std::cmp::Reverse(prefix.prefix_len()));
        let mut gone: Vec<_> = self
            .written
            .keys()
            .filter(|(of, prefix)| *of == vrf && !wanted.contains_key(prefix))
            .copied()
            .collect();
        gone.sort_by_key(|(_, prefix)| prefix.prefix_len());
        let done = self.sources.insert(&new).and_then(|()| self.sources.remove(&gone));
        match done {
            Ok(()) => {
                self.written.retain(|key, _| !gone.contains(key));
                self.written.extend(new);
            }
            Err(_) => self.written = self.sources.read()?,
        }
        done
    }

    /// Classes of policies `of` that are not among `wanted`.
    pub(super) fn stale(&self, wanted: &[u32], of: impl Fn(u32) -> bool) -> Vec<u32> {
        let stale = self.classes.iter().filter(|(number, class)| {
            !wanted.contains(number) && class.values().any(|policy| *policy != 0 && of(*policy))
        });
        stale.map(|(number, _)| *number).collect()
    }

    /// No packet may hold them any more.
    pub(super) fn remove(&mut self, classes: &[u32]) -> Result<(), EbpfError> {
        for number in classes {
            let Some(class) = self.classes.get(number) else { continue };
            let keys: Vec<_> = class.keys().map(|prefix| (VrfId(*number), *prefix)).collect();
            self.destinations.remove(&keys)?;
            self.classes.remove(number);
        }
        Ok(())
    }
}

fn keys(entries: &[((VrfId, IpNet), u32)]) -> Vec<(VrfId, IpNet)> {
    entries.iter().map(|(key, _)| *key).collect()
}

/// The tries of both families.
struct Pair {
    trie4: Trie<FibKey4>,
    trie6: Trie<FibKey6>,
    names: [&'static str; 2],
    sizes: Sizes,
}

impl Pair {
    fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
        names: [&'static str; 2],
    ) -> Result<Self, EbpfError> {
        let trie4 = take_trie(ebpf, pins, generation, names[0])?;
        let trie6 = take_trie(ebpf, pins, generation, names[1])?;
        Ok(Self { trie4, trie6, names, sizes: *sizes })
    }

    fn errors(&self) -> [impl Fn(MapError) -> EbpfError + use<>; 2] {
        self.names.map(|name| self.sizes.error(name))
    }

    /// In their order, but IPv4 first.
    fn insert(&mut self, entries: &[((VrfId, IpNet), u32)]) -> Result<(), EbpfError> {
        let (mut v4, mut v6) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for ((vrf, prefix), value) in entries {
            match prefix {
                IpNet::V4(prefix) => v4.extend([(fib_key4(*vrf, *prefix), *value)]),
                IpNet::V6(prefix) => v6.extend([(fib_key6(*vrf, *prefix), *value)]),
            }
        }
        let [error4, error6] = self.errors();
        self.trie4.insert(&v4.0, &v4.1).map_err(|(_, source)| error4(source))?;
        self.trie6.insert(&v6.0, &v6.1).map_err(|(_, source)| error6(source))
    }

    /// In their order, but IPv4 first.
    fn remove(&mut self, keys: &[(VrfId, IpNet)]) -> Result<(), EbpfError> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (vrf, prefix) in keys {
            match prefix {
                IpNet::V4(prefix) => v4.push(fib_key4(*vrf, *prefix)),
                IpNet::V6(prefix) => v6.push(fib_key6(*vrf, *prefix)),
            }
        }
        let [error4, error6] = self.errors();
        self.trie4.remove(&v4).map_err(error4)?;
        self.trie6.remove(&v6).map_err(error6)
    }

    fn read(&self) -> Result<Entries, EbpfError> {
        let [error4, error6] = self.errors();
        let v4 = self.trie4.read().map_err(error4)?;
        let v6 = self.trie6.read().map_err(error6)?;
        let v4 = v4.iter().filter_map(|(key, value)| Some((route4(key)?, *value)));
        let v6 = v6.iter().filter_map(|(key, value)| Some((route6(key)?, *value)));
        Ok(v4.chain(v6).collect())
    }
}
