//! What the dataplane holds, in the words of the field and not of its maps.

mod egress;
mod filter;
mod flow;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv6Net};
use srv6_types::{Behavior, Sid, VrfId};

pub use egress::{EgressAddress, EgressCounters, EgressPolicy};
pub use filter::{Action, Direction, Filter, FilterCounters, FilterId, Rule};
pub use flow::{FlowKind, FlowState, TrackedFlow};
pub use service::{Backend, Reach, Service, ServiceId, Transport};

/// An interface of this node by the kernel's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(pub u32);

/// Everything the dataplane holds: what is wanted, or what was read back from the maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Node-wide settings.
    pub node: Node,
    /// Interfaces towards the SRv6 domain: the only ones on which local SIDs are reached (RFC 8754 section 5.1).
    pub core: BTreeSet<IfIndex>,
    /// VRFs.
    pub vrfs: BTreeMap<VrfId, Vrf>,
    /// Filters that circuits name.
    pub filters: BTreeMap<FilterId, Filter>,
    /// Attachment circuits.
    pub circuits: BTreeMap<IfIndex, Circuit>,
    /// Addresses of this node that hosts are translated to; each has a route [`NextHop::Egress`].
    pub egress_addresses: BTreeMap<(VrfId, IpAddr), EgressAddress>,
    /// Egress policies by the operator's name, at most 31 octets.
    pub egress_policies: BTreeMap<(VrfId, String), EgressPolicy>,
    /// Services; each VIP has a route [`NextHop::Service`].
    pub services: BTreeMap<ServiceId, Service>,
    /// Local SIDs.
    pub sids: BTreeMap<Sid, LocalSid>,
    /// Routes of every VRF.
    pub routes: BTreeMap<(VrfId, IpNet), NextHop>,
}

/// Node-wide settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Source of outer headers.
    pub source: Option<Ipv6Addr>,
    /// Our locators: what lies in them and is no SID of ours is dropped with a name.
    pub locators: BTreeSet<Ipv6Net>,
    /// The SRv6 domain (locator blocks): nothing from a circuit may be addressed into it.
    pub domain: BTreeSet<Ipv6Net>,
}

/// A VRF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vrf {
    /// Source of ICMP errors to packets that came over the core.
    pub icmp_source4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub icmp_source6: Option<Ipv6Addr>,
    /// Most flows that services, egress addresses and filters may remember; `None` where there are none of these.
    pub flows: Option<u32>,
    /// Whether it has services: what comes from circuits may be a backend's answer.
    pub services: bool,
    /// Whether it has egress policies for what comes from circuits.
    pub egress: bool,
}

/// An attachment circuit: an interface that belongs to a VRF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// The VRF.
    pub vrf: VrfId,
    /// Layer-3 MTU in octets.
    pub mtu: u32,
    /// MAC address of the interface.
    pub mac: [u8; 6],
    /// Gateway address that ICMP errors come from.
    pub gateway4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub gateway6: Option<Ipv6Addr>,
    /// Its filter.
    pub filter: Option<FilterId>,
    /// ARP and neighbour solicitations are answered for all that is not on the circuit itself.
    pub proxy: bool,
    /// Answers of its hosts to TCP connections of the node are the kernel's.
    pub probes: bool,
    /// Only sources that routes lead to by this circuit: nobody speaks for others. RFC 3704 section 2.2.
    pub strict: bool,
    /// MAC address of its hosts; `None` where the kernel is to find each one's.
    pub host_mac: Option<[u8; 6]>,
}

/// A local SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalSid {
    /// End.DT4, End.DT6 or End.DT46.
    pub behavior: Behavior,
    /// Table of the inner destination.
    pub vrf: VrfId,
    /// What else it does.
    pub role: SidRole,
}

/// What a local SID does besides decapsulating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SidRole {
    /// Delivers in the VRF. A VIP is served by backends behind this node, for another node has chosen it.
    #[default]
    Deliver,
    /// A VIP is served by any backend: what VIPs are advertised with, unless only backends here count.
    Balance,
    /// Translates the source to this egress address, then delivers in the VRF.
    Egress(IpAddr),
}

