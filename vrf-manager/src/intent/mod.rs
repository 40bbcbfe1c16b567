//! What the operator wants of this node: one type, whether it came from the YAML file or from Kubernetes.
//!
//! Holds only what is valid: the readers (config file, CRDs) turn text into these types and name what is wrong.

mod attributes;
mod check;
mod egress;
mod filter;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use bgp_wire::{Family, attribute::RouteTarget, nlri::RouteDistinguisher};
use ipnet::IpNet;
use srv6_types::Locator;

pub use attributes::{Network, RouteAttributes};
pub use bgp_core::config::Secret;
pub use check::{IntentError, check};
pub use egress::{EgressGateway, EgressPolicy, OwnedAddress};
pub use filter::FilterRule;
pub use service::{Backend, BackendState, RemoteBackends, Service, ServicePort, TrafficPolicy};

/// Everything wanted of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// AS number and router id.
    pub router: Router,
    /// Locators and the SRv6 domain.
    pub srv6: Srv6,
    /// Sessions.
    pub bgp: Bgp,
    /// Tenants' routing tables, by name.
    pub vrfs: Vec<Vrf>,
    /// Static routes of the underlay, for the kernel's table.
    pub underlay_routes: Vec<UnderlayRoute>,
}

impl Intent {
    /// Whether routes depend on the way to their next hop. Where nothing is said: on a node that forwards by them, and not
    /// on a route reflector off the forwarding path, whose kernel need not know where PEs are.
    pub fn tracks_next_hops(&self) -> bool {
        self.bgp.next_hop_tracking.unwrap_or(!self.vrfs.is_empty() || self.bgp.install_unicast)
    }
}

/// The router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    /// AS number, not 0.
    pub asn: u32,
    /// BGP identifier.
    pub router_id: Ipv4Addr,
}

/// SRv6 on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv6 {
    /// Locators by name; the first is where VRFs take their SIDs from unless they name another.
    pub locators: Vec<NamedLocator>,
    /// Source of outer headers and next hop of VPN routes.
    pub source: Ipv6Addr,
    /// Names of interfaces towards the SRv6 domain.
    pub core_interfaces: Vec<String>,
}

/// A locator with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLocator {
    /// Operator's name.
    pub name: String,
    /// Prefix and lengths.
    pub locator: Locator,
}

/// BGP on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bgp {
    /// TCP port that sessions are accepted on.
    pub listen_port: u16,
    /// Addresses listened at; empty means all.
    pub listen_addresses: Vec<IpAddr>,
    /// RFC 4456 cluster id, the router id where none is set.
    pub cluster_id: Option<Ipv4Addr>,
    /// RFC 4724 restart time that peers are told; `None` turns restarting off.
    pub restart_time: Option<Duration>,
    /// Prefixes of the global table that are originated as plain unicast.
    pub networks: Vec<Network>,
    /// Best unicast routes go into the kernel's table.
    pub install_unicast: bool,
    /// Routes whose next hop the kernel has no way to are not used; `None`: see [`Intent::tracks_next_hops`].
    pub next_hop_tracking: Option<bool>,
    /// Everything is originated so that peers use any other route (RFC 8326): the node is to be taken out of service.
    pub graceful_shutdown: bool,
    /// Peers, by address.
    pub neighbors: Vec<Neighbor>,
}

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Its address.
    pub address: IpAddr,
    /// Its AS number.
    pub asn: u32,
    /// TCP port to connect to.
    pub port: u16,
    /// Address to connect from.
    pub local_address: Option<IpAddr>,
    /// Only accept.
    pub passive: bool,
    /// Hold time.
    pub hold_time: Duration,
    /// Keepalive interval.
    pub keepalive: Duration,
    /// Time between attempts to connect.
    pub connect_retry: Duration,
    /// Families.
    pub families: BTreeSet<Family>,
    /// RFC 4456 client.
    pub route_reflector_client: bool,
    /// Set our own next hop always.
    pub next_hop_self: bool,
    /// Most routes of one family that it may send.
    pub max_prefixes: Option<u32>,
    /// Key of TCP MD5 signatures, RFC 2385; 1 to 80 octets.
    pub password: Option<Secret>,
    /// External peers that are not on the link: the most hops to them, 2 to 255. 1 when `None`.
    pub multihop: Option<u8>,
    /// Operator's words.
    pub description: String,
}

