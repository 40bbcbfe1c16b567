//! Which routes are loaded: route number <-> NLRI is a bijection, so a receiver keeps one bit per route.

use std::{net::Ipv6Addr, str::FromStr};

use bgp_wire::{
    Family,
    attribute::{AsPath, Attributes, ExtendedCommunity, Origin, PrefixSid},
    message::{Context, NextHop, UpdateWriter},
    nlri::{Nlri, Prefix, Prefix4, Prefix6, RouteDistinguisher},
};
use srv6_types::{Behavior, Label, Sid, SidStructure, Transposition};

/// VRFs that the VPN routes are spread over; each has the same prefixes.
const VRFS: usize = 100;

/// A table to load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) family: Family,
    pub(crate) count: usize,
}

impl FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not FAMILY=COUNT, such as ipv4-unicast=500000 or vpnv4=200000");
        let (word, count) = text.split_once('=').ok_or_else(wrong)?;
        let family = Family::ALL.into_iter().find(|family| family.word() == word).ok_or_else(wrong)?;
        Ok(Self { family, count: count.parse().map_err(|_| wrong())? })
    }
}

impl Load {
    fn nlri(&self, number: usize) -> Nlri {
        let (vrf, place) = if self.family.is_vpn() { (number % VRFS, number / VRFS) } else { (0, number) };
        let prefix = if self.family.is_ipv4() {
            Prefix::V4(Prefix4 { addr: (0x0100_0000 + ((place as u32) << 8)).to_be_bytes(), len: 24 })
        } else {
            Prefix::V6(Prefix6 {
                addr: (0x2001_0db8_u128 << 96 | (place as u128) << 64).to_be_bytes(),
                len: 64,
            })
        };
        let vpn = self.family.is_vpn();
        Nlri {
            path_id: 0,
            rd: vpn.then(|| distinguisher(vrf)),
            label: vpn.then_some(function_label()),
            prefix,
        }
    }

    /// The number of a route, when it is one of this table.
    pub(crate) fn number(&self, nlri: &Nlri) -> Option<usize> {
        let place = match nlri.prefix {
            Prefix::V4(p) if p.len == 24 => {
                (u32::from_be_bytes(p.addr).checked_sub(0x0100_0000)? >> 8) as usize
            }
            Prefix::V6(p) if p.len == 64 => {
                usize::try_from((u128::from_be_bytes(p.addr) ^ 0x2001_0db8_u128 << 96) >> 64).ok()?
            }
            _ => return None,
        };
        let number = match nlri.rd {
            Some(RouteDistinguisher(rd)) => place * VRFS + usize::from(rd[7]).checked_sub(1)?,
            None => place,
        };
        (number < self.count && self.nlri(number).rd == nlri.rd).then_some(number)
    }

    /// Every UPDATE that announces the table, `per_set` routes to an attribute set.
    pub(crate) fn announcements(&self, per_set: usize, next_hop: NextHop) -> Vec<u8> {
        let context = context();
        let writer = UpdateWriter::new(self.family, &context);
        let mut out = Vec::new();
        let next_hop = if self.family.is_vpn() || !self.family.is_ipv4() { v6(next_hop) } else { next_hop };
        for first in (0..self.count).step_by(per_set) {
            let mut octets = Vec::new();
            self.attributes(first / per_set).encode(None, &context, &mut octets);
            let routes = (first..self.count.min(first + per_set)).map(|number| self.nlri(number));
            // The attributes are a few dozen octets: they fit.
            let _fits = writer.announce(next_hop, &octets, routes, &mut out);
        }
        out
    }

    /// Every UPDATE that withdraws the table.
    pub(crate) fn withdrawals(&self) -> Vec<u8> {
        let mut out = Vec::new();
        UpdateWriter::new(self.family, &context())
            .withdraw((0..self.count).map(|number| self.nlri(number)), &mut out);
        out
    }

    fn attributes(&self, set: usize) -> Attributes {
        let mut attributes = Attributes {
            origin: Origin::Igp,
            as_path: AsPath::sequence([65_100, 70_000 + (set % 1_000) as u32, 80_000 + (set / 1_000) as u32]),
            med: Some(10),
            local_pref: Some(100),
            ..Attributes::default()
        };
        if self.family.is_vpn() {
            attributes.extended_communities.push(ExtendedCommunity([0, 2, 0xfd, 0xe8, 0, 0, 0, 1]));
            attributes.prefix_sid = prefix_sid();
        }
        attributes
    }
}

/// What all sessions of the benchmark negotiate.
pub(crate) fn context() -> Context {
    Context { four_octet_as: true, ..Context::default() }
}

fn v6(next_hop: NextHop) -> NextHop {
    match next_hop {
        NextHop::V4(address) => NextHop::V6 { global: address.to_ipv6_mapped(), link_local: None },
        v6 => v6,
    }
}

fn distinguisher(vrf: usize) -> RouteDistinguisher {
    RouteDistinguisher([0, 0, 0xfd, 0xe8, 0, 0, 0, vrf as u8 + 1])
}

/// Function 1 of an F3216 SID, transposed.
fn function_label() -> Label {
    Label::truncated(16)
}

fn prefix_sid() -> Option<PrefixSid> {
    let structure = SidStructure::new(32, 16, 16, 0, Transposition::new(16, 48).ok()?).ok()?;
    let sid = Sid::from(Ipv6Addr::new(0xfc00, 0, 1, 1, 0, 0, 0, 0));
    Some(PrefixSid::l3(sid, structure, Behavior::END_DT46).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_routes_are_a_bijection() {
        for family in Family::ALL {
            let load = Load { family, count: 5_000 };
            for number in 0..load.count {
                assert_eq!(load.number(&load.nlri(number)), Some(number), "{family}");
            }
            assert_eq!(Load { family, count: 10 }.number(&load.nlri(4_999)), None);
        }
    }
}
