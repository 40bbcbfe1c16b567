//! Writes and reads every map but the FIB's: node, VRFs, circuits, SIDs.

use std::collections::{BTreeMap, BTreeSet};

use aya::maps::{LpmTrie, MapData, MapError, PerCpuArray, PerCpuValues};
use ipnet::Ipv6Net;
use srv6_types::{
    DropReason, Sid, VrfId,
    maps::{DropKey, LAYOUT, NodeConfig, Tally, vrf_counter},
};

use super::{
    EbpfDataplane,
    attach::interface_name,
    batch::absent_is_fine,
    codec,
    error::EbpfError,
    maps::Maps,
    pins::{Attachment, Role},
};
use crate::{
    change::NoSuchVrf,
    model::{Circuit, IfIndex, LocalSid, Node, Vrf},
    sysctl,
};

/// Value of the prefix sets, whose keys alone matter.
const MEMBER: u32 = 1;

impl EbpfDataplane {
    pub(super) fn set_node(&mut self, node: &Node) -> Result<(), EbpfError> {
        let maps = &mut self.maps;
        let (locators, domain) = (maps.error("LOCATORS"), maps.error("DOMAIN"));
        // The guard of the domain first: it must not be missing for what comes after.
        set_prefixes(&mut maps.domain, &node.domain).map_err(domain)?;
        set_prefixes(&mut maps.locators, &node.locators).map_err(locators)?;
        let config =
            NodeConfig { source: codec::octets6(node.source), layout: LAYOUT, ..NodeConfig::default() };
        let error = maps.error("NODE");
        maps.node.set(0, config, 0).map_err(error)
    }

    pub(super) fn node(&self) -> Result<Node, EbpfError> {
        let maps = &self.maps;
        let config = maps.node.get(&0, 0).map_err(maps.error("NODE"))?;
        Ok(Node {
            source: codec::address6(config.source),
            locators: prefixes(&maps.locators).map_err(maps.error("LOCATORS"))?,
            domain: prefixes(&maps.domain).map_err(maps.error("DOMAIN"))?,
        })
    }

    pub(super) fn set_vrf(&mut self, id: VrfId, vrf: &Vrf) -> Result<(), EbpfError> {
        let error = self.maps.error("VRFS");
        let max_entries = self.sizes.vrfs;
        if id.0 >= max_entries {
            return Err(error(MapError::OutOfBounds { index: id.0, max_entries }));
        }
        if !self.has_vrf(id) {
            self.clear_counters(id)?;
            self.flows.clear_for_new(id)?;
        }
        // The programs may count on a table as long as the entry says that there is one.
        if let Some(flows) = vrf.flows {
            self.flows.set(id, flows)?;
        }
        self.maps.vrfs.set(id.0, codec::encode_vrf(vrf), 0).map_err(error)?;
        if vrf.flows.is_none() {
            self.flows.remove(id)?;
        }
        Ok(())
    }

    pub(super) fn remove_vrf(&mut self, id: VrfId) -> Result<(), EbpfError> {
        self.flows.remove(id)?;
        if self.has_vrf(id) {
            let error = self.maps.error("VRFS");
            self.maps.vrfs.set(id.0, codec::no_vrf(), 0).map_err(error)?;
        }
        self.fib.remove_vrf(id)
    }

    pub(super) fn has_vrf(&self, id: VrfId) -> bool {
        self.maps.vrfs.get(&id.0, 0).is_ok_and(|entry| codec::decode_vrf(&entry).is_some())
    }

    pub(super) fn need_vrf(&self, id: VrfId) -> Result<(), EbpfError> {
        if self.has_vrf(id) { Ok(()) } else { Err(NoSuchVrf(id).into()) }
    }

