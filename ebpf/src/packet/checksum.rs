//! The Internet checksum, RFC 1071 and RFC 1624. Words in network order, as they lie in memory.

/// Adds up to 16 bits with end-around carry.
#[inline(always)]
pub(crate) const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// RFC 1624 equation 3: the checksum after a 16-bit word changed.
#[inline(always)]
pub(crate) const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    !fold(!checksum as u64 + !old as u64 + new as u64)
}
