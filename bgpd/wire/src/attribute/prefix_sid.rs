use bytes::Bytes;
use srv6_types::{Behavior, Sid, SidStructure};

/// Prefix-SID, RFC 8669, with the SRv6 service TLVs of RFC 9252. TLVs keep their order and unknown ones their
/// octets, so that what is passed on is what was received.
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
    /// SID Structure sub-sub-TLV, RFC 9252 section 3.2.1, when there was one.
    pub structure: Option<SidStructure>,
    /// Unknown sub-sub-TLVs (type, value) behind the structure, in order.
    pub other: Vec<(u8, Bytes)>,
}