    pub(super) fn vrfs(&self) -> Result<BTreeMap<VrfId, Vrf>, EbpfError> {
        let mut vrfs = BTreeMap::new();
        for (id, entry) in (0..).zip(self.maps.vrfs.iter()) {
            if let Some(mut vrf) = codec::decode_vrf(&entry.map_err(self.maps.error("VRFS"))?) {
                if vrf.flows.is_some() && !self.flows.has(VrfId(id))? {
                    vrf.flows = None;
                }
                vrfs.insert(VrfId(id), vrf);
            }
        }
        Ok(vrfs)
    }

    /// A VRF id is used again for another tenant: it must not begin with the counts of the last one.
    fn clear_counters(&mut self, id: VrfId) -> Result<(), EbpfError> {
        let error = self.maps.error("VRF_COUNTERS");
        for counter in 0..vrf_counter::COUNT {
            let index = id.0.saturating_mul(vrf_counter::COUNT).saturating_add(counter);
            zero(&mut self.maps.vrf_counters, index).map_err(&error)?;
        }
        let error = self.maps.error("DROPS");
        for reason in DropReason::ALL {
            let key = DropKey { vrf: id.0, reason: *reason as u32 };
            absent_is_fine(self.maps.drops.remove(&key)).map_err(&error)?;
        }
        Ok(())
    }

    /// The entry is there before the first packet meets the program.
    pub(super) fn set_circuit(&mut self, interface: IfIndex, circuit: &Circuit) -> Result<(), EbpfError> {
        let name = interface_name(interface)?;
        if self.sysctls {
            sysctl::prepare_circuit(&name)?;
        }
        let error = self.maps.error("CIRCUITS");
        self.maps.circuits.insert(interface.0, codec::encode_circuit(circuit), 0).map_err(error)?;
        self.programs.attach(Role::CircuitEgress, interface)?;
        self.programs.attach(Role::Circuit, interface)
    }

    pub(super) fn remove_circuit(&mut self, interface: IfIndex) -> Result<(), EbpfError> {
        self.programs.detach(Role::Circuit, interface)?;
        self.programs.detach(Role::CircuitEgress, interface)?;
        self.forget_circuit(interface)
    }

    fn forget_circuit(&mut self, interface: IfIndex) -> Result<(), EbpfError> {
        let error = self.maps.error("CIRCUITS");
        absent_is_fine(self.maps.circuits.remove(&interface.0)).map_err(error)
    }

    /// Circuits on which packets meet the programs; an entry alone is none.
    pub(super) fn circuits(&self) -> Result<BTreeMap<IfIndex, Circuit>, EbpfError> {
        let attached =
            &self.programs.attached(Role::Circuit)? & &self.programs.attached(Role::CircuitEgress)?;
        let mut circuits = BTreeMap::new();
        for entry in self.maps.circuits.iter() {
            let (interface, entry) = entry.map_err(self.maps.error("CIRCUITS"))?;
            if attached.contains(&IfIndex(interface)) {
                circuits.insert(IfIndex(interface), codec::decode_circuit(&entry));
            }
        }
        Ok(circuits)
    }

    pub(super) fn add_core(&mut self, interface: IfIndex) -> Result<(), EbpfError> {
        let name = interface_name(interface)?;
        if self.sysctls {
            sysctl::prepare_core(&name)?;
        }
        self.programs.attach(Role::Core, interface)
    }

    pub(super) fn set_sid(&mut self, sid: Sid, local: &LocalSid) -> Result<(), EbpfError> {
        let counter = match self.maps.sids.get(&sid.0, 0) {
            Ok(entry) => entry.counter,
            Err(MapError::KeyNotFound) => self.new_counter()?,
            Err(source) => return Err(self.maps.error("SIDS")(source)),
        };
        let error = self.maps.error("SIDS");
        self.maps.sids.insert(sid.0, codec::encode_sid(local, counter, 0), 0).map_err(error)?;
        self.free_counters.remove(&counter);
        Ok(())
    }

