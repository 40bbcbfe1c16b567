//! What the programs have counted.

use std::time::Duration;

use srv6_dp::{Dataplane, ebpf::DroppedPacket, model::Tally};

use super::Refusal;
use crate::{
    agent::{chain, node::Node, recent_drops::RecentDrops},
    report,
};

impl Node {
    pub(super) fn sids(&self) -> Result<report::Sids, Refusal> {
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let sids = self.tables.sid_views().into_iter().map(|view| {
            let Tally { packets, bytes } = counters.sids.get(&view.sid.into()).copied().unwrap_or_default();
            report::Sid { view, packets, bytes }
        });
        Ok(report::Sids { sids: sids.collect() })
    }

    pub(super) fn drops(&self, recent: &RecentDrops) -> Result<report::Drops, Refusal> {
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let drops = counters.drops.iter().map(|((vrf, reason), packets)| report::Drop {
            vrf: self.name_of(*vrf),
            reason: reason.word().to_owned(),
            packets: *packets,
            meaning: reason.meaning().trim().to_owned(),
        });
        let recent = recent.iter().map(|(at, packet)| self.dropped(at.elapsed(), packet));
        Ok(report::Drops { drops: drops.collect(), recent: recent.collect() })
    }

    fn dropped(&self, ago: Duration, packet: &DroppedPacket) -> report::DroppedPacket {
        report::DroppedPacket {
            seconds_ago: ago.as_secs(),
            vrf: self.name_of(packet.vrf),
            reason: packet.reason.word().to_owned(),
            rule: packet.rule.clone(),
            interface: self.interface_name(packet.interface),
            source: packet.flow.map(|flow| flow.source),
            destination: packet.flow.map(|flow| flow.destination),
            protocol: packet.flow.map(|flow| flow.protocol),
            ports: packet.flow.map(|flow| flow.ports).filter(|ports| *ports != (0, 0)),
        }
    }

    pub(super) fn counters(&self) -> Result<report::Counters, Refusal> {
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let vrfs = self.tables.names().map(|(id, name)| {
            let of = counters.vrfs.get(&id).copied().unwrap_or_default();
            report::VrfCounters {
                vrf: name.to_owned(),
                from_circuit: of.from_circuit.packets,
                encapsulated: of.encapsulated.packets,
                decapsulated: of.decapsulated.packets,
                delivered: of.delivered.packets,
                answered: of.answered.packets,
                dropped: of.dropped.packets,
                bytes_encapsulated: of.encapsulated.bytes,
                bytes_decapsulated: of.decapsulated.bytes,
            }
        });
        Ok(report::Counters { vrfs: vrfs.collect() })
    }
}
