//! The maps by name, their sizes, and the hash that tells one layout from another.

mod sizes;
mod spec;

use aya::{
    Ebpf,
    maps::{Array, HashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, PerCpuHashMap},
};
use srv6_types::maps::{CircuitEntry, DropKey, NodeConfig, SidEntry, Tally, VrfEntry};

pub use sizes::Sizes;
pub(super) use sizes::{flow_table, node_spec};
pub(super) use spec::Spec;

use super::{batch::Trie, error::EbpfError, pins::Pins};

/// The maps with their types; the FIB's are apart in [`super::fib`].
pub(super) struct Maps {
    sizes: Sizes,
    pub(super) circuits: HashMap<MapData, u32, CircuitEntry>,
    pub(super) vrfs: Array<MapData, VrfEntry>,
    pub(super) sids: HashMap<MapData, [u8; 16], SidEntry>,
    pub(super) locators: LpmTrie<MapData, [u8; 16], u32>,
    pub(super) domain: LpmTrie<MapData, [u8; 16], u32>,
    pub(super) node: Array<MapData, NodeConfig>,
    pub(super) vrf_counters: PerCpuArray<MapData, Tally>,
    pub(super) sid_counters: PerCpuArray<MapData, Tally>,
    pub(super) drops: PerCpuHashMap<MapData, DropKey, u64>,
}

impl Maps {
    pub(super) fn take(ebpf: &mut Ebpf, sizes: &Sizes) -> Result<Self, EbpfError> {
        Ok(Self {
            sizes: *sizes,
            circuits: take(ebpf, "CIRCUITS")?,
            vrfs: take(ebpf, "VRFS")?,
            sids: take(ebpf, "SIDS")?,
            locators: take(ebpf, "LOCATORS")?,
            domain: take(ebpf, "DOMAIN")?,
            node: take(ebpf, "NODE")?,
            vrf_counters: take(ebpf, "VRF_COUNTERS")?,
            sid_counters: take(ebpf, "SID_COUNTERS")?,
            drops: take(ebpf, "DROPS")?,
        })
    }

    /// For `map_err`: the error of the map `name`.
    pub(super) fn error(&self, name: &'static str) -> impl Fn(MapError) -> EbpfError + use<> {
        self.sizes.error(name)
    }
}

/// Takes a map out of the loaded object.
pub(super) fn take<M: TryFrom<Map, Error = MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, EbpfError> {
    let map = ebpf.take_map(name).ok_or(EbpfError::Missing(name))?;
    M::try_from(map).map_err(|source| EbpfError::Map { map: name, source })
}

/// Takes a trie with its second handle from the pin.
pub(super) fn take_trie<K: aya::Pod, V: aya::Pod>(
    ebpf: &mut Ebpf,
    pins: &Pins,
    generation: &str,
    name: &'static str,
) -> Result<Trie<K, V>, EbpfError> {
    let handle = MapData::from_pin(pins.map(generation, name))
        .map_err(|source| EbpfError::Map { map: name, source })?;
    Ok(Trie::new(take(ebpf, name)?, handle))
}
