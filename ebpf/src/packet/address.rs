/// An address of either family in network order; an IPv4 address stands in the first word.
#[repr(transparent)]
#[derive(Clone, Copy, Eq)]
pub(crate) struct Address(pub(crate) [u32; 4]);

impl Address {
    #[inline(always)]
    pub(crate) const fn v4(address: u32) -> Self {
        Self([address, 0, 0, 0])
    }

    /// For the map types, which hold octets; `octets` has the alignment of its map value, 4.
    #[inline(always)]
    pub(crate) fn from_octets(octets: &[u8; 16]) -> Self {
        // SAFETY: same size, any bits are valid; BPF reads unaligned words.
        Self(unsafe { octets.as_ptr().cast::<[u32; 4]>().read() })
    }

    #[inline(always)]
    pub(crate) fn octets(&self) -> [u8; 16] {
        // SAFETY: same size, any bits are valid.
        unsafe { core::mem::transmute(self.0) }
    }

    #[inline(always)]
    pub(crate) const fn octets4(&self) -> [u8; 4] {
        self.0[0].to_ne_bytes()
    }

    #[inline(always)]
    pub(crate) const fn is_unspecified(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }
}

/// Word by word: a comparison of memory would be a call.
impl PartialEq for Address {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
    }
}
