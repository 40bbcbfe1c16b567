//! The two lookups.

use aya_ebpf::{
    bindings::BPF_F_NO_PREALLOC,
    macros::map,
    maps::{HashMap, LpmTrie, lpm_trie::Key},
};
use srv6_types::maps::{
    FILTER_PORT_BITS, FILTER_PROTOCOL_BITS, FILTER_SIDE_BITS, FilterClass, FilterEntry, FilterKey4,
    FilterKey6, FilterPortKey, FilterRuleEntry, FilterRuleKey, FilterVerdict, filter_side, verdict_flag,
};

use super::{RULES, passage::Passage};
use crate::packet::{Family, headers::protocol};

#[map]
static FILTERS: HashMap<u32, FilterEntry> = HashMap::with_max_entries(8193, 0);
#[map]
pub(super) static FILTER_RULES: HashMap<FilterRuleKey, FilterRuleEntry> =
    HashMap::with_max_entries(RULES, BPF_F_NO_PREALLOC);
#[map]
static FILTER_CLASSES4: LpmTrie<FilterKey4, FilterClass> = LpmTrie::with_max_entries(RULES, 0);
#[map]
static FILTER_CLASSES6: LpmTrie<FilterKey6, FilterClass> = LpmTrie::with_max_entries(RULES, 0);
#[map]
static FILTER_PORTS: LpmTrie<FilterPortKey, FilterVerdict> = LpmTrie::with_max_entries(4 * RULES, 0);

#[inline(always)]
pub(super) fn filter(id: u32) -> Option<&'static FilterEntry> {
    // SAFETY: an entry is replaced whole, and a set lives as long as packets may look at it.
    unsafe { FILTERS.get(id) }
}

/// What the rules say: a [`FilterVerdict`] in one register.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Verdict(u64);

impl Verdict {
    const FLAGS: u32 = 2;

    #[inline(always)]
    const fn of(verdict: &FilterVerdict, flags: u32) -> Self {
        let low = verdict.rule << Self::FLAGS | flags;
        Self((verdict.counter as u64) << 32 | low as u64)
    }

    /// Counted from 1; 0 where no rule matches.
    #[inline(always)]
    pub(super) const fn rule(self) -> u32 {
        self.0 as u32 >> Self::FLAGS
    }

    #[inline(always)]
    pub(super) const fn counter(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// What is not known of the packet decides.
    #[inline(always)]
    pub(super) const fn is_open(self) -> bool {
        self.0 as u32 & verdict_flag::BY_PORT != 0
    }

    #[inline(always)]
    pub(super) const fn accepts(self) -> bool {
        self.0 as u32 & (verdict_flag::BY_PORT | verdict_flag::DROP) == 0
    }
}

/// Judges what the passage asks about.
#[inline(never)]
pub(super) fn judge(passage: &Passage) -> Verdict {
    let Some(class) = class(passage) else { return Verdict(0) };
    if class.class == 0 {
        return Verdict::of(&class.verdict, class.verdict.flags);
    }
    if !passage.knows_protocol {
        return Verdict::of(&class.verdict, verdict_flag::BY_PORT);
    }
    let key = FilterPortKey {
        set: passage.set.to_be_bytes(),
        class: class.class.to_be_bytes(),
        protocol: passage.protocol,
        port: passage.port.to_ne_bytes(),
        reserved: 0,
    };
    let bits = if passage.knows_port { FILTER_PORT_BITS } else { FILTER_PROTOCOL_BITS };
    let verdict = FILTER_PORTS.get(Key::new(bits, key)).unwrap_or(&class.verdict);
    // That some ports are judged otherwise is of no interest where the port is known.
    let ignored = if passage.knows_port { verdict_flag::BY_PORT } else { 0 };
    Verdict::of(verdict, verdict.flags & !ignored)
}

#[inline(always)]
fn class(passage: &Passage) -> Option<&'static FilterClass> {
    let side = filter_side(passage.set, passage.direction);
    let far = passage.far();
    match passage.tuple.family {
        Family::V4 => {
            let key = FilterKey4 { side, address: far.octets4() };
            FILTER_CLASSES4.get(Key::new(FILTER_SIDE_BITS + 32, key))
        }
        Family::V6 => {
            let key = FilterKey6 { side, address: far.octets() };
            FILTER_CLASSES6.get(Key::new(FILTER_SIDE_BITS + 128, key))
        }
    }
}

/// Behind which the transport protocol stands, if only it could be read.
#[inline(always)]
pub(super) const fn hides_protocol(next_header: u8) -> bool {
    matches!(
        next_header,
        protocol::HOP_BY_HOP | protocol::ROUTING | protocol::FRAGMENT | protocol::DESTINATION_OPTIONS
    )
}
