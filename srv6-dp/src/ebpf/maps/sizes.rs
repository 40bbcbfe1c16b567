//! How large the maps are, and which there are.

use aya::maps::{MapError, MapType};
use srv6_types::{
    DropReason,
    maps::{
        BackendEntry, CircuitEntry, DropKey, EgressEntry, EgressMember, EgressPolicyEntry, FibKey4, FibKey6,
        FilterClass, FilterEntry, FilterKey4, FilterKey6, FilterPortKey, FilterRuleEntry, FilterRuleKey,
        FilterVerdict, FlowEntry, FlowKey, HostKey, LAYOUT, MaglevRow, NextHopEntry, NodeConfig,
        ServiceEntry, ServiceKey, SidEntry, Tally, VrfEntry, egress_counter, service_counter, vrf_counter,
    },
};

use super::spec::{Spec, size, spec, trie_key};
use crate::ebpf::error::EbpfError;

/// How much the maps hold. A change makes new maps, see [`crate::ebpf::Opened::Staged`].
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
    /// Rules over all filters; memory is taken as they come, but their counters are charged per CPU.
    pub filter_rules: u32,
    /// Egress addresses, and as many policies; the addresses' counters are charged per CPU.
    pub egress: u32,
    /// Prefixes and circuits that egress policies are set with, and prefixes of each family that they are compiled to.
    pub egress_prefixes: u32,
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
            filter_rules: 65_536,
            egress: 4_096,
            egress_prefixes: 65_536,
        }
    }
}

/// Prefixes in each of `LOCATORS` and `DOMAIN`.
const NODE_PREFIXES: u32 = 256;

impl Sizes {
    /// The pinned maps. The event ring is not among them: what nobody has read when the process ends is stale.
    pub(in crate::ebpf) fn specs(&self) -> Vec<Spec> {
        let (fib, node) = (self.fib_specs(), self.node_specs());
        [&fib[..], &node, &self.service_specs(), &self.filter_specs(), &self.egress_specs()].concat()
    }

    pub(in crate::ebpf) fn fib_specs(&self) -> [Spec; 4] {
        use MapType::{Array, Hash, LpmTrie};
        let &Self { routes, next_hops, .. } = self;
        let next_hop = size::<NextHopEntry>();
        [
            spec("FIB4", LpmTrie, trie_key::<FibKey4>(), 4, routes, "sizes.routes"),
            spec("FIB6", LpmTrie, trie_key::<FibKey6>(), 4, routes, "sizes.routes"),
            spec("NEXT_HOPS", Array, 4, next_hop, next_hops, "sizes.next_hops"),
            spec("OWN", Hash, size::<HostKey>(), 4, self.own(), "sizes.services and sizes.egress"),
        ]
    }

    /// A VIP for each service at most.
    const fn own(&self) -> u32 {
        self.services.saturating_add(self.egress)
    }

    /// The array of flow tables by VRF.
    pub(in crate::ebpf) const fn flows_spec(&self) -> Spec {
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
            node_spec(),
            spec("VRF_COUNTERS", PerCpuArray, 4, size::<Tally>(), vrf_counters, "sizes.vrfs"),
            spec("SID_COUNTERS", PerCpuArray, 4, size::<Tally>(), sids, "sizes.sids"),
            spec("DROPS", PerCpuHash, size::<DropKey>(), 8, drops, "sizes.vrfs"),
            self.flows_spec(),
        ]
    }

    pub(in crate::ebpf) fn service_specs(&self) -> [Spec; 4] {
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

    /// Twice the rules, for a filter that is replaced is there twice for a moment.
    pub(in crate::ebpf) fn filter_specs(&self) -> [Spec; 6] {
        use MapType::{Hash, LpmTrie, PerCpuArray};
        let rules = self.filter_rules.saturating_mul(2);
        let (key4, key6, class) = (trie_key::<FilterKey4>(), trie_key::<FilterKey6>(), size::<FilterClass>());
        let (key_port, verdict) = (trie_key::<FilterPortKey>(), size::<FilterVerdict>());
        let (key_rule, rule) = (size::<FilterRuleKey>(), size::<FilterRuleEntry>());
        let ports = rules.saturating_mul(4);
        let setting = "sizes.filter_rules";
        [
            spec(
                "FILTERS",
                Hash,
                4,
                size::<FilterEntry>(),
                self.circuits.saturating_add(1),
                "sizes.circuits",
            ),
            spec("FILTER_RULES", Hash, key_rule, rule, rules, setting),
            spec("FILTER_COUNTERS", PerCpuArray, 4, size::<Tally>(), rules, setting),
            spec("FILTER_CLASSES4", LpmTrie, key4, class, rules, setting),
            spec("FILTER_CLASSES6", LpmTrie, key6, class, rules, setting),
            spec("FILTER_PORTS", LpmTrie, key_port, verdict, ports, setting),
        ]
    }

    fn egress_specs(&self) -> [Spec; 9] {
        use MapType::{Array, Hash, LpmTrie, PerCpuArray};
        let &Self { egress, egress_prefixes: prefixes, .. } = self;
        let (key, counters) = (size::<HostKey>(), egress.saturating_mul(egress_counter::COUNT));
        let (policy, member) = (size::<EgressPolicyEntry>(), size::<EgressMember>());
        let trie = |name, key| spec(name, LpmTrie, key, 4, prefixes, "sizes.egress_prefixes");
        [
            spec("EGRESS_INDEX", Hash, key, 4, egress, "sizes.egress"),
            spec("EGRESS", Array, 4, size::<EgressEntry>(), egress, "sizes.egress"),
            spec("EGRESS_COUNTERS", PerCpuArray, 4, size::<Tally>(), counters, "sizes.egress"),
            trie("EGRESS_SOURCES4", trie_key::<FibKey4>()),
            trie("EGRESS_SOURCES6", trie_key::<FibKey6>()),
            trie("EGRESS_DESTINATIONS4", trie_key::<FibKey4>()),
            trie("EGRESS_DESTINATIONS6", trie_key::<FibKey6>()),
            spec("EGRESS_POLICIES", Hash, 4, policy, egress, "sizes.egress"),
            spec("EGRESS_MEMBERS", Hash, member, 4, prefixes, "sizes.egress_prefixes"),
        ]
    }

    /// For `map_err`: the error of the map `name`.
    pub(in crate::ebpf) fn error(&self, name: &'static str) -> impl Fn(MapError) -> EbpfError + use<> {
        let spec = self.specs().into_iter().find(|spec| spec.name == name);
        move |source| match spec {
            Some(spec) => spec.error(source),
            None => EbpfError::Map { map: name, source },
        }
    }

    /// Names a layout: FNV-1a over [`LAYOUT`] and every map's name, type and sizes.
    pub(in crate::ebpf) fn layout_hash(&self) -> u64 {
        let specs = self.specs();
        let text = specs.iter().fold(LAYOUT.to_string(), |text, spec| format!("{text};{}:{spec}", spec.name));
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }
}

pub(in crate::ebpf) const fn node_spec() -> Spec {
    spec("NODE", MapType::Array, 4, size::<NodeConfig>(), 1, "nothing")
}

/// A VRF's flow table. One list of what was used least recently for all CPUs (no `BPF_F_NO_COMMON_LRU`): a list for each
/// would give a tenant whose packets come by one queue only that CPU's share of its flows.
pub(in crate::ebpf) const fn flow_table(entries: u32) -> Spec {
    spec("FLOWS", MapType::LruHash, size::<FlowKey>(), size::<FlowEntry>(), entries, "maxFlows")
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
