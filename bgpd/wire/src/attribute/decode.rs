//! Octets to [`Attributes`], with the verdicts of RFC 7606 section 7.

use std::net::Ipv4Addr;

use bytes::Bytes;

use super::{
    Aggregator, AsPath, Attributes, Community, ExtendedCommunity, Fault, LargeCommunity, Origin, PrefixSid,
    RawAttributes, UnknownAttribute,
    as_path::AS_TRANS,
    code,
    prefix_sid::PrefixSidError,
    walk::{RawAttribute, Seen, Walk},
};
use crate::{Context, reader::Reader};

const NOBODY: &str = "names AS 0, which is nobody (RFC 7607 section 2)";

/// AS4_PATH and AS4_AGGREGATOR, until both they and what they amend are known.
#[derive(Default)]
struct FourOctet {
    path: Option<AsPath>,
    aggregator: Option<Aggregator>,
}

impl Attributes {
    /// Decodes what it can and says what was wrong with the rest. Never fails: a faulty attribute is left at
    /// its default, and the walk goes on.
    pub fn decode(raw: &RawAttributes, context: &Context) -> (Self, Vec<Fault>) {
        let (mut attributes, mut four, mut faults) = (Self::default(), FourOctet::default(), Vec::new());
        let mut seen = Seen::default();
        for attribute in Walk::new(&raw.0) {
            let decoded = attribute.and_then(|attribute| {
                if !seen.insert(attribute.code) {
                    return Err(duplicate(attribute.code));
                }
                attribute.check_flags()?;
                attributes.set(&attribute, context, &mut four)
            });
            faults.extend(decoded.err());
        }
        if !context.four_octet_as {
            attributes.merge(four);
        }
        attributes.unknown.sort_by_key(|attribute| attribute.code);
        (attributes, faults)
    }

    fn set(
        &mut self,
        attribute: &RawAttribute<'_>,
        context: &Context,
        four: &mut FourOctet,
    ) -> Result<(), Fault> {
        let (code, value) = (attribute.code, attribute.value);
        match code {
            code::ORIGIN => self.origin = origin(value)?,
            code::AS_PATH => self.as_path = as_path(value, context)?,
            code::MULTI_EXIT_DISC => self.med = Some(u32::from_be_bytes(fixed(code, value)?)),
            code::LOCAL_PREF => {
                internal_only(code, context)?;
                self.local_pref = Some(u32::from_be_bytes(fixed(code, value)?));
            }
            code::ATOMIC_AGGREGATE => {
                exact::<0>(value).ok_or_else(|| wrong_length(code, value))?;
                self.atomic_aggregate = true;
            }
            code::AGGREGATOR => self.aggregator = Some(aggregator(code, value, context.four_octet_as)?),
            code::COMMUNITIES => self.communities = list(code, value, community)?,
            code::ORIGINATOR_ID => {
                internal_only(code, context)?;
                self.originator_id = Some(Ipv4Addr::from_octets(fixed(code, value)?));
            }
            code::CLUSTER_LIST => {
                internal_only(code, context)?;
                self.cluster_list = list(code, value, Ipv4Addr::from_octets)?;
            }
            code::EXTENDED_COMMUNITIES => self.extended_communities = list(code, value, ExtendedCommunity)?,
            code::AS4_PATH => four.path = Some(as4_path(value)?),
            code::AS4_AGGREGATOR => four.aggregator = Some(aggregator(code, value, true)?),
            code::LARGE_COMMUNITY => self.large_communities = list(code, value, large_community)?,
            code::PREFIX_SID => self.prefix_sid = Some(prefix_sid(value)?),
            // They name routes and next hops, which are no part of a set.
            code::NEXT_HOP | code::MP_REACH_NLRI | code::MP_UNREACH_NLRI => (),
            _ => self.unknown.push(UnknownAttribute {
                flags: attribute.flags & !code::EXTENDED_LENGTH,
                code,
                value: Bytes::copy_from_slice(value),
            }),
        }
        Ok(())
    }

    /// RFC 6793 section 4.2.3: where AGGREGATOR has a real AS number, somebody without the extension has
    /// aggregated, and what stands in AS4_PATH and AS4_AGGREGATOR is void.
    fn merge(&mut self, four: FourOctet) {
        if let (Some(aggregator), Some(real)) = (&mut self.aggregator, four.aggregator) {
            if aggregator.asn != AS_TRANS.into() {
                return;
            }
            *aggregator = real;
        }
        if let Some(path) = four.path {
            self.as_path = std::mem::take(&mut self.as_path).merge(path);
        }
    }
}

