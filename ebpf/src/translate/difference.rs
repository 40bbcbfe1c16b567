use crate::packet::{Address, checksum};

/// What a one's complement sum changes by, RFC 1624: each word less the old and plus the new one.
#[derive(Clone, Copy, Default)]
pub(super) struct Difference(u64);

impl Difference {
    /// Writes `new` over what stands there, and takes note.
    #[inline(always)]
    pub(super) fn write(&mut self, at: &mut u16, new: u16) {
        if *at != new {
            self.0 += u64::from(!*at) + u64::from(new);
            *at = new;
        }
    }

    /// The same for an address.
    #[inline(always)]
    pub(super) fn write_address(&mut self, at: &mut Address, new: &Address) {
        for (at, new) in at.0.iter_mut().zip(new.0) {
            self.write_word(at, new);
        }
    }

    /// The same for a word of four octets.
    #[inline(always)]
    pub(super) fn write_word(&mut self, at: &mut u32, new: u32) {
        if *at != new {
            self.0 += u64::from(!*at) + u64::from(new);
            *at = new;
        }
    }

    #[inline(always)]
    pub(super) const fn add(&mut self, other: &Self) {
        self.0 += other.0;
    }

    #[inline(always)]
    pub(super) const fn is_none(&self) -> bool {
        self.0 == 0
    }

    /// As the kernel takes it: folded to 32 bits.
    #[inline(always)]
    pub(super) const fn sum(&self) -> u32 {
        let sum = (self.0 & 0xffff_ffff) + (self.0 >> 32);
        ((sum & 0xffff_ffff) + (sum >> 32)) as u32
    }

    /// The checksum after the difference, RFC 1624 equation 3.
    #[inline(always)]
    pub(super) const fn update(&self, checksum: u16) -> u16 {
        !checksum::fold(!checksum as u64 + self.0)
    }
}
