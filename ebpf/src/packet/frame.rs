use srv6_types::DropReason;

/// No header lies farther in. The verifier wants to see a bound where it has lost sight of the offset's own.
const FARTHEST: usize = 0x3fff;

/// The octets that the program may touch. Stale as soon as the kernel resizes the buffer: take a new one.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    start: usize,
    end: usize,
}

impl Frame {
    #[inline(always)]
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    #[inline(always)]
    pub(crate) const fn is_shorter_than(&self, octets: usize) -> bool {
        self.start + octets > self.end
    }

    /// A `T` at `offset`. Headers are read as whole words though they may lie unaligned, as the kernel itself does
    /// on the architectures that we run on.
    #[inline(always)]
    pub(crate) fn at<T>(&self, offset: usize) -> Result<*mut T, DropReason> {
        if offset > FARTHEST {
            return Err(DropReason::Malformed);
        }
        let at = self.start + offset;
        if at + size_of::<T>() > self.end { Err(DropReason::Malformed) } else { Ok(at as *mut T) }
    }
}

/// An offset that an exported function is given: no packet lies farther in, which the verifier cannot know.
#[inline(always)]
pub(crate) const fn bounded(offset: u32) -> u32 {
    offset & 0xfff
}
