//! What dataplane, speaker and kernel should hold, from what is wanted and what interfaces there are.
//! Same input, same output. Routes learnt from BGP come in later, see [`crate::table`].

mod advertise;
mod circuit;
mod egress;
mod filter;
mod interfaces;
mod links;
mod node;
mod problem;
mod service;
mod speaker;
#[cfg(test)]
mod tests;
mod vrf;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use bgp_core::{
    config::SpeakerConfig,
    rib::{LocalRoute, LocalSid},
};
use bgp_wire::{attribute::RouteTarget, nlri::RouteDistinguisher};
use ipnet::IpNet;
use srv6_dp::{
    State,
    model::{IfIndex, NextHop, SidRole},
};
use srv6_types::VrfId;

pub use advertise::{Advertised, Withheld};
pub use egress::PlannedEgress;
pub(crate) use egress::ports;
pub(crate) use filter::filter;
pub(crate) use interfaces::Interfaces;
pub use links::{Link, Links};
pub(crate) use node::domain;
pub use problem::Problem;
pub use service::{NoWay, PlannedService};

use crate::{
    allocate::Allocations,
    intent::{EgressPolicy, Encapsulation, Intent, UnderlayRoute},
};

/// What all the parts of this node should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The dataplane, without routes learnt from BGP.
    pub dataplane: State,
    /// The speaker; `restarted` and `forwarding_kept` are for the caller to set.
    pub speaker: SpeakerConfig,
    /// What is originated, in the order of VRF and prefix.
    pub advertise: Vec<LocalRoute>,
    /// Routes for the kernel's table.
    pub underlay: Vec<UnderlayRoute>,
    /// Names of the interfaces towards the SRv6 domain, also of those that are missing.
    pub core_interfaces: Vec<String>,
    /// The VRFs in words, for tables and views.
    pub vrfs: BTreeMap<VrfId, PlannedVrf>,
    /// What cannot be had now.
    pub problems: Vec<Problem>,
}

/// A VRF as planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedVrf {
    /// Operator's name.
    pub name: String,
    /// Route distinguisher of its routes; `None` when no automatic one is left.
    pub rd: Option<RouteDistinguisher>,
    /// Import route targets.
    pub import: BTreeSet<RouteTarget>,
    /// Export route targets.
    pub export: BTreeSet<RouteTarget>,
    /// Its service SIDs.
    pub sids: Vec<PlannedSid>,
    /// Name of the locator they are from.
    pub locator: Option<String>,
    /// How learnt routes are encapsulated.
    pub encapsulation: Encapsulation,
    /// Its circuits, also those whose interface is missing.
    pub circuits: Vec<PlannedCircuit>,
    /// Its routes, the best for each prefix.
    pub routes: BTreeMap<IpNet, PlannedRoute>,
    /// Its services.
    pub services: Vec<PlannedService>,
    /// Its egress policies, in the order of preference.
    pub egress: Vec<EgressPolicy>,
    /// The egress addresses that this node has.
    pub egress_addresses: BTreeMap<IpAddr, PlannedEgress>,
}

/// A service SID of a VRF as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedSid {
    /// What it does besides decapsulating.
    pub role: SidRole,
    /// As it is advertised.
    pub sid: LocalSid,
}

/// A circuit as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCircuit {
    /// Interface name; a pattern that no interface matches.
    pub interface: String,
    /// The pattern that has matched it.
    pub pattern: Option<String>,
    /// The kernel's index; `None` when there is no such interface.
    pub index: Option<IfIndex>,
    /// Gateway addresses.
    pub addresses: Vec<IpNet>,
    /// Hosts.
    pub hosts: Vec<IpAddr>,
    /// Whether it can carry packets.
    pub state: CircuitState,
}

/// Whether a circuit can carry packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CircuitState {
    /// Attached and up.
    Up,
    /// Attached and down: no route leads to it.
    Down,
    /// There is no such interface.
    Missing,
    /// The interface serves another VRF or the core.
    Taken,
    /// No interface matches the pattern yet.
    Waiting,
}

/// A route that does not come from BGP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRoute {
    /// Where it comes from.
    pub source: RouteSource,
    /// Where it leads.
    pub next_hop: NextHop,
}

/// Where a route of a VRF comes from, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouteSource {
    /// A gateway address of this PE.
    Local,
    /// Subnet of a circuit.
    Connected,
    /// Host of a circuit.
    Host,
    /// VIP of a service.
    Service,
    /// Egress address.
    Egress,
    /// Set by the operator.
    Static,
    /// Learnt from a peer in another AS.
    ExternalBgp,
    /// Learnt from a peer in our own AS.
    InternalBgp,
    /// Found in the dataplane after a restart, not yet confirmed by BGP.
    Adopted,
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Missing => "missing",
            Self::Taken => "taken",
            Self::Waiting => "waiting",
        })
    }
}

impl fmt::Display for RouteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Local => "local",
            Self::Connected => "connected",
            Self::Host => "host",
            Self::Service => "service",
            Self::Egress => "egress",
            Self::Static => "static",
            Self::ExternalBgp => "eBGP",
            Self::InternalBgp => "iBGP",
            Self::Adopted => "adopted",
        })
    }
}

impl RouteSource {
    /// Administrative distance, 0 to 255: the lowest is used.
    pub const fn distance(self) -> u8 {
        match self {
            Self::Local | Self::Connected | Self::Host | Self::Service | Self::Egress => 0,
            Self::Static => 1,
            Self::ExternalBgp => 20,
            Self::InternalBgp => 200,
            Self::Adopted => 255,
        }
    }

    /// Whether BGP has compared it, so that what comes from there is better: of several gateways with one egress address the
    /// preferred one has it.
    pub const fn yields(self) -> bool {
        matches!(self, Self::Egress)
    }
}

impl PlannedVrf {
    /// The circuit that is up and that `address` is a host of, or the first one in the longest subnet that holds it.
    fn circuit_towards(&self, address: IpAddr) -> Option<&PlannedCircuit> {
        let up = self.circuits.iter().filter(|circuit| circuit.state == CircuitState::Up);
        let subnets = up.flat_map(|c| c.subnets().map(move |subnet| (subnet, c)));
        let holding = subnets.filter(|(subnet, _)| subnet.contains(&address));
        holding.min_by_key(|(subnet, _)| Reverse(subnet.prefix_len())).map(|(_, circuit)| circuit)
    }
}

impl PlannedCircuit {
    /// Where its hosts are.
    fn subnets(&self) -> impl Iterator<Item = IpNet> {
        self.addresses.iter().copied().chain(self.hosts.iter().copied().map(IpNet::from))
    }
}

/// Plans the whole node. `allocations` have been settled with the same intent; a VRF without an id is left out.
pub fn plan(intent: &Intent, links: &Links, allocations: &Allocations) -> Desired {
    let mut desired = Desired {
        dataplane: State::default(),
        speaker: speaker::config(intent),
        advertise: advertise::global(intent),
        underlay: Vec::new(),
        core_interfaces: Vec::new(),
        vrfs: BTreeMap::new(),
        problems: Vec::new(),
    };
    let interfaces = Interfaces::of(intent, links);
    node::plan(intent, links, &interfaces, &mut desired);
    for at in 0..intent.vrfs.len() {
        vrf::plan(at, &vrf::Inputs { intent, links, interfaces: &interfaces, allocations }, &mut desired);
    }
    if intent.bgp.graceful_shutdown {
        desired.advertise.iter_mut().for_each(LocalRoute::shut_down_gracefully);
    }
    desired.advertise.sort_by_key(|route| (route.vrf, route.prefix));
    desired
}
