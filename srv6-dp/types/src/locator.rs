use core::{fmt, net::Ipv6Addr};

use crate::{Sid, SidStructure};

/// A locator: the prefix that leads to a node and from which its SIDs are made, RFC 8986 section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator {
    prefix: Sid,
    structure: SidStructure,
}

impl Locator {
    /// `prefix` must have no bit set beyond block and node.
    pub const fn new(prefix: Ipv6Addr, structure: SidStructure) -> Result<Self, LocatorError> {
        let len = structure.locator();
        let host = if len == 128 { 0 } else { u128::MAX >> len };
        if prefix.to_bits() & host != 0 {
            return Err(LocatorError::BitsBeyondPrefix { len });
        }
        Ok(Self { prefix: Sid(prefix.octets()), structure })
    }

    /// The prefix's address; its length is [`Locator::prefix_len`].
    pub const fn prefix(&self) -> Sid {
        self.prefix
    }

    /// Block plus node length, in bits.
    pub const fn prefix_len(&self) -> u8 {
        self.structure.locator()
    }

    /// The lengths of the parts.
    pub const fn structure(&self) -> &SidStructure {
        &self.structure
    }

    /// Highest function value, 0 when the locator has no function bits.
    pub const fn max_function(&self) -> u32 {
        match self.structure.function() {
            0 => 0,
            bits if bits >= 32 => u32::MAX,
            bits => (1 << bits) - 1,
        }
    }

    /// The SID of `function` with argument 0; `None` when the function does not fit.
    pub const fn sid(&self, function: u32) -> Option<Sid> {
        if function > self.max_function() {
            return None;
        }
        let shift = 128 - self.structure.locator() as u32 - self.structure.function() as u32;
        let bits = if shift < 128 { (function as u128) << shift } else { 0 };
        Some(Sid::from_bits(self.prefix.bits() | bits))
    }

    /// Whether `sid` lies in the locator's prefix.
    pub const fn contains(&self, sid: Sid) -> bool {
        let len = self.structure.locator();
        len == 0 || (sid.bits() ^ self.prefix.bits()) >> (128 - len) == 0
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.prefix, self.prefix_len())
    }
}

/// Why a prefix is no locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocatorError {
    /// Bits are set that the block and node lengths do not cover.
    BitsBeyondPrefix {
        /// Block plus node length, in bits.
        len: u8,
    },
}

impl fmt::Display for LocatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BitsBeyondPrefix { len } => {
                write!(f, "the prefix has bits set beyond its first {len} (block and node)")
            }
        }
    }
}

impl core::error::Error for LocatorError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transposition;

    #[test]
    fn sids_of_a_classic_locator() {
        let structure = SidStructure::new(40, 24, 16, 0, Transposition::NONE).unwrap();
        let locator = Locator::new("2001:db8:1:1::".parse().unwrap(), structure).unwrap();
        assert_eq!(locator.sid(0x42).unwrap().addr(), "2001:db8:1:1:42::".parse::<Ipv6Addr>().unwrap());
        assert_eq!(locator.sid(0x1_0000), None);
        assert!(locator.contains(locator.sid(1).unwrap()));
    }

    #[test]
    fn stray_bits_are_refused() {
        let structure = SidStructure::new(32, 16, 16, 0, Transposition::NONE).unwrap();
        assert_eq!(
            Locator::new("fc00:0:1:1::".parse().unwrap(), structure),
            Err(LocatorError::BitsBeyondPrefix { len: 48 })
        );
    }
}
