use super::{Announced, NextHop, Update, Withdrawn};
use crate::{
    Family,
    attribute::{Walk, code, put_attribute, put_long_attribute},
    nlri::NlriList,
};

impl Update {
    /// The body of one message: multiprotocol attributes first, as RFC 7606 section 5.1 asks.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (classic, withdrawn): (Vec<_>, Vec<_>) =
            self.withdrawn.iter().partition(|routes| routes.is_classic());
        put_block(out, |out| classic.iter().for_each(|routes| out.extend_from_slice(routes.nlri.octets())));
        let (classic, announced): (Vec<_>, Vec<_>) =
            self.announced.iter().partition(|routes| routes.is_classic());
        put_block(out, |out| {
            announced.iter().for_each(|routes| routes.put_reach(out));
            withdrawn.iter().for_each(|routes| routes.put_unreach(out));
            self.foreign.iter().for_each(|foreign| out.extend_from_slice(&foreign.attribute));
            let next_hop = classic.first().map(|routes| routes.next_hop);
            put_with_next_hop(&self.attributes.0, next_hop, out);
        });
        classic.iter().for_each(|routes| out.extend_from_slice(routes.nlri.octets()));
    }
}

impl Announced {
    fn is_classic(&self) -> bool {
        self.nlri.family() == Family::Ipv4Unicast && matches!(self.next_hop, NextHop::V4(_))
    }

    fn put_reach(&self, out: &mut Vec<u8>) {
        put_long_attribute(code::OPTIONAL, code::MP_REACH_NLRI, out, |out| {
            put_family(self.nlri.family(), out);
            self.next_hop.encode(self.nlri.family(), out);
            out.push(0);
            out.extend_from_slice(self.nlri.octets());
        });
    }
}

impl Withdrawn {
    fn is_classic(&self) -> bool {
        self.nlri.family() == Family::Ipv4Unicast && !self.nlri.is_empty()
    }

    fn put_unreach(&self, out: &mut Vec<u8>) {
        let nlri: &NlriList = &self.nlri;
        let value = |out: &mut Vec<u8>| {
            put_family(nlri.family(), out);
            out.extend_from_slice(nlri.octets());
        };
        match nlri.is_empty() {
            true => put_attribute(code::OPTIONAL, code::MP_UNREACH_NLRI, out, value),
            false => put_long_attribute(code::OPTIONAL, code::MP_UNREACH_NLRI, out, value),
        }
    }
}

/// AFI and SAFI.
pub(crate) fn put_family(family: Family, out: &mut Vec<u8>) {
    let (afi, safi) = family.code();
    out.extend_from_slice(&afi.to_be_bytes());
    out.push(safi);
}

/// Two octets of length, filled in behind what they count.
fn put_block(out: &mut Vec<u8>, block: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[0, 0]);
    let start = out.len();
    block(out);
    let len = (out.len() - start) as u16;
    out[start - 2..start].copy_from_slice(&len.to_be_bytes());
}

/// The attributes with NEXT_HOP in its place in the ascending order.
pub(crate) fn put_with_next_hop(attributes: &[u8], next_hop: Option<NextHop>, out: &mut Vec<u8>) {
    let Some(NextHop::V4(address)) = next_hop else { return out.extend_from_slice(attributes) };
    let before = Walk::new(attributes)
        .map_while(Result::ok)
        .take_while(|attribute| attribute.code < code::NEXT_HOP)
        .map(|attribute| attribute.octets.len())
        .sum();
    let (front, back) = attributes.split_at(before);
    out.extend_from_slice(front);
    put_attribute(code::TRANSITIVE, code::NEXT_HOP, out, |out| out.extend_from_slice(&address.octets()));
    out.extend_from_slice(back);
}
