//! One direction of a TCP connection: segments in any order, repeated or overlapping, to a run of octets. What is there
//! and what is missing is smoltcp's to know; the octets lie here.

use bytes::BytesMut;
use smoltcp::storage::Assembler;

/// How far behind the run a segment is believed; no receiver offers a larger window by default (`net.ipv4.tcp_rmem`).
const WINDOW: usize = 8 << 20;

/// What has come in.
pub(super) struct Reassembly {
    /// Sequence number behind the SYN, if it was seen.
    first: Option<u32>,
    /// Sequence number behind the run; `None` until a segment was seen.
    next: Option<u32>,
    /// The octets in order, without a gap.
    run: BytesMut,
    /// Octets from `next` on, zero where none came in yet.
    ahead: BytesMut,
    /// Which octets of `ahead` came in.
    present: Assembler,
}

impl Reassembly {
    /// A connection begins anew with a SYN, whose number counts for one octet (RFC 9293 section 3.4).
    pub(super) fn syn(sequence: u32) -> Self {
        Self::from(Some(sequence.wrapping_add(1)))
    }

    /// A capture that began within the connection is read from its first segment on.
    pub(super) fn begun() -> Self {
        Self::from(None)
    }

    fn from(first: Option<u32>) -> Self {
        Self { first, next: first, run: BytesMut::new(), ahead: BytesMut::new(), present: Assembler::new() }
    }

    /// Whether the connection began with this SYN: it may come again.
    pub(super) fn began_with(&self, sequence: u32) -> bool {
        self.first == Some(sequence.wrapping_add(1))
    }

    /// Takes a segment; `false` where no room is left for what stands behind a gap, or it is too far off. Then the
    /// gap is to be skipped.
    #[must_use]
    pub(super) fn insert(&mut self, sequence: u32, payload: &[u8]) -> bool {
        if payload.is_empty() {
            return true;
        }
        // The signed distance from where the run ends is right for windows up to 2 GiB.
        let distance = sequence.wrapping_sub(*self.next.get_or_insert(sequence)) as i32;
        let (offset, payload) = match usize::try_from(distance) {
            Ok(offset) => (offset, payload),
            Err(_) => match payload.get(distance.unsigned_abs() as usize..) {
                Some(new) if !new.is_empty() => (0, new),
                _ => return true,
            },
        };
        let end = offset + payload.len();
        if end > WINDOW {
            return false;
        }
        let Ok(complete) = self.present.add_then_remove_front(offset, payload.len()) else { return false };
        if self.ahead.len() < end {
            self.ahead.resize(end, 0);
        }
        self.ahead[offset..end].copy_from_slice(payload);
        self.complete(complete);
        true
    }

    /// Gives up on the octets missing in front of the next that are there: how many. What is left of the run goes
    /// with them. `None` where nothing waits.
    pub(super) fn skip_gap(&mut self) -> Option<usize> {
        let (missing, _) = self.present.iter_data().next()?;
        // As if they had come in; filling a hole never makes another.
        let complete = self.present.add_then_remove_front(0, missing).ok()?;
        self.run.clear();
        drop(self.ahead.split_to(missing));
        self.next = self.next.map(|next| next.wrapping_add(missing as u32));
        self.complete(complete - missing);
        Some(missing)
    }

    fn complete(&mut self, octets: usize) {
        self.run.extend_from_slice(&self.ahead.split_to(octets));
        self.next = self.next.map(|next| next.wrapping_add(octets as u32));
    }

    /// The run, from which whole messages are split off.
    pub(super) const fn run(&mut self) -> &mut BytesMut {
        &mut self.run
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_is_skipped_only_when_asked() {
        let mut reassembly = Reassembly::syn(u32::MAX - 3);
        assert!(reassembly.insert(u32::MAX - 2, &[1, 2]));
        assert!(reassembly.insert(3, &[7, 8]));
        assert!(reassembly.insert(6, &[10]));
        assert_eq!(&reassembly.run()[..], [1, 2]);
        assert_eq!(reassembly.skip_gap(), Some(4));
        assert_eq!(&reassembly.run()[..], [7, 8]);
        assert!(reassembly.insert(5, &[9]));
        assert_eq!(&reassembly.run()[..], [7, 8, 9, 10]);
        assert_eq!(reassembly.skip_gap(), None);
    }

    /// A keepalive of TCP repeats the last octet, or makes one up (RFC 9293 section 3.8.4).
    #[test]
    fn what_came_in_is_not_taken_again() {
        let mut reassembly = Reassembly::syn(9);
        assert!(reassembly.insert(10, &[1, 2, 3]));
        assert!(reassembly.insert(12, &[0]));
        assert!(reassembly.insert(11, &[2, 3, 4]));
        assert_eq!(&reassembly.run()[..], [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_too_far_off_is_refused_and_costs_no_memory() {
        let mut reassembly = Reassembly::syn(9);
        assert!(!reassembly.insert(10 + WINDOW as u32, &[1]));
        assert_eq!(reassembly.ahead.capacity(), 0);
        assert!((0..100).any(|hole| !reassembly.insert(11 + 2 * hole, &[1])));
    }

    proptest! {
        /// Whatever the order and however often: each octet once, in its place, also where the numbers wrap.
        #[test]
        fn shuffled_and_repeated_segments_make_the_stream(
            first in prop_oneof![any::<u32>(), u32::MAX - 200..=u32::MAX],
            length in 1..200usize,
            pieces in proptest::collection::vec((0..200usize, 1..40usize), 0..60),
            order: u64,
        ) {
            let stream: Vec<u8> = (0..length).map(|octet| octet as u8).collect();
            let whole = (0..length).step_by(7).map(|from| (from, 7));
            let mut pieces: Vec<_> = pieces.into_iter().chain(whole).filter(|(from, _)| *from < length).collect();
            pieces.sort_by_key(|(from, len)| (*from as u64 * 31 + *len as u64).wrapping_mul(order | 1));
            let mut reassembly = Reassembly::syn(first);
            for (from, len) in pieces {
                let piece = &stream[from..(from + len).min(length)];
                prop_assert!(reassembly.insert(first.wrapping_add(1 + from as u32), piece));
            }
            prop_assert_eq!(&reassembly.run()[..], &stream[..]);
            prop_assert_eq!(reassembly.skip_gap(), None);
        }
    }
}
