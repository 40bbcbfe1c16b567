//! Prefix-SID, RFC 8669, with the SRv6 service TLVs of RFC 9252.
//!
//! ```text
//! attribute 40 { TLV { type 1, length 2, value }... }
//!   TLV 5 (L3), 6 (L2) { reserved 1, sub-TLV { type 1, length 2, value }... }
//!     sub-TLV 1 { reserved 1, SID 16, flags 1, behaviour 2, reserved 1, sub-sub-TLV { type 1, length 2, value }... }
//!       sub-sub-TLV 1 { block 1, node 1, function 1, argument 1, transposition length 1, offset 1 }
//! ```

mod decode;
mod encode;

use bytes::Bytes;
pub(crate) use decode::PrefixSidError;
use srv6_types::{Behavior, Label, Sid, SidStructure};

/// The Prefix-SID attribute. TLVs keep their order and unknown ones their octets at each level, so that what is
/// passed on is what was received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrefixSid {
    /// TLVs in the order of the attribute.
    pub tlvs: Vec<PrefixSidTlv>,
}

/// One TLV of the Prefix-SID attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PrefixSidTlv {
    /// Types 5 and 6, RFC 9252 section 2.
    Service(Srv6Service),
    /// Any other type (1 label index, 3 originator SRGB, ...), untouched.
    Other {
        /// TLV type.
        kind: u8,
        /// TLV value.
        value: Bytes,
    },
}

/// Which service TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceKind {
    /// Type 5.
    L3,
    /// Type 6.
    L2,
}

/// SRv6 L3 or L2 Service TLV, RFC 9252 section 2: one reserved octet, then sub-TLVs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Srv6Service {
    /// L3 or L2.
    pub kind: ServiceKind,
    /// The reserved octet as received.
    pub reserved: u8,
    /// Sub-TLVs in order.
    pub sub_tlvs: Vec<ServiceSubTlv>,
}

/// One sub-TLV of a service TLV.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServiceSubTlv {
    /// Type 1.
    SidInformation(SidInformation),
    /// Any other type, untouched.
    Other {
        /// Sub-TLV type.
        kind: u8,
        /// Sub-TLV value.
        value: Bytes,
    },
}

/// SRv6 SID Information sub-TLV, RFC 9252 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SidInformation {
    /// First reserved octet as received.
    pub reserved1: u8,
    /// The SID as it stood: with transposed bits zeroed.
    pub sid: Sid,
    /// Service SID flags.
    pub flags: u8,
    /// Endpoint behaviour.
    pub behavior: Behavior,
    /// Second reserved octet as received.
    pub reserved2: u8,
    /// Sub-sub-TLVs in order.
    pub sub_sub_tlvs: Vec<SidSubSubTlv>,
}

/// One sub-sub-TLV of the SID Information.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SidSubSubTlv {
    /// Type 1, SID Structure, RFC 9252 section 3.2.1.
    Structure(SidStructure),
    /// Any other type, untouched.
    Other {
        /// Sub-sub-TLV type.
        kind: u8,
        /// Sub-sub-TLV value.
        value: Bytes,
    },
}

impl SidInformation {
    /// The structure; of several the first counts (RFC 9252 section 3.2).
    pub fn structure(&self) -> Option<&SidStructure> {
        self.sub_sub_tlvs.iter().find_map(|tlv| match tlv {
            SidSubSubTlv::Structure(structure) => Some(structure),
            SidSubSubTlv::Other { .. } => None,
        })
    }
}

/// The SID of an L3 service, taken out of its TLVs: what a table keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceSid {
    /// As it stood: with transposed bits zeroed.
    pub sid: Sid,
    /// Its structure; without one nothing is transposed.
    pub structure: Option<SidStructure>,
    /// Endpoint behaviour.
    pub behavior: Behavior,
}

impl ServiceSid {
    /// The SID with the bits that travelled in `label` put back (RFC 9252 section 4). `None` when bits were
    /// transposed and there is no label to take them from.
    pub fn folded(&self, label: Option<Label>) -> Option<Sid> {
        match (&self.structure, label) {
            (None, _) => Some(self.sid),
            (Some(structure), _) if structure.transposition().is_empty() => Some(self.sid),
            (Some(structure), Some(label)) => Some(self.sid.fold(structure, label)),
            (Some(_), None) => None,
        }
    }
}

impl PrefixSid {
    /// An L3 service of one SID, and the label that goes into the NLRI: the bits that `structure` transposes are
    /// zeroed in the attribute and stand in the label (RFC 9252 section 4).
    pub fn l3(sid: Sid, structure: SidStructure, behavior: Behavior) -> (Self, Label) {
        let (sid, label) = sid.transpose(&structure);
        let information = SidInformation {
            reserved1: 0,
            sid,
            flags: 0,
            behavior,
            reserved2: 0,
            sub_sub_tlvs: vec![SidSubSubTlv::Structure(structure)],
        };
        let sub_tlvs = vec![ServiceSubTlv::SidInformation(information)];
        let service = Srv6Service { kind: ServiceKind::L3, reserved: 0, sub_tlvs };
        (Self { tlvs: vec![PrefixSidTlv::Service(service)] }, label)
    }

    /// The SID of the L3 service; of several TLVs and sub-TLVs the first counts (RFC 9252 sections 2 and 3.1).
    pub fn l3_service(&self) -> Option<&SidInformation> {
        let service = self.tlvs.iter().find_map(|tlv| match tlv {
            PrefixSidTlv::Service(service) if service.kind == ServiceKind::L3 => Some(service),
            _ => None,
        })?;
        service.sub_tlvs.iter().find_map(|tlv| match tlv {
            ServiceSubTlv::SidInformation(information) => Some(information),
            ServiceSubTlv::Other { .. } => None,
        })
    }

    /// The same, taken out of its TLVs.
    pub fn service(&self) -> Option<ServiceSid> {
        let information = self.l3_service()?;
        let structure = information.structure().copied();
        Some(ServiceSid { sid: information.sid, structure, behavior: information.behavior })
    }

    /// Where a route with this attribute and `label` is to be sent: the whole SID, and its behaviour.
    pub fn service_sid(&self, label: Option<Label>) -> Option<(Sid, Behavior)> {
        let service = self.service()?;
        Some((service.folded(label)?, service.behavior))
    }
}
