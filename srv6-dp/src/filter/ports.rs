//! Port ranges as prefixes of 16 bits.

use std::collections::BTreeMap;

/// First and last port.
type Range = (u16, u16);

/// Gives each port to the first of the ranges that holds it; what is left over is nobody's.
pub(super) fn share_out(ranges: impl Iterator<Item = (Range, usize)>) -> Vec<(Range, usize)> {
    let mut free = BTreeMap::from([(0, u16::MAX)]);
    let mut taken = Vec::new();
    for ((first, last), owner) in ranges {
        let gaps = free.range(..=last).rev().take_while(|(_, end)| **end >= first);
        let gaps: Vec<_> = gaps.map(|(start, end)| (*start, *end)).collect();
        for (start, end) in gaps.into_iter().filter(|_| first <= last) {
            free.remove(&start);
            if start < first {
                free.insert(start, first - 1);
            }
            if end > last {
                free.insert(last + 1, end);
            }
            taken.push(((start.max(first), end.min(last)), owner));
        }
    }
    taken
}

/// The prefixes that make up a range: port and number of bits.
pub(super) fn prefixes((first, last): Range) -> impl Iterator<Item = (u16, u8)> {
    let (mut next, end) = (u32::from(first), u32::from(last) + 1);
    std::iter::from_fn(move || {
        let left = end.checked_sub(next).filter(|left| *left > 0)?;
        // The largest block that begins here and does not run over.
        let free_bits = next.trailing_zeros().min(left.ilog2()).min(16);
        let prefix = (next as u16, (16 - free_bits) as u8);
        next += 1 << free_bits;
        Some(prefix)
    })
}
