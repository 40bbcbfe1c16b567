//! The maps that user space fills and reads; layouts in [`srv6_types::maps`]. Sizes are defaults, user space may
//! override them.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LpmTrie, PerCpuArray, PerCpuHashMap, RingBuf},
};
use srv6_types::maps::{
    CircuitEntry, DropKey, NextHopEntry, NodeConfig, SidEntry, Tally, VrfEntry, vrf_counter,
};

pub(crate) const VRF_SLOTS: u32 = 4096;
const SID_SLOTS: u32 = 16_384;

#[map]
pub(crate) static NEXT_HOPS: Array<NextHopEntry> = Array::with_max_entries(65_536, 0);
#[map]
pub(crate) static CIRCUITS: HashMap<u32, CircuitEntry> = HashMap::with_max_entries(8192, 0);
#[map]
pub(crate) static VRFS: Array<VrfEntry> = Array::with_max_entries(VRF_SLOTS, 0);
#[map]
pub(crate) static SIDS: HashMap<[u8; 16], SidEntry> = HashMap::with_max_entries(SID_SLOTS, 0);
#[map]
pub(crate) static LOCATORS: LpmTrie<[u8; 16], u32> = LpmTrie::with_max_entries(256, 0);
#[map]
pub(crate) static DOMAIN: LpmTrie<[u8; 16], u32> = LpmTrie::with_max_entries(1024, 0);
#[map]
pub(crate) static NODE: Array<NodeConfig> = Array::with_max_entries(1, 0);
#[map]
pub(crate) static VRF_COUNTERS: PerCpuArray<Tally> =
    PerCpuArray::with_max_entries(VRF_SLOTS * vrf_counter::COUNT, 0);
#[map]
pub(crate) static SID_COUNTERS: PerCpuArray<Tally> = PerCpuArray::with_max_entries(SID_SLOTS, 0);
#[map]
pub(crate) static DROPS: PerCpuHashMap<DropKey, u64> = PerCpuHashMap::with_max_entries(16_384, 0);
#[map]
pub(crate) static EVENTS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);
