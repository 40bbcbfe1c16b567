//! Longest prefix match in a VRF. Nothing else knows what kind of table answers.

use aya_ebpf::{
    macros::map,
    maps::{LpmTrie, lpm_trie::Key},
};
use srv6_types::maps::{FibKey4, FibKey6};

use crate::packet::{Address, Family};

const ROUTES: u32 = 1 << 20;
/// Bits of the VRF id in front of the address.
const VRF_BITS: u32 = 32;

#[map]
static FIB4: LpmTrie<FibKey4, u32> = LpmTrie::with_max_entries(ROUTES, 0);
#[map]
static FIB6: LpmTrie<FibKey6, u32> = LpmTrie::with_max_entries(ROUTES, 0);

/// Index of the next hop of the longest prefix that holds `destination`.
#[inline(always)]
pub(crate) fn lookup(vrf: u32, family: Family, destination: &Address) -> Option<u32> {
    lookup_up_to(vrf, family, destination, 0)
}

/// The same among prefixes that hold more than `destination` alone.
#[inline(always)]
pub(crate) fn lookup_shorter(vrf: u32, family: Family, destination: &Address) -> Option<u32> {
    lookup_up_to(vrf, family, destination, 1)
}

/// Among prefixes that leave at least `open` bits open.
#[inline(always)]
fn lookup_up_to(vrf: u32, family: Family, destination: &Address, open: u32) -> Option<u32> {
    let vrf = vrf.to_be_bytes();
    match family {
        Family::V4 => {
            let key = FibKey4 { vrf, addr: destination.octets4() };
            FIB4.get(Key::new(VRF_BITS + 32 - open, key)).copied()
        }
        Family::V6 => {
            let key = FibKey6 { vrf, addr: destination.octets() };
            FIB6.get(Key::new(VRF_BITS + 128 - open, key)).copied()
        }
    }
}
