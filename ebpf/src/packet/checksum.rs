//! The Internet checksum, RFC 1071 and RFC 1624. Words in network order, as they lie in memory.

use aya_ebpf::helpers::generated as helpers;

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

/// The part of the pseudo-header of RFC 8200 section 8.1 that is not the addresses.
#[inline(always)]
pub(crate) const fn pseudo6(length: u16, next_header: u8) -> u32 {
    (length as u32 + next_header as u32).to_be()
}

/// Adds up `length` octets, a multiple of 4 and at most 512, that the verifier knows to be readable.
#[inline(always)]
pub(crate) fn sum<T>(from: *const T, length: usize, seed: u32) -> u64 {
    // SAFETY: the verifier checks that the octets are readable.
    unsafe {
        helpers::bpf_csum_diff(core::ptr::null_mut(), 0, from.cast_mut().cast(), length as u32, seed) as u64
    }
}
