//! One direction of a TCP connection: segments in any order, repeated or overlapping, to a run of octets.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};

/// What has come in. Positions count from the first sequence number seen, so that they do not wrap.
#[derive(Default)]
pub(super) struct Reassembly {
    /// Sequence number of position 0.
    start: Option<u32>,
    /// Position behind the run that is complete.
    next: i64,
    run: BytesMut,
    /// Segments behind a gap, by position.
    waiting: BTreeMap<i64, Bytes>,
}

impl Reassembly {
    /// A connection begins anew with a SYN, whose number counts for one octet (RFC 9293 section 3.4).
    pub(super) fn syn(&mut self, sequence: u32) {
        *self = Self { start: Some(sequence.wrapping_add(1)), ..Self::default() };
    }

    /// Takes a segment; a capture that began within the connection is read from its first segment on.
    pub(super) fn insert(&mut self, sequence: u32, payload: Vec<u8>) {
        if payload.is_empty() {
            return;
        }
        let start = *self.start.get_or_insert(sequence);
        // The signed distance from where the run ends is right for windows up to 2 GiB.
        let end = start.wrapping_add(self.next as u32);
        let position = self.next + i64::from(sequence.wrapping_sub(end) as i32);
        let longest = self.waiting.entry(position).or_default();
        if longest.len() < payload.len() {
            *longest = payload.into();
        }
        self.join();
    }

    /// Moves what adjoins the run into it; what the run has already is dropped.
    fn join(&mut self) {
        while let Some((position, mut payload)) = self.waiting.pop_first() {
            if position > self.next {
                self.waiting.insert(position, payload);
                return;
            }
            let known = (self.next - position) as usize;
            if known < payload.len() {
                payload.advance(known);
                self.next += payload.len() as i64;
                self.run.extend_from_slice(&payload);
            }
        }
    }

    /// The run, from which whole messages are split off.
    pub(super) const fn run(&mut self) -> &mut BytesMut {
        &mut self.run
    }

    /// Octets that were not taken: the rest of the run, and what stands behind a gap.
    pub(super) fn left(&self) -> usize {
        self.run.len() + self.waiting.values().map(Bytes::len).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order and however often: each octet once, in its place, also where the numbers wrap.
        #[test]
        fn shuffled_and_repeated_segments_make_the_stream(
            first: u32,
            length in 1..200usize,
            pieces in proptest::collection::vec((0..200usize, 1..40usize), 0..60),
            order: u64,
        ) {
            let stream: Vec<u8> = (0..length).map(|octet| octet as u8).collect();
            let whole = (0..length).step_by(7).map(|from| (from, 7));
            let mut pieces: Vec<_> = pieces.into_iter().chain(whole).filter(|(from, _)| *from < length).collect();
            pieces.sort_by_key(|(from, len)| (*from as u64 * 31 + *len as u64).wrapping_mul(order | 1));
            let mut reassembly = Reassembly::default();
            reassembly.syn(first);
            for (from, len) in pieces {
                let piece = stream[from..(from + len).min(length)].to_vec();
                reassembly.insert(first.wrapping_add(1 + from as u32), piece);
            }
            prop_assert_eq!(&reassembly.run()[..], &stream[..]);
            prop_assert_eq!(reassembly.left(), length);
        }
    }
}
