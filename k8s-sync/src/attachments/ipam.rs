//! Addresses of a block: pure.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

/// The gateway of a node's block: its first host address. The pods of the VRF on the node share it.
///
/// The subnet's own address is none: of IPv4 it is the old broadcast address, of IPv6 every router's (RFC 4291 section 2.6.1).
/// `None` where the block has no second address.
pub fn gateway(block: &IpNet) -> Option<IpAddr> {
    Span::of(block).at(1)
}

/// The next free address behind `last`, from the block's start again where its end is reached: what was freed just now is given
/// out as late as can be, for packets of its old life are still on their way. `None`: all are taken.
pub(super) fn next(block: &IpNet, last: Option<IpAddr>, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let span = Span::of(block);
    let (first, end) = (2, span.end());
    let behind =
        last.and_then(|last| span.offset(last)).map_or(first, |last| last.saturating_add(1).max(first));
    let free = |offset: u128| span.at(offset).filter(|address| !taken.contains(address));
    // As many steps as addresses are taken, however large the block.
    (behind..end).find_map(free).or_else(|| (first..behind.min(end)).find_map(free))
}

/// A block as numbers.
struct Span {
    network: IpAddr,
    start: u128,
    /// Addresses in it, less one: that of `::/0` is a number still.
    last: u128,
}

impl Span {
    fn of(block: &IpNet) -> Self {
        let host_bits = u32::from(block.max_prefix_len() - block.prefix_len());
        let last = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        Self { network: block.network(), start: number(block.network()), last }
    }

    /// Behind the last address that a host may have: IPv4's last one is the broadcast address.
    const fn end(&self) -> u128 {
        match self.network {
            IpAddr::V4(_) => self.last,
            IpAddr::V6(_) => self.last.saturating_add(1),
        }
    }

    fn at(&self, offset: u128) -> Option<IpAddr> {
        let number = self.start.checked_add(offset).filter(|_| offset <= self.last)?;
        match self.network {
            IpAddr::V4(_) => u32::try_from(number).ok().map(|bits| IpAddr::V4(bits.into())),
            IpAddr::V6(_) => Some(IpAddr::V6(number.into())),
        }
    }

    fn offset(&self, address: IpAddr) -> Option<u128> {
        let same_family = address.is_ipv4() == self.network.is_ipv4();
        number(address).checked_sub(self.start).filter(|offset| same_family && *offset <= self.last)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn all(block: &str) -> Vec<String> {
        let mut taken = BTreeSet::new();
        while let Some(address) = next(&net(block), None, &taken) {
            taken.insert(address);
        }
        taken.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pods_get_neither_the_gateway_nor_the_subnets_own_addresses() {
        assert_eq!(
            all("10.0.0.248/29"),
            ["10.0.0.250", "10.0.0.251", "10.0.0.252", "10.0.0.253", "10.0.0.254"]
        );
        assert_eq!(all("2001:db8::/126"), ["2001:db8::2", "2001:db8::3"]);
        assert_eq!(gateway(&net("10.0.0.248/29")).unwrap().to_string(), "10.0.0.249");
        assert_eq!(gateway(&net("2001:db8::/64")).unwrap().to_string(), "2001:db8::1");
    }

    #[test]
    fn blocks_that_are_too_small_have_no_addresses_and_the_largest_have_an_end() {
        for block in ["10.0.0.0/31", "10.0.0.0/32", "2001:db8::/127", "2001:db8::/128"] {
            assert!(all(block).is_empty(), "{block}");
        }
        assert_eq!(all("10.0.0.0/30"), ["10.0.0.2"]);
        let last: IpAddr = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap();
        assert_eq!(next(&net("::/0"), Some(last), &BTreeSet::new()), Some("::2".parse().unwrap()));
        assert_eq!(
            next(&net("255.255.255.252/30"), None, &BTreeSet::new()).unwrap().to_string(),
            "255.255.255.254"
        );
    }

    #[test]
    fn an_address_that_was_freed_is_given_again_when_all_others_were() {
        let (block, mut last) = (net("10.0.0.0/29"), None);
        let given: Vec<_> = (0..6)
            .map(|_| {
                last = next(&block, last, &BTreeSet::new());
                last.unwrap().to_string()
            })
            .collect();
        assert_eq!(given, ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"]);
    }

    #[test]
    fn a_last_address_of_another_block_counts_for_nothing() {
        let other = Some("192.0.2.9".parse().unwrap());
        assert_eq!(next(&net("10.0.0.0/24"), other, &BTreeSet::new()).unwrap().to_string(), "10.0.0.2");
    }
}
