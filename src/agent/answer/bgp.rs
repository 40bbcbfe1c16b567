//! Sessions and routes of BGP.

use std::{collections::BTreeMap, net::IpAddr};

use bgp_core::{config::PeerId, rib::RouteView, speaker::PeerView};
use bgp_wire::{Family, capability::Capability, message::NextHop, nlri::Prefix};
use ipnet::IpNet;
use srv6_types::VrfId;

use super::Refusal;
use crate::{agent::node::Node, report};

impl Node {
    pub(super) async fn summary(&self) -> Result<report::BgpSummary, Refusal> {
        let router = &self.intent.router;
        Ok(report::BgpSummary {
            asn: router.asn,
            router_id: router.router_id,
            neighbors: self.neighbors().await?,
        })
    }

    pub(in crate::agent) async fn neighbors(&self) -> Result<Vec<report::Neighbor>, Refusal> {
        let peers = self.speaker.peers().await.map_err(|gone| gone.to_string())?;
        let mut neighbors: Vec<_> = peers.iter().map(neighbor).collect();
        for neighbor in &mut neighbors {
            neighbor.hint = self.hint(neighbor).await;
        }
        Ok(neighbors)
    }

    /// What is sent to an external peer goes one hop far unless `multihop` says otherwise.
    async fn hint(&self, neighbor: &report::Neighbor) -> Option<String> {
        let mut configured = self.intent.bgp.neighbors.iter();
        let configured = configured.find(|configured| configured.address == neighbor.address)?;
        let on_link = configured.is_external(&self.intent) && configured.multihop.is_none();
        if neighbor.uptime_seconds.is_some() || !on_link {
            return None;
        }
        let gateway = self.underlay.gateway_to(neighbor.address).await?;
        Some(format!(
            "the neighbor is on no link of this node, and what is sent to it ends at {gateway}; write multihop if that is \
             another node"
        ))
    }

    pub(super) async fn clear(&self, neighbor: IpAddr) -> Result<String, Refusal> {
        match self.speaker.clear(neighbor).await.map_err(|gone| gone.to_string())? {
            true => Ok(format!("the session with {neighbor} is reset")),
            false => Err(format!("there is no neighbor {neighbor}; sixedge show bgp summary lists them")),
        }
    }

    pub(super) async fn bgp_routes(
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
        hint: None,
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
    let others = attributes.extended_communities.iter().filter(|c| c.route_target().is_none());
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
        extended_communities: others.map(ToString::to_string).collect(),
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
