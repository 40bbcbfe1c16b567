use core::fmt;

/// Names one VRF on this node: a small dense number that indexes arrays. 0 is the global table, no tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct VrfId(pub u32);

impl VrfId {
    /// The node's own routing table (the underlay).
    pub const GLOBAL: Self = Self(0);
}

impl fmt::Display for VrfId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
