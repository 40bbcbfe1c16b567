//! The maps that user space fills and reads; layouts in [`srv6_types::maps`]. Sizes are defaults, user space may
//! override them.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LpmTrie, PerCpuArray, PerCpuHashMap, RingBuf},
};
use srv6_types::maps::{
    BackendEntry, CircuitEntry, DropKey, EgressEntry, EgressMember, EgressPolicyEntry, FibKey4, FibKey6,
    HostKey, MaglevRow, NextHopEntry, NodeConfig, ServiceEntry, ServiceKey, SidEntry, Tally, VrfEntry,
    egress_counter, service_counter, vrf_counter,
};

pub(crate) const VRF_SLOTS: u32 = 4096;
const SID_SLOTS: u32 = 16_384;
const SERVICE_SLOTS: u32 = 16_384;
const EGRESS_SLOTS: u32 = 4096;

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
pub(crate) static SERVICES: HashMap<ServiceKey, ServiceEntry> = HashMap::with_max_entries(SERVICE_SLOTS, 0);
#[map]
pub(crate) static BACKENDS: Array<BackendEntry> = Array::with_max_entries(65_536, 0);
#[map]
pub(crate) static MAGLEV: Array<MaglevRow> = Array::with_max_entries(65_536, 0);
#[map]
pub(crate) static SERVICE_COUNTERS: PerCpuArray<Tally> =
    PerCpuArray::with_max_entries(SERVICE_SLOTS * service_counter::COUNT, 0);
#[map]
pub(crate) static EGRESS_INDEX: HashMap<HostKey, u32> = HashMap::with_max_entries(EGRESS_SLOTS, 0);
#[map]
pub(crate) static EGRESS: Array<EgressEntry> = Array::with_max_entries(EGRESS_SLOTS, 0);
#[map]
pub(crate) static EGRESS_COUNTERS: PerCpuArray<Tally> =
    PerCpuArray::with_max_entries(EGRESS_SLOTS * egress_counter::COUNT, 0);
/// By source, a class: the policies that hold it.
#[map]
pub(crate) static EGRESS_SOURCES4: LpmTrie<FibKey4, u32> = LpmTrie::with_max_entries(16_384, 0);
#[map]
pub(crate) static EGRESS_SOURCES6: LpmTrie<FibKey6, u32> = LpmTrie::with_max_entries(16_384, 0);
/// By class (in place of the VRF) and destination, the policy; 0 for none.
#[map]
pub(crate) static EGRESS_DESTINATIONS4: LpmTrie<FibKey4, u32> = LpmTrie::with_max_entries(65_536, 0);
#[map]
pub(crate) static EGRESS_DESTINATIONS6: LpmTrie<FibKey6, u32> = LpmTrie::with_max_entries(65_536, 0);
#[map]
pub(crate) static EGRESS_POLICIES: HashMap<u32, EgressPolicyEntry> = HashMap::with_max_entries(4096, 0);
/// What the policies were set to: no program reads it.
#[map]
pub(crate) static EGRESS_MEMBERS: HashMap<EgressMember, u32> = HashMap::with_max_entries(65_536, 0);
#[map]
pub(crate) static EVENTS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);
