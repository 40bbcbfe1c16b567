//! Longest prefix match in a VRF. Nothing else knows what kind of table answers.

use aya_ebpf::{
    macros::map,
    maps::{HashMap, LpmTrie, lpm_trie::Key},
};
use srv6_types::maps::{FibKey4, FibKey6, HostKey};

use crate::packet::{Address, Family};

const ROUTES: u32 = 1 << 20;
/// Bits of the VRF id in front of the address.
const VRF_BITS: u32 = 32;

#[map]
static FIB4: LpmTrie<FibKey4, u32> = LpmTrie::with_max_entries(ROUTES, 0);
#[map]
static FIB6: LpmTrie<FibKey6, u32> = LpmTrie::with_max_entries(ROUTES, 0);

/// VIPs and egress addresses of this node, which are in a trie as well. There are many of them, next to each other, and each makes
/// the trie's way to the others longer.
#[map]
static OWN: HashMap<HostKey, u32> = HashMap::with_max_entries(65_536, 0);

/// Index of the next hop of a VIP or an egress address of this node.
#[inline(always)]
pub(crate) fn own(vrf: u32, family: Family, address: &Address) -> Option<u32> {
    let key = HostKey { vrf, family: family as u32, address: address.octets() };
    // SAFETY: a value of one word.
    unsafe { OWN.get(key) }.copied()
}

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
