//! What a subprogram returns. The kernel's calling convention has one register for it.

use srv6_types::DropReason;

/// The action to return, or why the packet is dropped.
pub(crate) type Outcome = Result<i32, DropReason>;

/// An [`Outcome`] in one register.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Packed(u64);

const DROPPED: u64 = 1 << 32;

impl Packed {
    #[inline(always)]
    pub(crate) const fn pack(outcome: Outcome) -> Self {
        match outcome {
            Ok(action) => Self(action as u32 as u64),
            Err(reason) => Self(DROPPED | reason as u64),
        }
    }

    #[inline(always)]
    pub(crate) const fn unpack(self) -> Outcome {
        if self.0 < DROPPED {
            return Ok(self.0 as i32);
        }
        // SAFETY: only what `pack` has made is unpacked, and it puts only the code of a reason here.
        Err(unsafe { core::mem::transmute::<u32, DropReason>(self.0 as u32) })
    }

    /// For a function that the verifier lets return nothing but a number.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Of what [`Self::bits`] gave.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}
