use bytes::Bytes;

/// Attributes that are kept while others between them are left out. One run of neighbours, which is what a
/// sender with MP_REACH_NLRI in front leaves, stays a slice of the message.
#[derive(Debug, Default)]
pub(super) struct Kept {
    run: Option<(usize, usize)>,
    copied: Vec<u8>,
}

impl Kept {
    /// Keeps `from..to` of `all`.
    pub(super) fn push(&mut self, all: &[u8], from: usize, to: usize) {
        match &mut self.run {
            Some((_, end)) if *end == from => *end = to,
            None if self.copied.is_empty() => self.run = Some((from, to)),
            run => {
                if let Some((start, end)) = run.take() {
                    self.copied.extend_from_slice(&all[start..end]);
                }
                self.copied.extend_from_slice(&all[from..to]);
            }
        }
    }

    /// What was kept, in its order.
    pub(super) fn finish(self, all: &Bytes) -> Bytes {
        match self.run {
            Some((start, end)) => all.slice(start..end),
            None => self.copied.into(),
        }
    }
}
