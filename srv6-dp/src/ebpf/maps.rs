//! The maps by name, their sizes, and the hash that tells one layout from another.

use std::fmt;

use aya::{
    Ebpf,
    maps::{Array, HashMap, LpmTrie, Map, MapData, MapError, MapInfo, MapType, PerCpuArray, PerCpuHashMap},
};
use srv6_types::{
    DropReason,
    maps::{
        BackendEntry, CircuitEntry, DropKey, FibKey4, FibKey6, FlowEntry, FlowKey, LAYOUT, MaglevRow,
        NextHopEntry, NodeConfig, ServiceEntry, ServiceKey, SidEntry, Tally, VrfEntry, service_counter,
        vrf_counter,
    },
};

use super::{
    batch::Trie,
    error::{EbpfError, map_errno},
    pins::Pins,
};

/// How much the maps hold. A change makes new maps, see [`super::Opened::Staged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Routes of each family over all VRFs; memory is taken as they come.
    pub routes: u32,
    /// Distinct next hops, 104 octets each.
    pub next_hops: u32,
    /// Attachment circuits.
    pub circuits: u32,
    /// Local SIDs; their counters are charged per CPU.
    pub sids: u32,
    /// VRF ids run below this.
    pub vrfs: u32,
    /// Services, one for each VIP, protocol and port; at most 65,536. Their counters are charged per CPU.
    pub services: u32,
    /// Backends over all services, 32 octets each.
    pub backends: u32,
    /// Rows of all Maglev tables, 256 octets each: a service of up to 2 backends takes 4 or 8, of 5 it takes 8 or 16, of
    /// 10 it takes 16 or 32, and so on; the larger number where only some of the backends are behind this node.
    pub maglev_rows: u32,
}

/// What a backend's entry has room for to name its service.
const MAX_SERVICES: u32 = 1 << 16;

impl Default for Sizes {
    fn default() -> Self {
        Self {
            routes: 1_000_000,
            next_hops: 65_536,
            circuits: 16_384,
            sids: 16_384,
            vrfs: 4_096,
            services: 16_384,
            backends: 65_536,
            maglev_rows: 131_072,
        }
    }
}

/// Prefixes in each of `LOCATORS` and `DOMAIN`.
const NODE_PREFIXES: u32 = 256;

/// What a map is, apart from its contents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    kind: MapType,
    pub(super) key: u32,
    pub(super) value: u32,
    pub(super) entries: u32,
    /// The setting that sizes it.
    pub(super) setting: &'static str,
}

/// Prints as errors and the hash want it.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} entries {} -> {}", self.kind, self.entries, self.key, self.value)
    }
}

const fn spec(
    name: &'static str,
    kind: MapType,
    key: u32,
    value: u32,
    entries: u32,
    setting: &'static str,
) -> Spec {
    Spec { name, kind, key, value, entries, setting }
}

const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

/// Key of an LPM trie: the prefix length and `T`.
const fn trie_key<T>() -> u32 {
    4 + size::<T>()
}

impl Sizes {
    /// The pinned maps. The event ring is not among them: what nobody has read when the process ends is stale.
    pub(super) fn specs(&self) -> Vec<Spec> {
        [&self.fib_specs()[..], &self.node_specs(), &self.service_specs()].concat()
    }

    pub(super) fn fib_specs(&self) -> [Spec; 3] {
        use MapType::{Array, LpmTrie};
        let &Self { routes, next_hops, .. } = self;
        let next_hop = size::<NextHopEntry>();
        [
            spec("FIB4", LpmTrie, trie_key::<FibKey4>(), 4, routes, "sizes.routes"),
            spec("FIB6", LpmTrie, trie_key::<FibKey6>(), 4, routes, "sizes.routes"),
            spec("NEXT_HOPS", Array, 4, next_hop, next_hops, "sizes.next_hops"),
        ]
    }

    /// The array of flow tables by VRF.
    pub(super) const fn flows_spec(&self) -> Spec {
        spec("FLOWS", MapType::ArrayOfMaps, 4, 4, self.vrfs, "sizes.vrfs")
    }

