//! The routes: two tries and the next hops that they name.
//!
//! User space keeps the index of every route, to count the users of a next hop and to find the routes of a VRF.

use std::collections::BTreeMap;

use aya::Ebpf;
use ipnet::IpNet;
use srv6_types::{
    VrfId,
    maps::{FibKey4, FibKey6},
};

use super::{
    batch::Trie,
    codec::{fib_key4, fib_key6, route4, route6},
    error::EbpfError,
    maps::{Sizes, Spec, take, take_trie},
    next_hops::NextHops,
    pins::Pins,
};
use crate::model::NextHop;

type Routes<T> = BTreeMap<(VrfId, IpNet), T>;

pub(super) struct Fib {
    trie4: Trie<FibKey4>,
    trie6: Trie<FibKey6>,
    spec4: Spec,
    spec6: Spec,
    next_hops: NextHops,
    /// Index of each route's next hop, as written.
    routes: Routes<u32>,
}

impl Fib {
    pub(super) fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
    ) -> Result<Self, EbpfError> {
        let [spec4, spec6, spec_next_hops] = sizes.fib_specs();
        let trie4 = take_trie(ebpf, pins, generation, spec4.name)?;
        let trie6 = take_trie(ebpf, pins, generation, spec6.name)?;
        let routes = read((&trie4, &spec4), (&trie6, &spec6))?;
        let table = take(ebpf, spec_next_hops.name)?;
        let next_hops = NextHops::new(table, spec_next_hops, routes.values().copied())?;
        Ok(Self { trie4, trie6, spec4, spec6, next_hops, routes })
    }

    /// Reads every route back from the kernel.
    pub(super) fn observe(&self) -> Result<Routes<NextHop>, EbpfError> {
        let indices = read((&self.trie4, &self.spec4), (&self.trie6, &self.spec6))?;
        let mut decoded = std::collections::HashMap::new();
        let mut routes = Routes::new();
        for (route, index) in indices {
            let next_hop = match decoded.get(&index) {
                Some(next_hop) => NextHop::clone(next_hop),
                None => decoded.entry(index).insert_entry(self.next_hops.read(index)?).get().clone(),
            };
            routes.insert(route, next_hop);
        }
        Ok(routes)
    }

    /// Makes or changes routes, in the order of their keys, for a trie takes sorted entries faster.
    pub(super) fn set(&mut self, wanted: &Routes<&NextHop>) -> Result<(), EbpfError> {
        let mut acquired = Vec::with_capacity(wanted.len());
        for (route, next_hop) in wanted {
            match self.next_hops.acquire(next_hop) {
                Ok(index) => acquired.push((*route, index)),
                Err(error) => {
                    acquired.iter().for_each(|(_, index)| self.next_hops.release(*index));
                    return Err(error);
                }
            }
        }
        let (v4, v6): (Vec<_>, Vec<_>) = acquired.into_iter().partition(|((_, prefix), _)| is_v4(prefix));
        let result = self.write4(&v4);
        let result6 = if result.1.is_ok() { self.write6(&v6) } else { (0, Ok(())) };
        self.settle(&v4, result.0);
        self.settle(&v6, result6.0);
        result.1.and(result6.1)
    }

    fn write4(&mut self, routes: &[((VrfId, IpNet), u32)]) -> (usize, Result<(), EbpfError>) {
        let (keys, values): (Vec<_>, Vec<_>) = routes
            .iter()
            .filter_map(|((vrf, prefix), index)| match prefix {
                IpNet::V4(prefix) => Some((fib_key4(*vrf, *prefix), *index)),
                IpNet::V6(_) => None,
            })
            .unzip();
        let written = self.trie4.insert(&keys, &values);
        written.map_or_else(|(done, source)| (done, Err(self.spec4.error(source))), |()| (keys.len(), Ok(())))
    }

    fn write6(&mut self, routes: &[((VrfId, IpNet), u32)]) -> (usize, Result<(), EbpfError>) {
        let (keys, values): (Vec<_>, Vec<_>) = routes
            .iter()
            .filter_map(|((vrf, prefix), index)| match prefix {
                IpNet::V6(prefix) => Some((fib_key6(*vrf, *prefix), *index)),
                IpNet::V4(_) => None,
            })
            .unzip();
        let written = self.trie6.insert(&keys, &values);
        written.map_or_else(|(done, source)| (done, Err(self.spec6.error(source))), |()| (keys.len(), Ok(())))
    }

    /// Counts the first `written` routes to their new next hops, and gives back what the others had acquired.
    fn settle(&mut self, routes: &[((VrfId, IpNet), u32)], written: usize) {
        for (at, (route, index)) in routes.iter().enumerate() {
            let released = if at < written { self.routes.insert(*route, *index) } else { Some(*index) };
            if let Some(index) = released {
                self.next_hops.release(index);
            }
        }
    }

    pub(super) fn remove(&mut self, routes: &[(VrfId, IpNet)]) -> Result<(), EbpfError> {
        let (mut keys4, mut keys6) = (Vec::new(), Vec::new());
        for (vrf, prefix) in routes {
            match prefix {
                IpNet::V4(prefix) => keys4.push(fib_key4(*vrf, *prefix)),
                IpNet::V6(prefix) => keys6.push(fib_key6(*vrf, *prefix)),
            }
        }
        self.trie4.remove(&keys4).map_err(|source| self.spec4.error(source))?;
        self.trie6.remove(&keys6).map_err(|source| self.spec6.error(source))?;
        for route in routes {
            if let Some(index) = self.routes.remove(route) {
                self.next_hops.release(index);
            }
        }
        Ok(())
    }

    pub(super) fn remove_vrf(&mut self, vrf: VrfId) -> Result<(), EbpfError> {
        let first = IpNet::V4(ipnet::Ipv4Net::default());
        let routes: Vec<_> = self
            .routes
            .range((vrf, first)..)
            .map(|(route, _)| *route)
            .take_while(|(of, _)| *of == vrf)
            .collect();
        self.remove(&routes)
    }

    /// Distinct next hops in use.
    pub(super) fn next_hop_count(&self) -> usize {
        self.next_hops.len()
    }
}

fn is_v4(prefix: &IpNet) -> bool {
    matches!(prefix, IpNet::V4(_))
}

fn read(
    (trie4, spec4): (&Trie<FibKey4>, &Spec),
    (trie6, spec6): (&Trie<FibKey6>, &Spec),
) -> Result<Routes<u32>, EbpfError> {
    let v4 = trie4.read().map_err(|source| spec4.error(source))?;
    let v6 = trie6.read().map_err(|source| spec6.error(source))?;
    let v4 = v4.iter().filter_map(|(key, index)| Some((route4(key)?, *index)));
    let v6 = v6.iter().filter_map(|(key, index)| Some((route6(key)?, *index)));
    Ok(v4.chain(v6).collect())
}
