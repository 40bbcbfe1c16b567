//! Consistent hashing of flows to backends: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
//! NSDI 2016, section 3.4.
//!
//! A backend's permutation comes of its address and port alone, so that all nodes make the same table of the same backends,
//! and one that comes or goes moves few entries of the others.

use std::net::IpAddr;

/// Sizes of tables: primes, each about twice the one before.
const SIZES: [u32; 9] = [251, 509, 1021, 2039, 4093, 8191, 16_381, 32_749, 65_521];

/// Least entries for each backend of equal ones: shares are off by a hundredth at most.
const PER_BACKEND: u32 = 100;

/// Least entries for the backend of the least weight.
const PER_LEAST: u32 = 10;

/// A backend in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Address and port.
    pub at: (IpAddr, u16),
    /// Its share, not 0.
    pub weight: u16,
}

/// The size of the table of these backends; 0 where there are none. Grows with their number and with how unlike their
/// weights are.
pub fn size(candidates: &[Candidate]) -> u32 {
    let Some(least) = candidates.iter().map(|candidate| u32::from(candidate.weight).max(1)).min() else {
        return 0;
    };
    let sum: u32 = candidates.iter().map(|candidate| u32::from(candidate.weight)).sum();
    let wanted = (candidates.len() as u32)
        .saturating_mul(PER_BACKEND)
        .max(sum.div_ceil(least).saturating_mul(PER_LEAST));
    let largest = SIZES[SIZES.len() - 1];
    SIZES.into_iter().find(|size| *size >= wanted).unwrap_or(largest)
}

/// For each entry of the table the position of its backend among `candidates`, which have to be in ascending order.
pub fn table(candidates: &[Candidate]) -> Vec<usize> {
    debug_assert!(candidates.is_sorted());
    let size = size(candidates) as usize;
    let mut entries = vec![None; size];
    let mut turns: Vec<_> = candidates.iter().map(|candidate| Turns::new(*candidate, size)).collect();
    let most = candidates.iter().map(|candidate| u32::from(candidate.weight)).max().unwrap_or(0);
    let mut left = size;
    while left > 0 {
        for (position, turns) in turns.iter_mut().enumerate() {
            if left > 0 && turns.has_one(most) {
                turns.take(position, &mut entries);
                left -= 1;
            }
        }
    }
    entries.into_iter().flatten().collect()
}

/// A backend while the table is made.
struct Turns {
    weight: u32,
    credit: u32,
    /// The next entry that it prefers, and how far from each to the one after.
    next: usize,
    skip: usize,
}

impl Turns {
    fn new(Candidate { at, weight }: Candidate, size: usize) -> Self {
        let hash = hash(at);
        let below = |seed: u64, bound: usize| (mix(hash ^ seed) % bound as u64) as usize;
        Self {
            weight: weight.into(),
            credit: 0,
            next: below(0x9e37_79b9_7f4a_7c15, size),
            skip: 1 + below(0xc2b2_ae3d_27d4_eb4f, size - 1),
        }
    }

    /// A backend has as many turns as its weight is to the greatest weight; one of the greatest has one each round.
    fn has_one(&mut self, most: u32) -> bool {
        self.credit += self.weight;
        let has = self.credit >= most;
        if has {
            self.credit -= most;
        }
        has
    }

    /// Takes the first free entry of its permutation; there has to be one.
    fn take(&mut self, position: usize, entries: &mut [Option<usize>]) {
        while entries[self.next].is_some() {
            self.next = (self.next + self.skip) % entries.len();
        }
        entries[self.next] = Some(position);
    }
}

/// FNV-1a. Not the standard library's hashes: they are not promised to be the same in every version.
fn hash((address, port): (IpAddr, u16)) -> u64 {
    let fnv = |octets: &[u8]| {
        octets.iter().chain(&port.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
            (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3)
        })
    };
    match address {
        IpAddr::V4(address) => fnv(&address.octets()),
        IpAddr::V6(address) => fnv(&address.octets()),
    }
}

/// The finish of splitmix64: neighbours become strangers.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