pub(crate) fn duplicate(code: u8) -> Fault {
    Fault::discard(code, "stands there more than once; the first is kept (RFC 7606 section 3 g)")
}

fn origin(value: &[u8]) -> Result<Origin, Fault> {
    match fixed::<1>(code::ORIGIN, value)? {
        [0] => Ok(Origin::Igp),
        [1] => Ok(Origin::Egp),
        [2] => Ok(Origin::Incomplete),
        [other] => {
            Err(Fault::withdraw(code::ORIGIN, format!("undefined value {other} (RFC 7606 section 7.1)")))
        }
    }
}

fn as_path(value: &[u8], context: &Context) -> Result<AsPath, Fault> {
    let path = AsPath::decode(value, context.four_octet_as);
    let path = path.map_err(|reason| Fault::withdraw(code::AS_PATH, reason))?;
    if path.contains(0) {
        return Err(Fault::withdraw(code::AS_PATH, NOBODY));
    }
    if context.external && path.0.iter().any(|segment| segment.kind.is_confed()) {
        return Err(Fault::withdraw(
            code::AS_PATH,
            "confederation segment from outside (RFC 5065 section 5)",
        ));
    }
    Ok(path)
}

/// RFC 6793 section 6: what is malformed is discarded.
fn as4_path(value: &[u8]) -> Result<AsPath, Fault> {
    let path = AsPath::decode(value, true).map_err(|reason| Fault::discard(code::AS4_PATH, reason))?;
    if path.contains(0) { Err(Fault::discard(code::AS4_PATH, NOBODY)) } else { Ok(path) }
}

/// RFC 7606 section 7.7 and RFC 6793 section 6: discarded where its length is wrong.
fn aggregator(code: u8, value: &[u8], four_octet_as: bool) -> Result<Aggregator, Fault> {
    let mut reader = Reader(value);
    let asn = if four_octet_as { reader.u32() } else { reader.u16().map(u32::from) };
    match (asn, reader.array(), reader.is_empty()) {
        (Some(0), Some(_), true) => Err(Fault::discard(code, NOBODY)),
        (Some(asn), Some(router), true) => Ok(Aggregator { asn, router: Ipv4Addr::from_octets(router) }),
        _ => Err(wrong_length(code, value)),
    }
}

/// RFC 8669 section 6 discards the attribute; RFC 9252 section 7 wants treat-as-withdraw as soon as an SRv6
/// service is concerned.
fn prefix_sid(value: &[u8]) -> Result<PrefixSid, Fault> {
    PrefixSid::decode(value).map_err(|error| match error {
        PrefixSidError::Tlv => Fault::discard(code::PREFIX_SID, error.to_string()),
        _ => Fault::withdraw(code::PREFIX_SID, error.to_string()),
    })
}

fn community(octets: [u8; 4]) -> Community {
    Community(u32::from_be_bytes(octets))
}

fn large_community(octets: [u8; 12]) -> LargeCommunity {
    let mut reader = Reader(&octets);
    let mut part = || reader.u32().unwrap_or_default();
    LargeCommunity { global: part(), local1: part(), local2: part() }
}

/// RFC 7606 sections 7.5, 7.9 and 7.10.
fn internal_only(code: u8, context: &Context) -> Result<(), Fault> {
    match context.external {
        true => Err(Fault::discard(code, "came from an external peer (RFC 7606 section 7)")),
        false => Ok(()),
    }
}

fn exact<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

fn fixed<const N: usize>(code: u8, value: &[u8]) -> Result<[u8; N], Fault> {
    exact(value).ok_or_else(|| {
        Fault::withdraw(code, format!("{} octets long, not {N} (RFC 7606 section 7)", value.len()))
    })
}

fn wrong_length(code: u8, value: &[u8]) -> Fault {
    Fault::discard(code, format!("{} octets long (RFC 7606 section 7)", value.len()))
}

/// A list that is not empty and has no member cut short.
fn list<const N: usize, T>(code: u8, value: &[u8], member: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Fault> {
    match value.as_chunks::<N>() {
        (members @ [_, ..], []) => Ok(members.iter().map(|octets| member(*octets)).collect()),
        _ => Err(Fault::withdraw(
            code,
            format!("{} octets long, not a multiple of {N} above 0 (RFC 7606 section 7)", value.len()),
        )),
    }
}