/// Where a route of a VRF leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextHop {
    /// Encapsulate; 1 to 4 segments in the order of travel.
    Encapsulate {
        /// The path; the service SID is the last.
        segments: Vec<Sid>,
        /// H.Encaps.Red (the first segment only in the outer destination) or H.Encaps.
        reduced: bool,
    },
    /// To a neighbour on a circuit.
    Gateway {
        /// Circuit.
        interface: IfIndex,
        /// Neighbour, of either family.
        address: IpAddr,
    },
    /// The destination itself is on the circuit.
    Connected {
        /// Circuit.
        interface: IfIndex,
    },
    /// An address of this PE, answered by the program.
    Local {
        /// Circuit; `None` for every circuit of the VRF.
        interface: Option<IfIndex>,
    },
    /// A VIP of this node's services.
    Service,
    /// One of our egress addresses: on to the host that has the mapping.
    Egress,
    /// Look up again in another VRF.
    Vrf(VrfId),
    /// Refuse with ICMP unreachable.
    Unreachable,
    /// Drop, counted.
    Blackhole,
}

/// One step from what is to what shall be. [`Change::between`] orders them make before break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Set the node-wide settings.
    SetNode(Node),
    /// Attach the core program.
    AddCore(IfIndex),
    /// Detach it.
    RemoveCore(IfIndex),
    /// Make or change a VRF.
    SetVrf(VrfId, Vrf),
    /// Remove a VRF with all its routes.
    RemoveVrf(VrfId),
    /// Make or change a filter, in one step for every circuit that names it.
    SetFilter(FilterId, Filter),
    /// Remove a filter that no circuit names.
    RemoveFilter(FilterId),
    /// Make or change an egress address.
    SetEgressAddress((VrfId, IpAddr), EgressAddress),
    /// Remove an egress address.
    RemoveEgressAddress((VrfId, IpAddr)),
    /// Make or change an egress policy.
    SetEgressPolicy((VrfId, String), EgressPolicy),
    /// Remove an egress policy.
    RemoveEgressPolicy((VrfId, String)),
    /// Make or change a service; flows stay with backends that stay.
    SetService(ServiceId, Service),
    /// Remove a service.
    RemoveService(ServiceId),
    /// Make or change a circuit and attach its program.
    SetCircuit(IfIndex, Circuit),
    /// Detach a circuit.
    RemoveCircuit(IfIndex),
    /// Make or change a local SID.
    SetSid(Sid, LocalSid),
    /// Remove a local SID.
    RemoveSid(Sid),
    /// Make or change a route.
    SetRoute(VrfId, IpNet, NextHop),
    /// Remove a route.
    RemoveRoute(VrfId, IpNet),
}

/// Why the dataplane could not do as asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct DataplaneError {
    /// What was being done, with the object's name.
    pub what: String,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// The seam to whatever forwards packets.
pub trait Dataplane {
    /// Reads everything back, never from memory.
    fn observe(&self) -> Result<State, DataplaneError>;
    /// Applies one change. Idempotent.
    fn apply(&mut self, change: &Change) -> Result<(), DataplaneError>;
    /// Applies many, as one batch where that is faster.
    fn apply_all(&mut self, changes: &[Change]) -> Result<(), DataplaneError> {
        changes.iter().try_for_each(|change| self.apply(change))
    }
    /// Counters as they stand.
    fn counters(&self) -> Result<Counters, DataplaneError>;
}

/// Counters, summed over the CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Per VRF.
    pub vrfs: BTreeMap<VrfId, VrfCounters>,
    /// Per local SID.
    pub sids: BTreeMap<Sid, Tally>,
    /// Per filter.
    pub filters: BTreeMap<FilterId, FilterCounters>,
    /// Per egress address.
    pub egress_addresses: BTreeMap<(VrfId, IpAddr), EgressCounters>,
    /// Per service.
    pub services: BTreeMap<ServiceId, ServiceCounters>,
    /// Per VRF and reason, only those that are not zero.
    pub drops: BTreeMap<(VrfId, srv6_types::DropReason), u64>,
}

/// Packets and octets of inner packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Octets.
    pub bytes: u64,
}

/// What a service counts; see [`srv6_types::maps::service_counter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounters {
    /// From clients to backends.
    pub forwarded: Tally,
    /// From backends back to clients.
    pub replies: Tally,
    /// Flows that were given a backend, with their first packets.
    pub flows: Tally,
    /// Dropped, for there was no backend.
    pub refused: Tally,
}

/// What a VRF counts; see [`srv6_types::maps::vrf_counter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VrfCounters {
    /// Taken in from circuits.
    pub from_circuit: Tally,
    /// Sent into the core.
    pub encapsulated: Tally,
    /// Taken in from the core.
    pub decapsulated: Tally,
    /// Sent out of circuits.
    pub delivered: Tally,
    /// Answered by the programs.
    pub answered: Tally,
    /// Dropped.
    pub dropped: Tally,
}
