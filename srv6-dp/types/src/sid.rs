use core::{fmt, net::Ipv6Addr};

use crate::{Label, SidStructure};

/// An SRv6 segment identifier, RFC 8986 section 3.1: 16 octets in network order.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Sid(pub [u8; 16]);

impl Sid {
    /// The SID as a number, most significant bit first.
    pub const fn bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The inverse of [`Sid::bits`].
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }

    /// The SID as an address.
    pub const fn addr(self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.bits())
    }

    /// RFC 9252 section 4: puts the bits that travelled in the label field back into the SID.
    #[must_use]
    pub const fn fold(self, structure: &SidStructure, label: Label) -> Self {
        let transposition = structure.transposition();
        let moved = (label.value() >> (Label::BITS - transposition.len())) as u128;
        let shift = transposition.shift();
        Self::from_bits(self.bits() & !transposition.mask() | if shift < 128 { moved << shift } else { 0 })
    }

    /// RFC 9252 section 4: zeroes the transposed bits and returns them as a label, left aligned in its 20 bits.
    /// Without transposition the label is the implicit null of RFC 9252 section 5.
    #[must_use]
    pub const fn transpose(self, structure: &SidStructure) -> (Self, Label) {
        let transposition = structure.transposition();
        if transposition.is_empty() {
            return (self, Label::IMPLICIT_NULL);
        }
        let mask = transposition.mask();
        let moved = ((self.bits() & mask) >> transposition.shift()) as u32;
        let label = Label::truncated(moved << (Label::BITS - transposition.len()));
        (Self::from_bits(self.bits() & !mask), label)
    }
}

impl From<Ipv6Addr> for Sid {
    fn from(addr: Ipv6Addr) -> Self {
        Self(addr.octets())
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr().fmt(f)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Transposition;

    fn f3216() -> SidStructure {
        SidStructure::new(32, 16, 16, 0, Transposition::new(16, 48).unwrap()).unwrap()
    }

    /// As FRR 10.3 puts it on the wire: function 1 in the top 16 bits of the label.
    #[test]
    fn function_one_is_label_sixteen() {
        let sid = Sid::from("fc00:0:1:1::".parse::<Ipv6Addr>().unwrap());
        let (bare, label) = sid.transpose(&f3216());
        assert_eq!(bare, Sid::from("fc00:0:1::".parse::<Ipv6Addr>().unwrap()));
        assert_eq!(label.value(), 16);
        assert_eq!(bare.fold(&f3216(), label), sid);
    }

    proptest! {
        #[test]
        fn fold_undoes_transpose(bits: u128, len in 0u8..=20, offset in 0u8..=128) {
            let Ok(transposition) = Transposition::new(len, offset) else { return Ok(()) };
            let structure = SidStructure::new(0, 0, 128, 0, transposition).unwrap();
            let sid = Sid::from_bits(bits);
            let (bare, label) = sid.transpose(&structure);
            prop_assert_eq!(bare.fold(&structure, label), sid);
        }
    }
}
