//! Random tables and destinations in them, the same in every run.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Destinations that frames go to in turn: more than any cache of a core holds.
const DESTINATIONS: usize = 1 << 19;

/// splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// `count` prefixes as in the Internet's table, roughly: 60 of 100 are /24, the others /16 to /23.
pub(crate) fn ipv4(count: usize) -> Vec<IpNet> {
    distinct(count, |random| {
        let length = if random.below(100) < 60 { 24 } else { 16 + random.below(8) as u8 };
        // 11.0.0.0 to 126.255.255.255: nothing special lies there.
        let bits = (11 + random.below(116) as u32) << 24 | (random.next() as u32 >> 8);
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from_bits(bits), length).trunc())
    })
}

/// The same for IPv6: 50 of 100 are /48, 30 are /64, the others /32 to /47.
pub(crate) fn ipv6(count: usize) -> Vec<IpNet> {
    distinct(count, |random| {
        let length = match random.below(100) {
            0..50 => 48,
            50..80 => 64,
            _ => 32 + random.below(16) as u8,
        };
        let bits = u128::from(random.next()) << 64 >> 16 | 0x2400 << 112;
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length).trunc())
    })
}

/// In random order.
fn distinct(count: usize, mut one: impl FnMut(&mut Random) -> IpNet) -> Vec<IpNet> {
    let (mut random, mut seen, mut all) = (Random(count as u64), BTreeSet::new(), Vec::new());
    while all.len() < count {
        let prefix = one(&mut random);
        if seen.insert(prefix) {
            all.push(prefix);
        }
    }
    all
}

/// Addresses in prefixes chosen at random, which more specific ones may cover.
pub(crate) fn destinations4(table: &[IpNet]) -> Vec<Ipv4Addr> {
    let mut random = Random(4);
    picks(table, &mut random)
        .filter_map(|(prefix, bits)| match prefix {
            IpNet::V4(net) => {
                Some(Ipv4Addr::from_bits(net.network().to_bits() | bits as u32 & net.hostmask().to_bits()))
            }
            IpNet::V6(_) => None,
        })
        .collect()
}

/// The same for IPv6.
pub(crate) fn destinations6(table: &[IpNet]) -> Vec<Ipv6Addr> {
    let mut random = Random(6);
    picks(table, &mut random)
        .filter_map(|(prefix, bits)| match prefix {
            IpNet::V6(net) => {
                Some(Ipv6Addr::from_bits(net.network().to_bits() | bits & net.hostmask().to_bits()))
            }
            IpNet::V4(_) => None,
        })
        .collect()
}

fn picks<'a>(table: &'a [IpNet], random: &'a mut Random) -> impl Iterator<Item = (IpNet, u128)> + 'a {
    let count = if table.len() == 1 { 1 } else { DESTINATIONS };
    (0..count).map(move |_| {
        let bits = u128::from(random.next()) << 64 | u128::from(random.next());
        (table[random.below(table.len())], bits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_destination_has_a_route() {
        let (table4, table6) = (ipv4(1000), ipv6(1000));
        assert!(
            destinations4(&table4)
                .iter()
                .take(500)
                .all(|to| table4.iter().any(|net| net.contains(&IpNet::from(std::net::IpAddr::V4(*to)))))
        );
        assert!(
            destinations6(&table6)
                .iter()
                .take(500)
                .all(|to| table6.iter().any(|net| net.contains(&IpNet::from(std::net::IpAddr::V6(*to)))))
        );
    }
}
