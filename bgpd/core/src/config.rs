//! What a speaker is told to be. Plain types: the planner makes them from the intent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use bgp_wire::{Family, attribute::RouteTarget, nlri::RouteDistinguisher};
use srv6_types::VrfId;

/// Names a configured peer for as long as the speaker lives; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

impl PeerId {
    /// Where routes stand that this node originates itself; no configured peer has it.
    pub const LOCAL: Self = Self(u32::MAX);
}

/// The speaker itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeakerConfig {
    /// Our AS number.
    pub asn: u32,
    /// BGP identifier.
    pub router_id: Ipv4Addr,
    /// RFC 4456 cluster id; the router id where none is set.
    pub cluster_id: Ipv4Addr,
    /// Port that sessions are accepted on, and the addresses listened at (empty: all).
    pub listen: Listen,
    /// RFC 4724 as restarter; `None`: the capability says only that we help.
    pub graceful_restart: Option<GracefulRestartConfig>,
    /// Peers by address.
    pub peers: BTreeMap<IpAddr, PeerConfig>,
    /// VRFs by id.
    pub vrfs: BTreeMap<VrfId, VrfPolicy>,
    /// Tell of the next hops in use, and pass over paths whose next hop was said to be unreachable (RFC 4271 section
    /// 9.1.2.1). Without, every next hop counts as reachable, as suits a route reflector off the forwarding path.
    pub next_hop_tracking: bool,
}

/// Where sessions are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// TCP port, 179 by default.
    pub port: u16,
    /// Addresses to bind; empty means `::` and `0.0.0.0`.
    pub addresses: Vec<IpAddr>,
}

/// Graceful restart as restarter, RFC 4724.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracefulRestartConfig {
    /// Restart time that peers are told, at most 4095 seconds.
    pub restart_time: Duration,
    /// How long stale routes of a peer are kept after it is back, waiting for its End-of-RIB.
    pub stale_time: Duration,
    /// We come up after a restart (R bit).
    pub restarted: bool,
    /// The dataplane was found pinned and verified (F bit).
    pub forwarding_kept: bool,
}

/// A configured peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// Its AS number.
    pub asn: u32,
    /// TCP port to connect to.
    pub port: u16,
    /// Address to connect from.
    pub local_address: Option<IpAddr>,
    /// Never connect, only accept.
    pub passive: bool,
    /// Proposed hold time; 0 turns keepalives off, else at least 3 s.
    pub hold_time: Duration,
    /// Proposed keepalive interval; a third of the negotiated hold time at most.
    pub keepalive: Duration,
    /// Time between attempts to connect.
    pub connect_retry: Duration,
    /// Families to negotiate.
    pub families: BTreeSet<Family>,
    /// RFC 4456: the peer is our client.
    pub route_reflector_client: bool,
    /// Set our own address as next hop also where the route is passed on within the AS.
    pub next_hop_self: bool,
    /// Routes of one family beyond which the session is taken down and stays down (RFC 4486 section 4); `None`: no limit.
    pub max_prefixes: Option<u32>,
    /// How its TCP connections are made.
    pub transport: Transport,
    /// What the operator calls it.
    pub description: String,
}

/// How TCP connections with a peer are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// Hop limit of what is sent; the kernel's own when `None`.
    pub hop_limit: Option<u8>,
    /// Key of TCP MD5 signatures, RFC 2385; 1 to 80 octets.
    pub password: Option<Secret>,
}

/// What is never to be seen in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a VRF takes in and gives out, RFC 4364 section 4.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrfPolicy {
    /// Operator's name, for messages.
    pub name: String,
    /// Route distinguisher of the routes we originate.
    pub rd: RouteDistinguisher,
    /// A VPN route with one of these is imported.
    pub import: BTreeSet<RouteTarget>,
    /// Put on the routes we originate.
    pub export: BTreeSet<RouteTarget>,
    /// Next hop of the routes we originate; the session's own local address when `None`.
    pub next_hop: Option<Ipv6Addr>,
}