impl Neighbor {
    /// Whether it is in another AS.
    pub fn is_external(&self, intent: &Intent) -> bool {
        self.asn != intent.router.asn
    }
}

/// A tenant's routing table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrf {
    /// Operator's name, unique on the node.
    pub name: String,
    /// Route distinguisher; `None` means `<router id>:<n>`.
    pub rd: Option<RouteDistinguisher>,
    /// Import route targets.
    pub import_route_targets: BTreeSet<RouteTarget>,
    /// Export route targets.
    pub export_route_targets: BTreeSet<RouteTarget>,
    /// One SID for both families, or one each.
    pub sid_mode: SidMode,
    /// Locator by name; the first when `None`.
    pub locator: Option<String>,
    /// How routes of this VRF are encapsulated.
    pub encapsulation: Encapsulation,
    /// Circuits.
    pub circuits: Vec<Circuit>,
    /// Static routes.
    pub static_routes: Vec<StaticRoute>,
    /// What is advertised, and how.
    pub redistribute: BTreeMap<Source, RouteAttributes>,
    /// Services.
    pub services: Vec<Service>,
    /// Egress policies; of two for the same source and destination the first counts.
    pub egress: Vec<EgressPolicy>,
    /// Rules for every circuit, behind the circuit's own.
    pub filter: Vec<FilterRule>,
    /// Most flows that are remembered for services, egress addresses and filters, 1024 to 4194304.
    pub max_flows: u32,
}

/// SIDs of a VRF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SidMode {
    /// End.DT46.
    #[default]
    PerVrf,
    /// End.DT4 and End.DT6.
    PerFamily,
}

/// Headend behaviour, RFC 8986 sections 5.1 and 5.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encapsulation {
    /// H.Encaps.Red.
    #[default]
    Reduced,
    /// H.Encaps.
    Full,
}

impl Encapsulation {
    /// Whether the first segment stands in the outer destination only.
    pub const fn is_reduced(self) -> bool {
        matches!(self, Self::Reduced)
    }
}

/// An attachment circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Interface name; or, with `*` and `?`, a pattern that each interface it matches is a circuit by.
    pub interface: String,
    /// Gateway addresses with the length of the circuit's subnet: the program answers for them. One of a subnet of its own
    /// (/32, /128) may be that of several circuits.
    pub addresses: Vec<IpNet>,
    /// Hosts on the link by address, whether or not in a subnet of the circuit: each is a route.
    pub hosts: Vec<IpAddr>,
    /// The program answers for every address but the circuit's own hosts (proxy ARP, RFC 1027, and its like for IPv6): the
    /// hosts take others for being on their link.
    pub proxy: bool,
    /// TCP from the hosts to the node's own gateway address goes to the node where it answers a connection that the node has
    /// opened, as kubelets' probes are.
    pub probes: bool,
    /// Rules in order, before those of the VRF.
    pub filter: Vec<FilterRule>,
}

/// A static route of a VRF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRoute {
    /// Destination.
    pub prefix: IpNet,
    /// Where it leads.
    pub via: Via,
}

/// Where a static route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A neighbour on a circuit of the VRF, found by the circuit's subnet.
    Address(IpAddr),
    /// SRv6 segments set by hand, the service SID last.
    Segments(Vec<Ipv6Addr>),
    /// Dropped.
    Blackhole,
}

/// Kind of route that may be advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Subnets of circuits.
    Connected,
    /// Static routes.
    Static,
    /// Hosts of circuits.
    Host,
}

/// A static route of the underlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderlayRoute {
    /// Destination.
    pub prefix: IpNet,
    /// Next hop.
    pub via: IpAddr,
    /// Interface, needed with a link-local next hop.
    pub interface: Option<String>,
}
