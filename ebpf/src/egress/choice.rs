use srv6_types::DropReason;

/// What an egress policy says of a packet.
#[derive(Clone, Copy)]
pub(crate) enum Choice {
    /// No policy holds it.
    None,
    /// Translated here, to the egress address of this index.
    Here(u32),
    /// At the gateway that the next hop of this index leads to.
    Gateway(u32),
}

/// A [`Choice`], or why the packet is dropped, in one register: see [`crate::outcome`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Packed(u64);

const DROPPED: u64 = 1 << 32;
const HERE: u64 = 2 << 32;
const GATEWAY: u64 = 3 << 32;
const KIND: u64 = 3 << 32;

impl Packed {
    #[inline(always)]
    pub(super) const fn pack(choice: Result<Choice, DropReason>) -> Self {
        match choice {
            Ok(Choice::None) => Self(0),
            Ok(Choice::Here(index)) => Self(HERE | index as u64),
            Ok(Choice::Gateway(index)) => Self(GATEWAY | index as u64),
            Err(reason) => Self(DROPPED | reason as u64),
        }
    }

    #[inline(always)]
    pub(crate) const fn unpack(self) -> Result<Choice, DropReason> {
        let index = self.0 as u32;
        match self.0 & KIND {
            HERE => Ok(Choice::Here(index)),
            GATEWAY => Ok(Choice::Gateway(index)),
            // SAFETY: only what `pack` has made is unpacked, and it puts only the code of a reason here.
            DROPPED => Err(unsafe { core::mem::transmute::<u32, DropReason>(index) }),
            _ => Ok(Choice::None),
        }
    }

    /// For a function that the verifier lets return nothing but a number.
    #[inline(always)]
    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    /// Of what [`Self::raw`] gave.
    #[inline(always)]
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}
