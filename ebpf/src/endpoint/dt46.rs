use super::{dt4, dt6};
use crate::packet::Family;

/// End.DT46, RFC 8986 section 4.8: takes either family.
#[inline(always)]
pub(super) fn upper_layer(upper: u8) -> Option<Family> {
    match dt4::upper_layer(upper) {
        None => dt6::upper_layer(upper),
        family => family,
    }
}
