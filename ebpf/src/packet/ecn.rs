//! Explicit congestion notification across a tunnel, RFC 6040.

use srv6_types::DropReason;

const MASK: u8 = 0b11;
const NOT_ECT: u8 = 0b00;
const ECT_1: u8 = 0b01;
const CE: u8 = 0b11;

/// RFC 6040 section 4.2, figure 4: the traffic class that the inner packet goes on with. (Encapsulation needs no
/// function: in normal mode, section 4.1, the whole octet is copied.)
#[inline(always)]
pub(crate) fn decapsulated(inner: u8, outer: u8) -> Result<u8, DropReason> {
    match (inner & MASK, outer & MASK) {
        (NOT_ECT, CE) => Err(DropReason::CongestionNotEct),
        (NOT_ECT, _) => Ok(inner),
        (_, CE) => Ok(inner | CE),
        (0b10, ECT_1) => Ok(inner & !MASK | ECT_1),
        _ => Ok(inner),
    }
}
