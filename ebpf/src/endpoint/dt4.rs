use crate::packet::{Family, headers::protocol};

/// End.DT4, RFC 8986 section 4.7: takes IPv4 only.
#[inline(always)]
pub(super) fn upper_layer(upper: u8) -> Option<Family> {
    if upper == protocol::IPV4 { Some(Family::V4) } else { None }
}
