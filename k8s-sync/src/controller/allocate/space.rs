use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::Fault;
use crate::{api::LocatorPoolSpec, render::Reason};

/// The locators of a pool: its prefix, and behind it the bits that number nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    prefix: Ipv6Net,
    /// Length of the block.
    block: u8,
    /// Length of locators: block and node.
    length: u8,
}

impl Space {
    pub(super) fn of(spec: &LocatorPoolSpec) -> Result<Self, Fault> {
        let fault = |problem: String, remedy: &str| Fault {
            reason: Reason::Invalid,
            message: format!("spec.prefix: {problem}; {remedy}"),
        };
        let Ok(prefix) = spec.prefix.parse::<Ipv6Net>() else {
            let problem = format!("{:?} is not an IPv6 prefix", spec.prefix);
            return Err(fault(problem, "write it as fc00::/32"));
        };
        let (block, node) = (spec.structure.block, spec.structure.node);
        let length = block.checked_add(node).filter(|length| *length <= 128);
        match length {
            Some(length) if (block..=length).contains(&prefix.prefix_len()) && prefix.trunc() == prefix => {
                Ok(Self { prefix, block, length })
            }
            Some(length) => {
                let problem = format!("{prefix} is not a prefix of {block} to {length} bits");
                Err(fault(problem, "leave the block fixed, and bits of the node's number open"))
            }
            None => Err(Fault {
                reason: Reason::Invalid,
                message: format!(
                    "spec.structure: block {block} and node {node} are more than 128 bits; shorten one"
                ),
            }),
        }
    }

    /// How many numbers there are; those beyond 32 bits are not used.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let bits = self.node_bits();
        0..=u32::MAX.checked_shr(32 - bits).unwrap_or(0)
    }

    fn node_bits(&self) -> u32 {
        u32::from(self.length - self.prefix.prefix_len()).min(32)
    }

    /// The locator of a number.
    pub(super) fn locator(&self, index: u32) -> Ipv6Net {
        let shifted = u128::from(index).checked_shl(u32::from(128 - self.length)).unwrap_or(0);
        let address = Ipv6Addr::from_bits(self.prefix.network().to_bits() | shifted);
        // `length` was checked when the space was made.
        Ipv6Net::new_assert(address, self.length)
    }

    /// The number of a locator; `None` outside of the prefix.
    pub(super) fn index(&self, locator: Ipv6Net) -> Option<u32> {
        let behind = locator.network().to_bits() & !self.prefix.netmask().to_bits();
        let index = behind.checked_shr(u32::from(128 - self.length)).unwrap_or(0);
        u32::try_from(index).ok().filter(|_| self.prefix.contains(&locator))
    }

    /// A locator as somebody wrote it.
    pub(super) fn parse(&self, text: &str) -> Result<Ipv6Net, String> {
        let Ok(locator) = text.parse::<Ipv6Net>() else {
            return Err(format!("{text:?} is not an IPv6 prefix; write it as {}", self.locator(1)));
        };
        if locator.prefix_len() != self.length || locator.trunc() != locator {
            let node = self.length - self.block;
            return Err(format!(
                "{locator} is not a locator of this pool; write {} bits (block {}, node {node}), and no bit beyond",
                self.length, self.block
            ));
        }
        Ok(locator)
    }

    /// RFC 9800 section 4: a node's number of 0 would read as the end of a container of compressed SIDs.
    pub(super) fn has_node_zero(&self, locator: Ipv6Net) -> bool {
        let node = u32::from(self.length - self.block);
        let behind = locator.network().to_bits().checked_shr(u32::from(128 - self.length)).unwrap_or(0);
        behind & 1u128.checked_shl(node).map_or(u128::MAX, |bit| bit - 1) == 0
    }

    /// Whether a node can be given any locator of `other`'s prefix.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        overlap(self.prefix, other.prefix)
    }

    pub(super) fn covers(&self, locator: Ipv6Net) -> bool {
        overlap(self.prefix, locator)
    }
}

pub(super) fn overlap(one: Ipv6Net, other: Ipv6Net) -> bool {
    one.contains(&other) || other.contains(&one)
}
