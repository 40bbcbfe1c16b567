//! [`Attributes`] to octets, in ascending order of the type code (RFC 4271 section 5).

use std::net::Ipv4Addr;

use super::{Aggregator, AsPath, Attributes, UnknownAttribute, as_path::encode_as, code};
use crate::Context;

impl Attributes {
    /// Appends the attributes; `next_hop` is that of a classic IPv4 route (NEXT_HOP), `None` where MP_REACH_NLRI
    /// has it. To a peer without 4-octet AS numbers AS4_PATH and AS4_AGGREGATOR come along where needed.
    pub fn encode(&self, next_hop: Option<Ipv4Addr>, context: &Context, out: &mut Vec<u8>) {
        let mut list = List { out, unknown: &self.unknown };
        let four = context.four_octet_as;
        list.put(code::ORIGIN, |out| out.push(self.origin as u8));
        list.put(code::AS_PATH, |out| self.as_path.encode(four, out));
        list.put_some(code::NEXT_HOP, next_hop, |out, address| out.extend_from_slice(&address.octets()));
        list.put_some(code::MULTI_EXIT_DISC, self.med, |out, med| out.extend_from_slice(&med.to_be_bytes()));
        list.put_some(code::LOCAL_PREF, self.local_pref, |out, preference| {
            out.extend_from_slice(&preference.to_be_bytes());
        });
        list.put_some(code::ATOMIC_AGGREGATE, self.atomic_aggregate.then_some(()), |_, ()| ());
        list.put_some(code::AGGREGATOR, self.aggregator, |out, aggregator| aggregator.encode(four, out));
        list.put_all(code::COMMUNITIES, &self.communities, |community| community.0.to_be_bytes());
        list.put_some(code::ORIGINATOR_ID, self.originator_id, |out, id| out.extend_from_slice(&id.octets()));
        list.put_all(code::CLUSTER_LIST, &self.cluster_list, Ipv4Addr::octets);
        list.put_all(code::EXTENDED_COMMUNITIES, &self.extended_communities, |community| community.0);
        if !four {
            self.encode_four_octet(&mut list);
        }
        list.put_all(code::LARGE_COMMUNITY, &self.large_communities, |community| {
            let parts = [community.global, community.local1, community.local2].map(u32::to_be_bytes);
            let mut octets = [0; 12];
            octets.copy_from_slice(parts.as_flattened());
            octets
        });
        list.put_some(code::PREFIX_SID, self.prefix_sid.as_ref(), |out, sid| sid.encode(out));
        list.put_unknown_below(None);
    }

    /// RFC 6793 section 4.2.2: only where AS_TRANS had to stand for a number, confederation segments left out.
    fn encode_four_octet(&self, list: &mut List<'_, '_>) {
        if self.as_path.needs_four_octets() {
            let mut path: AsPath = self.as_path.clone();
            path.strip_confederation();
            list.put(code::AS4_PATH, |out| path.encode(true, out));
        }
        let wide = self.aggregator.filter(|aggregator| aggregator.asn > u16::MAX.into());
        list.put_some(code::AS4_AGGREGATOR, wide, |out, aggregator| aggregator.encode(true, out));
    }

    /// Readies the unknown attributes for another speaker, RFC 4271 section 5: non-transitive ones stay behind,
    /// the others are marked partial.
    pub fn pass_on_unknown(&mut self) {
        self.unknown.retain(|attribute| attribute.flags & code::TRANSITIVE != 0);
        self.unknown.iter_mut().for_each(|attribute| attribute.flags |= code::PARTIAL);
    }
}

impl Aggregator {
    fn encode(&self, four_octet_as: bool, out: &mut Vec<u8>) {
        encode_as(self.asn, four_octet_as, out);
        out.extend_from_slice(&self.router.octets());
    }
}

/// The list as it grows, and the unknown attributes that still await their place in it.
struct List<'out, 'a> {
    out: &'out mut Vec<u8>,
    unknown: &'a [UnknownAttribute],
}

impl List<'_, '_> {
    fn put(&mut self, code: u8, value: impl FnOnce(&mut Vec<u8>)) {
        self.put_unknown_below(Some(code));
        put_attribute(code::flags(code).unwrap_or(code::OPTIONAL), code, self.out, value);
    }

    fn put_some<T>(&mut self, code: u8, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
        if let Some(value) = value {
            self.put(code, |out| put(out, value));
        }
    }

    fn put_all<T, const N: usize>(&mut self, code: u8, members: &[T], octets: impl Fn(&T) -> [u8; N]) {
        let members = (!members.is_empty()).then_some(members);
        self.put_some(code, members, |out, members| {
            members.iter().for_each(|member| out.extend_from_slice(&octets(member)));
        });
    }

    /// `None`: all that are left.
    fn put_unknown_below(&mut self, code: Option<u8>) {
        while let [first, rest @ ..] = self.unknown
            && code.is_none_or(|code| first.code < code)
        {
            put_attribute(first.flags, first.code, self.out, |out| out.extend_from_slice(&first.value));
            self.unknown = rest;
        }
    }
}

/// Appends one attribute; the length takes two octets only where it must.
pub(crate) fn put_attribute(flags: u8, code: u8, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    let flags = flags & !code::EXTENDED_LENGTH;
    out.extend_from_slice(&[flags, code, 0]);
    let start = out.len();
    value(out);
    let len = out.len() - start;
    match u8::try_from(len) {
        Ok(len) => out[start - 1] = len,
        Err(_) => {
            out[start - 3] = flags | code::EXTENDED_LENGTH;
            out.splice(start - 1..start, (len as u16).to_be_bytes());
        }
    }
}

/// The same with two octets of length always, as speakers write attributes that hold routes.
pub(crate) fn put_long_attribute(flags: u8, code: u8, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[flags | code::EXTENDED_LENGTH, code, 0, 0]);
    let start = out.len();
    value(out);
    let len = (out.len() - start) as u16;
    out[start - 2..start].copy_from_slice(&len.to_be_bytes());
}
