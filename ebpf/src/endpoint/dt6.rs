use crate::packet::{Family, headers::protocol};

/// End.DT6, RFC 8986 section 4.6: takes IPv6 only.
#[inline(always)]
pub(super) fn upper_layer(upper: u8) -> Option<Family> {
    if upper == protocol::IPV6 { Some(Family::V6) } else { None }
}
