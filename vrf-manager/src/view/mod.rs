//! What the CLI and the metrics show of the model.

mod egress;
mod filter;
mod service;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use bgp_core::rib::LocalSid;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use srv6_dp::model::{NextHop, SidRole};
use srv6_types::VrfId;

pub use egress::{EgressAddressView, EgressChoiceView, EgressView};
pub use filter::{FilterView, RuleView};
pub use service::{AdvertisedView, BackendView, PlaceView, ServicePortView, ServiceView};

use crate::{
    plan::{CircuitState, PlannedCircuit, PlannedSid, PlannedVrf, RouteSource},
    table::{Candidate, VrfTables},
};

/// A VRF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VrfView {
    /// Operator's name.
    pub name: String,
    /// Its number in the dataplane.
    pub id: u32,
    /// Route distinguisher.
    pub rd: Option<String>,
    /// Import route targets.
    pub import_route_targets: Vec<String>,
    /// Export route targets.
    pub export_route_targets: Vec<String>,
    /// Whether the SRH is reduced.
    pub reduced: bool,
    /// Service SIDs.
    pub sids: Vec<SidView>,
    /// Circuits.
    pub circuits: Vec<CircuitView>,
    /// Number of routes.
    pub routes: RouteCounts,
    /// What cannot be had now, each with its remedy.
    pub problems: Vec<String>,
}

/// A circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitView {
    /// Interface name.
    pub interface: String,
    /// Gateway addresses.
    pub addresses: Vec<IpNet>,
    /// Whether it can carry packets.
    pub state: CircuitState,
}

/// A local SID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SidView {
    /// The SID.
    pub sid: Ipv6Addr,
    /// Name of its behaviour.
    pub behavior: String,
    /// What it does besides: nothing, `balance`, or `egress` with the address.
    pub role: Option<String>,
    /// Operator's name of the VRF.
    pub vrf: String,
    /// Name of the locator.
    pub locator: Option<String>,
    /// Lengths of block, node, function and argument, in bits.
    pub structure: [u8; 4],
    /// Length and offset of what travels in the label field, in bits.
    pub transposition: [u8; 2],
}

/// Number of routes of a VRF.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteCounts {
    /// By where they come from, whether used or not.
    pub by_source: BTreeMap<RouteSource, usize>,
    /// In the dataplane.
    pub programmed: usize,
    /// From before a restart of ours or of a peer, not yet confirmed.
    pub stale: usize,
    /// Learnt, but not to be used by this dataplane.
    pub unusable: usize,
}

/// A route of a VRF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    /// Destination.
    pub prefix: IpNet,
    /// Where it comes from.
    pub source: RouteSource,
    /// Administrative distance.
    pub distance: u8,
    /// Where it leads.
    pub next_hop: Option<NextHopView>,
    /// BGP next hop, the remote PE.
    pub remote: Option<IpAddr>,
    /// In the dataplane.
    pub programmed: bool,
    /// From before a restart, not yet confirmed.
    pub stale: bool,
    /// Why it cannot be used.
    pub unusable: Option<String>,
}

/// Where a route leads, in names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum NextHopView {
    /// Into the core.
    Encapsulate {
        /// In the order of travel.
        segments: Vec<Ipv6Addr>,
        /// H.Encaps.Red.
        reduced: bool,
    },
    /// To a neighbour on a circuit.
    Gateway {
        /// Circuit.
        interface: String,
        /// Neighbour.
        address: IpAddr,
    },
    /// On the circuit itself.
    Connected {
        /// Circuit.
        interface: String,
    },
    /// Our own address.
    Local {
        /// Circuit; `None` for all of the VRF.
        interface: Option<String>,
    },
    /// A VIP.
    Service,
    /// An egress address.
    Egress,
    /// Into another VRF.
    Vrf {
        /// Operator's name.
        vrf: String,
    },
    /// Refused.
    Unreachable,
    /// Dropped.
    Blackhole,
}

impl VrfTables {
    /// All VRFs.
    pub fn vrf_views(&self) -> Vec<VrfView> {
        self.planned().map(|(id, planned)| self.vrf_view(id, planned)).collect()
    }

    /// All local SIDs.
    pub fn sid_views(&self) -> Vec<SidView> {
        self.planned().flat_map(|(_, planned)| sids(planned)).collect()
    }

    /// The routes of a VRF in the order of prefix and preference.
    pub fn route_views(&self, vrf: VrfId) -> Vec<RouteView> {
        let names = self.interface_names();
        let mut views: Vec<RouteView> = self.candidates(vrf).map(|c| self.route_view(&c, &names)).collect();
        views.sort_by_key(|view| (view.prefix, view.source));
        views
    }