    fn new_counter(&mut self) -> Result<u32, EbpfError> {
        let error = self.maps.error("SIDS");
        let counter = self.free_counters.first().copied();
        let counter = counter.ok_or_else(|| error(MapError::OutOfBounds { index: 0, max_entries: 0 }))?;
        let error = self.maps.error("SID_COUNTERS");
        zero(&mut self.maps.sid_counters, counter).map_err(error)?;
        Ok(counter)
    }

    pub(super) fn remove_sid(&mut self, sid: Sid) -> Result<(), EbpfError> {
        let entry = self.maps.sids.get(&sid.0, 0);
        let error = self.maps.error("SIDS");
        absent_is_fine(self.maps.sids.remove(&sid.0)).map_err(error)?;
        if let Ok(entry) = entry {
            self.free_counters.insert(entry.counter);
        }
        Ok(())
    }

    pub(super) fn sids(&self) -> Result<BTreeMap<Sid, LocalSid>, EbpfError> {
        let entries = self.maps.sids.iter().map(|entry| {
            let (sid, entry) = entry.map_err(self.maps.error("SIDS"))?;
            Ok((Sid(sid), codec::decode_sid(&entry, None)))
        });
        entries.collect()
    }

    /// Replaces programs, and forgets what went with its interface.
    pub(super) fn sweep_all(&mut self) -> Result<Vec<Attachment>, EbpfError> {
        let vanished = self.programs.replace_all()?;
        let attached = self.programs.attached(Role::Circuit)?;
        let entries: Result<Vec<_>, _> = self.maps.circuits.keys().collect();
        for interface in entries.map_err(self.maps.error("CIRCUITS"))?.into_iter().map(IfIndex) {
            if !attached.contains(&interface) {
                self.forget_circuit(interface)?;
            }
        }
        Ok(vanished)
    }
}

/// The VRFs that are to have a flow table, and of what size.
pub(super) fn wanted_flows(maps: &Maps) -> Result<BTreeMap<VrfId, u32>, EbpfError> {
    let mut wanted = BTreeMap::new();
    for (id, entry) in (0..).zip(maps.vrfs.iter()) {
        let vrf = codec::decode_vrf(&entry.map_err(maps.error("VRFS"))?);
        if let Some(flows) = vrf.and_then(|vrf| vrf.flows) {
            wanted.insert(VrfId(id), flows);
        }
    }
    Ok(wanted)
}

/// The indices of SID counters that no SID has.
pub(super) fn free_counters(maps: &Maps, sids: u32) -> Result<BTreeSet<u32>, EbpfError> {
    let mut free: BTreeSet<u32> = (0..sids).collect();
    for entry in maps.sids.iter() {
        free.remove(&entry.map_err(maps.error("SIDS"))?.1.counter);
    }
    Ok(free)
}

type PrefixSet = LpmTrie<MapData, [u8; 16], u32>;

fn prefixes(set: &PrefixSet) -> Result<BTreeSet<Ipv6Net>, MapError> {
    let keys: Result<Vec<_>, _> = set.keys().collect();
    Ok(keys?.iter().filter_map(codec::prefix).collect())
}

fn set_prefixes(set: &mut PrefixSet, wanted: &BTreeSet<Ipv6Net>) -> Result<(), MapError> {
    for prefix in wanted {
        set.insert(&codec::prefix_key(*prefix), MEMBER, 0)?;
    }
    let wanted: BTreeSet<_> = wanted.iter().map(Ipv6Net::trunc).collect();
    for prefix in prefixes(set)?.difference(&wanted) {
        absent_is_fine(set.remove(&codec::prefix_key(*prefix)))?;
    }
    Ok(())
}

pub(super) fn zero(counters: &mut PerCpuArray<MapData, Tally>, index: u32) -> Result<(), MapError> {
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| MapError::from(error))?;
    counters.set(index, PerCpuValues::try_from(vec![Tally::default(); cpus])?, 0)
}
