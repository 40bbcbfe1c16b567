//! Sums the per-CPU counters.

use aya::maps::{MapData, MapError, PerCpuArray};
use srv6_types::{
    DropReason, Sid, VrfId,
    maps::{self, service_counter, vrf_counter},
};

use super::{EbpfDataplane, error::EbpfError};
use crate::model::{Counters, ServiceCounters, Tally, VrfCounters};

impl EbpfDataplane {
    pub(super) fn read_counters(&self) -> Result<Counters, EbpfError> {
        let mut counters = Counters::default();
        for vrf in self.vrfs()?.into_keys() {
            let of_vrf =
                vrf_counters(&self.maps.vrf_counters, vrf).map_err(self.maps.error("VRF_COUNTERS"))?;
            counters.vrfs.insert(vrf, of_vrf);
        }
        for entry in self.maps.sids.iter() {
            let (sid, entry) = entry.map_err(self.maps.error("SIDS"))?;
            let tally =
                sum(&self.maps.sid_counters, entry.counter).map_err(self.maps.error("SID_COUNTERS"))?;
            counters.sids.insert(Sid(sid), tally);
        }
        for (id, installed) in &self.services.installed {
            let of_service = service_counters(&self.services.counters, installed.entry.counter);
            counters.services.insert(*id, of_service.map_err(self.maps.error("SERVICE_COUNTERS"))?);
        }
        for entry in self.maps.drops.iter() {
            let (key, values) = entry.map_err(self.maps.error("DROPS"))?;
            let packets = values.iter().sum();
            if let Some(reason) = DropReason::from_code(key.reason).filter(|_| packets > 0) {
                counters.drops.insert((VrfId(key.vrf), reason), packets);
            }
        }
        Ok(counters)
    }
}

fn vrf_counters(map: &PerCpuArray<MapData, maps::Tally>, vrf: VrfId) -> Result<VrfCounters, MapError> {
    let of = |counter| sum(map, vrf.0 * vrf_counter::COUNT + counter);
    Ok(VrfCounters {
        from_circuit: of(vrf_counter::FROM_CIRCUIT)?,
        encapsulated: of(vrf_counter::ENCAPSULATED)?,
        decapsulated: of(vrf_counter::DECAPSULATED)?,
        delivered: of(vrf_counter::DELIVERED)?,
        answered: of(vrf_counter::ANSWERED)?,
        dropped: of(vrf_counter::DROPPED)?,
    })
}

fn service_counters(
    map: &PerCpuArray<MapData, maps::Tally>,
    counter: u32,
) -> Result<ServiceCounters, MapError> {
    let of = |which| sum(map, counter * service_counter::COUNT + which);
    Ok(ServiceCounters {
        forwarded: of(service_counter::FORWARDED)?,
        replies: of(service_counter::REPLIES)?,
        flows: of(service_counter::FLOWS)?,
        refused: of(service_counter::REFUSED)?,
    })
}

fn sum(map: &PerCpuArray<MapData, maps::Tally>, index: u32) -> Result<Tally, MapError> {
    let per_cpu = map.get(&index, 0)?;
    Ok(per_cpu.iter().fold(Tally::default(), |sum, cpu| Tally {
        packets: sum.packets + cpu.packets,
        bytes: sum.bytes + cpu.bytes,
    }))
}