    fn node_specs(&self) -> [Spec; 10] {
        use MapType::{Array, Hash, LpmTrie, PerCpuArray, PerCpuHash};
        let &Self { circuits, sids, vrfs, .. } = self;
        let drops = vrfs.saturating_mul(DropReason::COUNT).min(65_536);
        let vrf_counters = vrfs.saturating_mul(vrf_counter::COUNT);
        [
            spec("CIRCUITS", Hash, 4, size::<CircuitEntry>(), circuits, "sizes.circuits"),
            spec("VRFS", Array, 4, size::<VrfEntry>(), vrfs, "sizes.vrfs"),
            spec("SIDS", Hash, 16, size::<SidEntry>(), sids, "sizes.sids"),
            spec("LOCATORS", LpmTrie, trie_key::<[u8; 16]>(), 4, NODE_PREFIXES, "fewer locators"),
            spec("DOMAIN", LpmTrie, trie_key::<[u8; 16]>(), 4, NODE_PREFIXES, "fewer domain prefixes"),
            spec("NODE", Array, 4, size::<NodeConfig>(), 1, "nothing"),
            spec("VRF_COUNTERS", PerCpuArray, 4, size::<Tally>(), vrf_counters, "sizes.vrfs"),
            spec("SID_COUNTERS", PerCpuArray, 4, size::<Tally>(), sids, "sizes.sids"),
            spec("DROPS", PerCpuHash, size::<DropKey>(), 8, drops, "sizes.vrfs"),
            self.flows_spec(),
        ]
    }

    pub(super) fn service_specs(&self) -> [Spec; 4] {
        use MapType::{Array, Hash, PerCpuArray};
        let &Self { backends, maglev_rows, .. } = self;
        let services = self.services.min(MAX_SERVICES);
        let (key, counters) = (size::<ServiceKey>(), services.saturating_mul(service_counter::COUNT));
        [
            spec("SERVICES", Hash, key, size::<ServiceEntry>(), services, "sizes.services"),
            spec("BACKENDS", Array, 4, size::<BackendEntry>(), backends, "sizes.backends"),
            spec("MAGLEV", Array, 4, size::<MaglevRow>(), maglev_rows, "sizes.maglev_rows"),
            spec("SERVICE_COUNTERS", PerCpuArray, 4, size::<Tally>(), counters, "sizes.services"),
        ]
    }

    /// Names a layout: FNV-1a over [`LAYOUT`] and every map's name, type and sizes.
    pub(super) fn layout_hash(&self) -> u64 {
        let specs = self.specs();
        let text = specs.iter().fold(LAYOUT.to_string(), |text, spec| format!("{text};{}:{spec}", spec.name));
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }
}

/// A VRF's flow table. One list of what was used least recently for all CPUs (no `BPF_F_NO_COMMON_LRU`): a list for each
/// would give a tenant whose packets come by one queue only that CPU's share of its flows.
pub(super) const fn flow_table(entries: u32) -> Spec {
    spec("FLOWS", MapType::LruHash, size::<FlowKey>(), size::<FlowEntry>(), entries, "maxFlows")
}

impl Spec {
    /// The map as the kernel describes it.
    pub(super) fn of(&self, found: &MapInfo) -> Result<Self, EbpfError> {
        let kind = found.map_type().map_err(|source| EbpfError::Map { map: self.name, source })?;
        Ok(Self {
            kind,
            key: found.key_size(),
            value: found.value_size(),
            entries: found.max_entries(),
            ..*self
        })
    }

    pub(super) fn differs_in_size_only(&self, other: &Self) -> bool {
        *self == Self { entries: self.entries, ..*other }
    }

    /// There is no room for another entry.
    pub(super) const fn full(&self) -> EbpfError {
        EbpfError::Full { map: self.name, size: self.entries, setting: self.setting }
    }

    /// Whether the map was refused for want of room, or for another reason.
    pub(super) fn error(&self, source: MapError) -> EbpfError {
        let full = matches!(map_errno(&source), Some(libc::ENOSPC | libc::E2BIG))
            || matches!(source, MapError::OutOfBounds { .. });
        if full {
            return self.full();
        }
        EbpfError::Map { map: self.name, source }
    }
}

/// The maps with their types; the FIB's are apart in [`super::fib`].
pub(super) struct Maps {
    specs: Vec<Spec>,
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
            specs: sizes.specs(),
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
        let spec = self.specs.iter().find(|spec| spec.name == name).copied();
        move |source| match spec {
            Some(spec) => spec.error(source),
            None => EbpfError::Map { map: name, source },
        }
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

/// Takes one of the FIB's tries, with its second handle from the pin.
pub(super) fn take_trie<K: aya::Pod>(
    ebpf: &mut Ebpf,
    pins: &Pins,
    generation: &str,
    name: &'static str,
) -> Result<Trie<K>, EbpfError> {
    let handle = MapData::from_pin(pins.map(generation, name))
        .map_err(|source| EbpfError::Map { map: name, source })?;
    Ok(Trie::new(take(ebpf, name)?, handle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_size_is_another_layout() {
        let sizes = Sizes::default();
        assert_eq!(sizes.layout_hash(), Sizes::default().layout_hash());
        assert_ne!(sizes.layout_hash(), Sizes { vrfs: 17, ..sizes }.layout_hash());
    }
}
