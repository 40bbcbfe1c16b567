use bytes::Bytes;
use srv6_types::{Behavior, Sid, SidStructure, StructureError, Transposition};

use super::{PrefixSid, PrefixSidTlv, ServiceKind, ServiceSubTlv, SidInformation, SidSubSubTlv, Srv6Service};
use crate::reader::Reader;

/// What is wrong with a Prefix-SID attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrefixSidError {
    #[error("a TLV runs over the end of the attribute (RFC 8669 section 6)")]
    Tlv,
    #[error("an SRv6 service TLV runs over the end of the attribute (RFC 9252 section 7)")]
    ServiceTlv,
    #[error("an SRv6 service TLV without its reserved octet (RFC 9252 section 7)")]
    Service,
    #[error("a sub-TLV runs over the end of its service TLV (RFC 9252 section 7)")]
    SubTlv,
    #[error("an SRv6 SID Information of {0} octets, fewer than 21 (RFC 9252 section 7)")]
    SidInformation(usize),
    #[error("a sub-sub-TLV runs over the end of its sub-TLV (RFC 9252 section 7)")]
    SubSubTlv,
    #[error("a SID Structure of {0} octets, not 6 (RFC 9252 section 7)")]
    StructureLength(usize),
    #[error("a SID Structure that cannot be: {0} (RFC 9252 section 7)")]
    Structure(StructureError),
}

/// Reserved 1, SID 16, flags 1, behaviour 2, reserved 1.
const SID_INFORMATION_MIN: usize = 21;

impl PrefixSid {
    pub(crate) fn decode(octets: &[u8]) -> Result<Self, PrefixSidError> {
        let overrun = |kind| match kind {
            5 | 6 => PrefixSidError::ServiceTlv,
            _ => PrefixSidError::Tlv,
        };
        let tlvs = tlvs(Reader(octets), overrun, |kind, value| {
            Ok(match kind {
                5 => PrefixSidTlv::Service(service(ServiceKind::L3, value)?),
                6 => PrefixSidTlv::Service(service(ServiceKind::L2, value)?),
                _ => PrefixSidTlv::Other { kind, value: Bytes::copy_from_slice(value) },
            })
        })?;
        Ok(Self { tlvs })
    }
}

/// A run of TLVs of one octet of type and two of length.
fn tlvs<T>(
    mut reader: Reader<'_>,
    overrun: impl Fn(u8) -> PrefixSidError,
    decode: impl Fn(u8, &[u8]) -> Result<T, PrefixSidError>,
) -> Result<Vec<T>, PrefixSidError> {
    let mut decoded = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8().unwrap_or_default();
        let value = reader.block().ok_or_else(|| overrun(kind))?;
        decoded.push(decode(kind, value)?);
    }
    Ok(decoded)
}

fn service(kind: ServiceKind, octets: &[u8]) -> Result<Srv6Service, PrefixSidError> {
    let mut reader = Reader(octets);
    let reserved = reader.u8().ok_or(PrefixSidError::Service)?;
    let sub_tlvs = tlvs(
        reader,
        |_| PrefixSidError::SubTlv,
        |kind, value| {
            Ok(match kind {
                1 => ServiceSubTlv::SidInformation(sid_information(value)?),
                _ => ServiceSubTlv::Other { kind, value: Bytes::copy_from_slice(value) },
            })
        },
    )?;
    Ok(Srv6Service { kind, reserved, sub_tlvs })
}

fn sid_information(octets: &[u8]) -> Result<SidInformation, PrefixSidError> {
    let Some((fixed, rest)) = octets.split_first_chunk::<SID_INFORMATION_MIN>() else {
        return Err(PrefixSidError::SidInformation(octets.len()));
    };
    let [reserved1, sid @ .., flags, behavior_high, behavior_low, reserved2] = *fixed;
    let sub_sub_tlvs = tlvs(
        Reader(rest),
        |_| PrefixSidError::SubSubTlv,
        |kind, value| {
            Ok(match kind {
                1 => SidSubSubTlv::Structure(structure(value)?),
                _ => SidSubSubTlv::Other { kind, value: Bytes::copy_from_slice(value) },
            })
        },
    )?;
    let behavior = Behavior(u16::from_be_bytes([behavior_high, behavior_low]));
    Ok(SidInformation { reserved1, sid: Sid(sid), flags, behavior, reserved2, sub_sub_tlvs })
}

fn structure(octets: &[u8]) -> Result<SidStructure, PrefixSidError> {
    let Ok([block, node, function, argument, len, offset]) = <[u8; 6]>::try_from(octets) else {
        return Err(PrefixSidError::StructureLength(octets.len()));
    };
    Transposition::new(len, offset)
        .and_then(|transposition| SidStructure::new(block, node, function, argument, transposition))
        .map_err(PrefixSidError::Structure)
}
