//! What a subprogram returns. The kernel's calling convention has one register for it.

use aya_ebpf::{macros::map, maps::PerCpuArray};
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

    /// For functions that are exported: their result has to be a number.
    #[inline(always)]
    pub(crate) const fn raw(self) -> u64 {
        self.0
    }

    /// The counterpart of [`Self::raw`], for nothing else.
    #[inline(always)]
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    #[inline(always)]
    pub(crate) const fn unpack(self) -> Outcome {
        if self.0 < DROPPED {
            return Ok(self.0 as i32);
        }
        // SAFETY: only `pack` makes one, and puts only the code of a reason here.
        Err(unsafe { core::mem::transmute::<u32, DropReason>(self.0 as u32) })
    }
}

#[map]
static REASON: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);

/// The same reason, which the verifier does not know any more: what is done about a drop it looks at once, and not again for
/// each reason.
#[inline(always)]
pub(crate) fn forget(reason: DropReason) -> DropReason {
    let Some(slot) = REASON.get_ptr_mut(0) else { return reason };
    // SAFETY: this CPU's own value, and the code of a reason has just been put there.
    unsafe {
        slot.write_volatile(reason as u32);
        core::mem::transmute::<u32, DropReason>(slot.read_volatile())
    }
}