    /// What cannot be had now, of all VRFs and of the node.
    pub fn problem_views(&self) -> Vec<String> {
        self.problems().iter().map(ToString::to_string).collect()
    }

    fn vrf_view(&self, id: VrfId, planned: &PlannedVrf) -> VrfView {
        let concerns = self.problems().iter().filter(|problem| problem.vrf() == Some(&planned.name));
        VrfView {
            name: planned.name.clone(),
            id: id.0,
            rd: planned.rd.map(|rd| rd.to_string()),
            import_route_targets: planned.import.iter().map(ToString::to_string).collect(),
            export_route_targets: planned.export.iter().map(ToString::to_string).collect(),
            reduced: planned.encapsulation.is_reduced(),
            sids: sids(planned).collect(),
            circuits: planned.circuits.iter().map(circuit).collect(),
            routes: counts(self.candidates(id)),
            problems: concerns.map(ToString::to_string).collect(),
        }
    }

    fn interface_names(&self) -> BTreeMap<u32, &str> {
        let circuits = self.planned().flat_map(|(_, planned)| &planned.circuits);
        circuits.filter_map(|circuit| Some((circuit.index?.0, circuit.interface.as_str()))).collect()
    }

    fn route_view(&self, candidate: &Candidate<'_>, interfaces: &BTreeMap<u32, &str>) -> RouteView {
        RouteView {
            prefix: candidate.prefix,
            source: candidate.source,
            distance: candidate.source.distance(),
            next_hop: candidate.outcome.ok().map(|next_hop| self.next_hop_view(next_hop, interfaces)),
            remote: candidate.path.map(|path| path.next_hop),
            programmed: candidate.programmed,
            stale: is_stale(candidate),
            unusable: candidate.outcome.err().map(|reason| reason.to_string()),
        }
    }

    fn next_hop_view(&self, next_hop: &NextHop, interfaces: &BTreeMap<u32, &str>) -> NextHopView {
        let name =
            |index: u32| interfaces.get(&index).map_or_else(|| format!("if{index}"), |n| (*n).to_owned());
        match next_hop {
            NextHop::Encapsulate { segments, reduced } => NextHopView::Encapsulate {
                segments: segments.iter().map(|sid| sid.addr()).collect(),
                reduced: *reduced,
            },
            NextHop::Gateway { interface, address } => {
                NextHopView::Gateway { interface: name(interface.0), address: *address }
            }
            NextHop::Connected { interface } => NextHopView::Connected { interface: name(interface.0) },
            NextHop::Local { interface } => {
                NextHopView::Local { interface: interface.map(|interface| name(interface.0)) }
            }
            NextHop::Service => NextHopView::Service,
            NextHop::Egress => NextHopView::Egress,
            NextHop::Vrf(id) => NextHopView::Vrf { vrf: self.name_of(*id) },
            NextHop::Unreachable => NextHopView::Unreachable,
            NextHop::Blackhole => NextHopView::Blackhole,
        }
    }

    fn name_of(&self, id: VrfId) -> String {
        let name = self.names().find(|(vrf, _)| *vrf == id).map(|(_, name)| name.to_owned());
        name.unwrap_or_else(|| id.to_string())
    }
}

fn circuit(planned: &PlannedCircuit) -> CircuitView {
    CircuitView {
        interface: planned.interface.clone(),
        addresses: planned.addresses.clone(),
        state: planned.state,
    }
}

fn sids(planned: &PlannedVrf) -> impl Iterator<Item = SidView> {
    planned.sids.iter().map(|PlannedSid { role, sid: LocalSid { sid, structure, behavior } }| SidView {
        sid: sid.addr(),
        behavior: behavior.to_string(),
        role: role_word(*role),
        vrf: planned.name.clone(),
        locator: planned.locator.clone(),
        structure: [structure.block(), structure.node(), structure.function(), structure.argument()],
        transposition: [structure.transposition().len(), structure.transposition().offset()],
    })
}

fn role_word(role: SidRole) -> Option<String> {
    match role {
        SidRole::Deliver => None,
        SidRole::Balance => Some("balance".to_owned()),
        SidRole::Egress(address) => Some(format!("egress {address}")),
    }
}

fn is_stale(candidate: &Candidate<'_>) -> bool {
    candidate.source == RouteSource::Adopted || candidate.path.is_some_and(|path| path.stale)
}

fn counts<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> RouteCounts {
    let mut counts = RouteCounts::default();
    for candidate in candidates {
        *counts.by_source.entry(candidate.source).or_default() += 1;
        counts.programmed += usize::from(candidate.programmed);
        counts.stale += usize::from(is_stale(&candidate));
        counts.unusable += usize::from(candidate.outcome.is_err());
    }
    counts
}
