use core::fmt;

/// A 20-bit MPLS label value, RFC 3032 section 2.1, as it stands in the label field of a VPN NLRI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(u32);

impl Label {
    /// Width of the label value, in bits.
    pub const BITS: u8 = 20;
    /// RFC 3032 section 2.1: stands where no bits of a SID are transposed (RFC 9252 section 5).
    pub const IMPLICIT_NULL: Self = Self(3);

    /// `None` when `value` does not fit in 20 bits.
    pub const fn new(value: u32) -> Option<Self> {
        if value >> Self::BITS == 0 { Some(Self(value)) } else { None }
    }

    /// Keeps the low 20 bits.
    pub const fn truncated(value: u32) -> Self {
        Self(value & ((1 << Self::BITS) - 1))
    }

    /// The value, 0 to 2^20 - 1.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// From the 3-octet field; the low nibble (traffic class and bottom of stack) is ignored, for peers differ.
    pub const fn from_wire(octets: [u8; 3]) -> Self {
        Self((octets[0] as u32) << 12 | (octets[1] as u32) << 4 | (octets[2] as u32) >> 4)
    }

    /// The 3-octet field with the bottom-of-stack bit set, RFC 8277 section 2.2.
    pub const fn to_wire(self) -> [u8; 3] {
        [(self.0 >> 12) as u8, (self.0 >> 4) as u8, (self.0 << 4) as u8 | 1]
    }
}

/// Which bits of a SID travel in the label field: `len` bits (at most 20) from bit `offset`, RFC 9252 section 3.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transposition {
    len: u8,
    offset: u8,
}

impl Transposition {
    /// No bits are moved: the SID travels whole.
    pub const NONE: Self = Self { len: 0, offset: 0 };

    /// Refuses what would not fit in a label, or would run over the SID's 128 bits.
    pub const fn new(len: u8, offset: u8) -> Result<Self, StructureError> {
        if len > Label::BITS {
            return Err(StructureError::TranspositionTooLong { len });
        }
        if len as u16 + offset as u16 > 128 {
            return Err(StructureError::TranspositionOutside { len, offset });
        }
        Ok(Self { len, offset })
    }

    /// Number of bits moved, 0 to 20.
    pub const fn len(self) -> u8 {
        self.len
    }

    /// Whether no bit is moved.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// First bit moved, counted from the most significant bit of the SID.
    pub const fn offset(self) -> u8 {
        self.offset
    }

    /// Distance of the moved bits from the least significant bit.
    pub(crate) const fn shift(self) -> u32 {
        128 - self.len as u32 - self.offset as u32
    }

    pub(crate) const fn mask(self) -> u128 {
        if self.len == 0 { 0 } else { ((1u128 << self.len) - 1) << self.shift() }
    }
}

/// The lengths of a SID's parts in bits, RFC 9252 section 3.2.1. Their sum is at most 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SidStructure {
    block: u8,
    node: u8,
    function: u8,
    argument: u8,
    transposition: Transposition,
}

impl SidStructure {
    /// Checks the sums and bounds once; everything behind this type may rely on them.
    pub const fn new(
        block: u8,
        node: u8,
        function: u8,
        argument: u8,
        transposition: Transposition,
    ) -> Result<Self, StructureError> {
        let bits = block as u16 + node as u16 + function as u16 + argument as u16;
        if bits > 128 {
            return Err(StructureError::TooLong { bits });
        }
        Ok(Self { block, node, function, argument, transposition })
    }

    /// Locator block length in bits.
    pub const fn block(&self) -> u8 {
        self.block
    }

    /// Locator node length in bits.
    pub const fn node(&self) -> u8 {
        self.node
    }

    /// Function length in bits.
    pub const fn function(&self) -> u8 {
        self.function
    }

    /// Argument length in bits.
    pub const fn argument(&self) -> u8 {
        self.argument
    }

    /// Locator length in bits: block and node.
    pub const fn locator(&self) -> u8 {
        self.block + self.node
    }

    /// Which bits travel in the label field.
    pub const fn transposition(&self) -> Transposition {
        self.transposition
    }

    /// The same structure with the whole function transposed where it fits in a label, as FRR and routers do.
    #[must_use]
    pub const fn with_function_transposed(mut self) -> Self {
        self.transposition = match Transposition::new(self.function, self.locator()) {
            Ok(transposition) => transposition,
            Err(_) => Transposition::NONE,
        };
        self
    }
}

/// Why lengths do not describe a SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructureError {
    /// The parts add up to more than 128 bits.
    TooLong {
        /// Their sum.
        bits: u16,
    },
    /// More bits than a label holds.
    TranspositionTooLong {
        /// Length asked for, in bits.
        len: u8,
    },
    /// The transposed bits would lie outside of the SID.
    TranspositionOutside {
        /// Length asked for, in bits.
        len: u8,
        /// Offset asked for, in bits.
        offset: u8,
    },
}

impl fmt::Display for StructureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bits } => write!(f, "the SID's parts add up to {bits} bits, more than 128"),
            Self::TranspositionTooLong { len } => {
                write!(f, "{len} bits are to be transposed, a label holds 20")
            }
            Self::TranspositionOutside { len, offset } => {
                write!(f, "{len} transposed bits from bit {offset} run over the SID's 128")
            }
        }
    }
}

impl core::error::Error for StructureError {}
