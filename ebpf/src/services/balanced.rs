use srv6_types::DropReason;

/// What becomes of a packet to a VIP.
#[derive(Clone, Copy)]
pub(crate) enum Balanced {
    /// It goes to a backend. Its translation has the new destination, or none where another node is to translate it.
    To(To),
    /// An echo request: the program answers.
    Local,
}

#[derive(Clone, Copy)]
pub(crate) struct To {
    /// Index of the next hop.
    pub(crate) next_hop: u32,
    /// Index of the egress address that its source is to become.
    pub(crate) source: Option<u32>,
}

/// A result in one register.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Packed(pub(super) u64);

const DROPPED: u64 = 1 << 63;
const LOCAL: u64 = 1 << 62;

impl Packed {
    #[inline(always)]
    pub(super) fn pack(result: Result<Balanced, DropReason>) -> Self {
        match result {
            Ok(Balanced::To(to)) => {
                let source = to.source.map_or(0, |index| u64::from(index) + 1);
                Self(source << 32 | u64::from(to.next_hop))
            }
            Ok(Balanced::Local) => Self(LOCAL),
            Err(reason) => Self(DROPPED | reason as u64),
        }
    }

    #[inline(always)]
    pub(super) fn unpack(self) -> Result<Balanced, DropReason> {
        if self.0 & DROPPED != 0 {
            // SAFETY: only `pack` makes one, and puts only the code of a reason here.
            return Err(unsafe { core::mem::transmute::<u32, DropReason>(self.0 as u32) });
        }
        if self.0 & LOCAL != 0 {
            return Ok(Balanced::Local);
        }
        let source = ((self.0 >> 32) as u32).checked_sub(1);
        Ok(Balanced::To(To { next_hop: self.0 as u32, source }))
    }
}
