//! Answers to the CLI, made of what the parts show of themselves.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use bgp_core::{config::PeerId, rib::RouteView, speaker::PeerView};
use bgp_wire::{Family, capability::Capability, message::NextHop, nlri::Prefix};
use ipnet::IpNet;
use serde::Serialize;
use srv6_dp::{Dataplane, ebpf::DroppedPacket, model::Tally};
use srv6_types::VrfId;

use super::{chain, node::Node, recent_drops::RecentDrops};
use crate::{
    control::{Request, Response},
    report,
};

/// Why a question has no answer, in words.
type Refusal = String;

impl Node {
    pub(super) async fn answer(&mut self, request: Request, recent: &RecentDrops) -> Response {
        let answer = match request {
            Request::ShowBgpSummary => json(self.summary().await),
            Request::ShowNeighbors => {
                json(self.neighbors().await.map(|neighbors| report::Neighbors { neighbors }))
            }
            Request::ShowBgpRoutes { family, prefix } => json(self.bgp_routes(family, prefix).await),
            Request::ShowVrfs { name } => json(self.vrfs(name.as_deref())),
            Request::ShowVrfRoutes { name } => json(self.vrf_routes(&name)),
            Request::ShowSids => json(self.sids()),
            Request::ShowDrops => json(self.drops(recent)),
            Request::ShowCounters => json(self.counters()),
            Request::Version => json(Ok(env!("CARGO_PKG_VERSION"))),
            Request::ClearBgp { neighbor } => json(self.clear(neighbor).await),
            Request::Reload => {
                json(self.reload().await.map_err(|error| chain(&error)).map(|()| "read again"))
            }
        };
        answer.map_or_else(Response::Error, Response::Ok)
    }

    async fn summary(&self) -> Result<report::BgpSummary, Refusal> {
        let router = &self.intent.router;
        Ok(report::BgpSummary {
            asn: router.asn,
            router_id: router.router_id,
            neighbors: self.neighbors().await?,
        })
    }

    async fn neighbors(&self) -> Result<Vec<report::Neighbor>, Refusal> {
        let peers = self.speaker.peers().await.map_err(|gone| gone.to_string())?;
        Ok(peers.iter().map(neighbor).collect())
    }

    async fn clear(&self, neighbor: IpAddr) -> Result<String, Refusal> {
        match self.speaker.clear(neighbor).await.map_err(|gone| gone.to_string())? {
            true => Ok(format!("the session with {neighbor} is reset")),
            false => Err(format!("there is no neighbor {neighbor}; sixedge show bgp summary lists them")),
        }
    }

    async fn bgp_routes(
        &self,
        family: Option<Family>,
        prefix: Option<IpNet>,
    ) -> Result<report::BgpRoutes, Refusal> {
        let family = family.unwrap_or(Family::Vpnv4);
        let peers = self.speaker.peers().await.map_err(|gone| gone.to_string())?;
        let from: BTreeMap<_, _> = peers.iter().map(|peer| (peer.peer, peer.address.to_string())).collect();
        let vrfs: BTreeMap<_, _> = self.tables.names().collect();
        let routes =
            self.speaker.routes(family, prefix.map(Prefix::from)).await.map_err(|gone| gone.to_string())?;
        let routes = routes.iter().map(|view| route(view, &from, &vrfs)).collect();
        Ok(report::BgpRoutes { family: family.to_string(), routes })
    }

    fn vrfs(&self, name: Option<&str>) -> Result<report::Vrfs, Refusal> {
        let mut vrfs = self.tables.vrf_views();
        if let Some(name) = name {
            self.vrf(name)?;
            vrfs.retain(|vrf| vrf.name == name);
        }
        Ok(report::Vrfs { vrfs })
    }

    fn vrf_routes(&self, name: &str) -> Result<report::VrfRoutes, Refusal> {
        let vrf = self.vrf(name)?;
        Ok(report::VrfRoutes { vrf: name.to_owned(), routes: self.tables.route_views(vrf) })
    }

    fn vrf(&self, name: &str) -> Result<VrfId, Refusal> {
        self.tables.find(name).ok_or_else(|| {
            let names: Vec<_> = self.tables.names().map(|(_, name)| name).collect();
            format!("there is no VRF {name}; there are: {}", names.join(" "))
        })
    }

    fn sids(&self) -> Result<report::Sids, Refusal> {
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let sids = self.tables.sid_views().into_iter().map(|view| {
            let Tally { packets, bytes } = counters.sids.get(&view.sid.into()).copied().unwrap_or_default();
            report::Sid { view, packets, bytes }
        });
        Ok(report::Sids { sids: sids.collect() })
    }

    fn drops(&self, recent: &RecentDrops) -> Result<report::Drops, Refusal> {
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
        let interface = self.interface(packet.interface).map(str::to_owned);
        report::DroppedPacket {
            seconds_ago: ago.as_secs(),
            vrf: self.name_of(packet.vrf),
            reason: packet.reason.word().to_owned(),
            interface: interface.unwrap_or_else(|| format!("if{}", packet.interface.0)),
            source: packet.flow.map(|flow| flow.source),
            destination: packet.flow.map(|flow| flow.destination),
            protocol: packet.flow.map(|flow| flow.protocol),
            ports: packet.flow.map(|flow| flow.ports).filter(|ports| *ports != (0, 0)),
        }
    }

    fn counters(&self) -> Result<report::Counters, Refusal> {
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

    fn name_of(&self, id: VrfId) -> String {
        match self.tables.names().find(|(vrf, _)| *vrf == id) {
            Some((_, name)) => name.to_owned(),
            None if id == VrfId::GLOBAL => "-".to_owned(),
            None => id.to_string(),
        }
    }
}

fn json(report: Result<impl Serialize, Refusal>) -> Result<serde_json::Value, Refusal> {
    serde_json::to_value(report?).map_err(|error| error.to_string())
}

fn neighbor(view: &PeerView) -> report::Neighbor {
    let session = view.session.as_ref();
    let negotiated = |family: &Family| session.is_some_and(|s| s.families.iter().any(|(f, _)| f == family));
    let families = Family::ALL.iter().zip(&view.routes).filter(|(family, _)| negotiated(family));
    report::Neighbor {
        address: view.address,
        asn: view.asn,
        description: view.description.clone(),
        state: view.state.to_owned(),
        uptime_seconds: session.map(|s| s.uptime.as_secs()),
        router_id: session.map(|s| s.router_id),
        hold_time: session.map(|s| s.hold_time.as_secs()),
        keepalive: session.map(|s| s.keepalive.as_secs()),
        capabilities: session.map(|s| s.capabilities.iter().map(capability).collect()).unwrap_or_default(),
        families: families
            .map(|(family, counts)| report::FamilyCounts {
                family: family.to_string(),
                received: counts.received,
                accepted: counts.accepted,
                advertised: counts.advertised,
            })
            .collect(),
        stale: view.stale.iter().map(ToString::to_string).collect(),
        messages_received: view.messages.received,
        messages_sent: view.messages.sent,
        last_error: view.last_error.as_ref().map(|(_, why)| why.clone()),
        last_error_seconds: view.last_error.as_ref().map(|(ago, _)| ago.as_secs()),
    }
}

fn capability(capability: &Capability) -> String {
    match capability {
        Capability::MultiProtocol { afi, safi } => Family::from_code(*afi, *safi)
            .map_or_else(|| format!("family {afi}/{safi}"), |family| family.to_string()),
        Capability::RouteRefresh => "route refresh".to_owned(),
        Capability::EnhancedRouteRefresh => "enhanced route refresh".to_owned(),
        Capability::ExtendedNextHop(_) => "extended next hop".to_owned(),
        Capability::ExtendedMessage => "extended message".to_owned(),
        Capability::GracefulRestart(graceful) => format!("graceful restart {} s", graceful.restart_time),
        Capability::FourOctetAs(asn) => format!("4-octet AS {asn}"),
        Capability::AddPath(_) => "add-path".to_owned(),
        Capability::Unknown { code, .. } => format!("capability {code}"),
    }
}

fn route(
    view: &RouteView,
    peers: &BTreeMap<PeerId, String>,
    vrfs: &BTreeMap<VrfId, &str>,
) -> report::BgpRoute {
    let attributes = &view.attributes;
    let local = view.peer == PeerId::LOCAL;
    let prefix_sid = attributes.prefix_sid.as_ref();
    let targets = attributes.extended_communities.iter().filter_map(|c| c.route_target());
    let name = |id: &VrfId| vrfs.get(id).map_or_else(|| id.to_string(), |name| (*name).to_owned());
    report::BgpRoute {
        rd: view.rd.map(|rd| rd.to_string()),
        prefix: view.prefix.to_string(),
        best: view.best,
        stale: view.stale,
        from: if local {
            "local".to_owned()
        } else {
            peers.get(&view.peer).cloned().unwrap_or_else(|| "-".to_owned())
        },
        next_hop: next_hop(view.next_hop),
        label: view.label.map(|label| label.value()),
        sid: view.sid.map(|sid| sid.to_string()),
        behavior: prefix_sid.and_then(|sid| sid.l3_service()).map(|service| service.behavior.to_string()),
        route_targets: targets.map(|target| target.to_string()).collect(),
        as_path: attributes.as_path.to_string(),
        origin: attributes.origin.to_string(),
        local_pref: view.local_pref,
        med: attributes.med,
        communities: attributes.communities.iter().map(ToString::to_string).collect(),
        imported_into: view.imported_into.iter().map(name).collect(),
        reason: view.lost_at.map(|step| step.to_string()),
    }
}

/// `None`: our own route, whose next hop is the address of each session.
fn next_hop(next_hop: NextHop) -> Option<String> {
    match next_hop {
        NextHop::V4(address) => (!address.is_unspecified()).then(|| address.to_string()),
        NextHop::V6 { global, .. } => (!global.is_unspecified()).then(|| global.to_string()),
    }
}
