//! What goes into the tables beside UPDATEs, and what comes out of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgp_wire::{
    Family,
    attribute::{Attributes, Community, Fault},
    message::{Context, NextHop, Notification},
    nlri::{Prefix, RouteDistinguisher},
};
use bytes::Bytes;
use srv6_types::{Behavior, Label, Sid, SidStructure, VrfId};

use super::decision::Step;
use crate::config::PeerId;

/// What the tables must know of an established session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerSession {
    /// Its AS number.
    pub asn: u32,
    /// Its BGP identifier.
    pub router_id: Ipv4Addr,
    /// Its address.
    pub address: IpAddr,
    /// Our address on the session: the next hop we set.
    pub local_address: IpAddr,
    /// Our global IPv6 address towards the peer, where the session itself is IPv4.
    pub local_v6: Option<Ipv6Addr>,
    /// Families negotiated, each with whether IPv4 routes may carry an IPv6 next hop (RFC 8950).
    pub families: Vec<(Family, bool)>,
    /// How to decode its UPDATEs.
    pub receive: Context,
    /// How to encode ours.
    pub send: Context,
    /// RFC 4456: the peer is our client.
    pub route_reflector_client: bool,
    /// Set our own next hop always.
    pub next_hop_self: bool,
}

/// A route that this node originates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRoute {
    /// VRF it belongs to; [`VrfId::GLOBAL`] for plain unicast.
    pub vrf: VrfId,
    /// The prefix.
    pub prefix: Prefix,
    /// VRFs: the service SID that leads to it.
    pub sid: Option<LocalSid>,
    /// MULTI_EXIT_DISC.
    pub med: Option<u32>,
    /// LOCAL_PREF, which peers in our own AS are told (RFC 4271 section 5.1.5); 100 where none is set.
    pub local_pref: Option<u32>,
    /// COMMUNITIES, in any order.
    pub communities: Vec<Community>,
    /// Colour of the Color extended community, RFC 9012 section 4.3.
    pub color: Option<u32>,
}

impl LocalRoute {
    /// RFC 8326 section 4.2: whoever has another route is to use that. External peers set their LOCAL_PREF by the
    /// community, internal ones take ours.
    pub fn shut_down_gracefully(&mut self) {
        self.local_pref = Some(0);
        self.communities.push(Community::GRACEFUL_SHUTDOWN);
    }
}

/// A service SID of ours as it is advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalSid {
    /// The whole SID.
    pub sid: Sid,
    /// Its structure, with the bits that are to be transposed.
    pub structure: SidStructure,
    /// Its behaviour.
    pub behavior: Behavior,
}

/// What [`Rib::flush`](super::Rib::flush) hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RibOutput {
    /// Whole messages to send, the same octets to each of the peers.
    Send {
        /// Peers of one group.
        peers: Vec<PeerId>,
        /// One or more messages.
        messages: Bytes,
    },
    /// The best VPN route of a prefix in a VRF has changed.
    Vrf(VrfRoute),
    /// The best unicast route of a prefix has changed.
    Unicast(UnicastRoute),
    /// Next hops that have come into use, or gone out of it, where they are tracked.
    NextHops(Vec<NextHopUse>),
}

/// An address whose way through the underlay decides whether routes can be used: the locator of a service SID, or a BGP
/// next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHopUse {
    /// The address.
    pub address: IpAddr,
    /// Whether routes lead there now; what was told of its reachability is forgotten with the last.
    pub used: bool,
}

/// The imported best route of a prefix in a VRF; routes that this node originates are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrfRoute {
    /// The VRF that imports it.
    pub vrf: VrfId,
    /// The prefix.
    pub prefix: Prefix,
    /// `None`: there is no route any more.
    pub path: Option<VpnPath>,
}

/// Where an imported VPN route leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VpnPath {
    /// The service SID, folded; `None`: the route has no SRv6 service, so it cannot be used by this dataplane.
    pub sid: Option<Sid>,
    /// Its behaviour as told.
    pub behavior: Behavior,
    /// BGP next hop, the remote PE.
    pub next_hop: IpAddr,
    /// Peer that it came from; [`PeerId::LOCAL`] for a route of another VRF on this node.
    pub peer: PeerId,
    /// The VRF of this node that originates the route, where route targets leak it from one VRF to another.
    pub local: Option<VrfId>,
    /// Learnt from an external peer.
    pub external: bool,
    /// Kept from before the peer's restart (RFC 4724).
    pub stale: bool,
}

/// The best unicast route of a prefix, for the kernel's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicastRoute {
    /// The prefix.
    pub prefix: Prefix,
    /// `None`: there is no route any more.
    pub path: Option<UnicastPath>,
}

/// Where a unicast route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicastPath {
    /// Next hop; a link-local one is preferred where it came along.
    pub next_hop: IpAddr,
    /// Peer that it came from.
    pub peer: PeerId,
    /// Its address: a link-local next hop is on the link that leads there (RFC 2545 section 3).
    pub peer_address: IpAddr,
    /// Learnt from an external peer.
    pub external: bool,
}

/// What became of an UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateOutcome {
    /// What the session is to do.
    pub verdict: UpdateVerdict,
    /// What was wrong, for the log; empty when accepted.
    pub faults: Vec<Fault>,
    /// The family whose End-of-RIB marker this was.
    pub end_of_rib: Option<Family>,
}

/// The severest of the faults of an UPDATE, RFC 7606 section 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateVerdict {
    /// Nothing was wrong.
    Accepted,
    /// Attributes were left out; the routes are held.
    AttributesDiscarded,
    /// The routes announced were taken for withdrawn.
    TreatedAsWithdraw,
    /// Nothing was done: the session must be reset with this.
    Reset(Notification),
}

/// Routes of one peer and family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounts {
    /// Announcements taken from the peer since the session came up, those kept out included.
    pub received: u64,
    /// Routes held now.
    pub accepted: u64,
    /// Announcements kept out since the session came up: our AS in the path, reflected back to us, or with a next
    /// hop that is ours or no host's.
    pub looped: u64,
    /// Routes that the peer holds from us now.
    pub advertised: u64,
}

/// One path of one route as the CLI shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteView {
    /// Peer that it came from; [`PeerId::LOCAL`] for our own.
    pub peer: PeerId,
    /// VPN families: the route distinguisher.
    pub rd: Option<RouteDistinguisher>,
    /// The prefix.
    pub prefix: Prefix,
    /// RFC 7911 path identifier; for our own VPN routes the VRF's number.
    pub path_id: u32,
    /// VPN families: the label.
    pub label: Option<Label>,
    /// Decoded attributes.
    pub attributes: Attributes,
    /// The degree of preference: LOCAL_PREF, or what stands for it where the route came without.
    pub local_pref: u32,
    /// Next hop; unspecified in our own routes: the address of each session.
    pub next_hop: NextHop,
    /// The service SID, folded.
    pub sid: Option<Sid>,
    /// Selected as best.
    pub best: bool,
    /// Kept from before the peer's restart.
    pub stale: bool,
    /// The step of the decision process that it lost at; `None` for the best.
    pub lost_at: Option<Step>,
    /// VRFs that import it.
    pub imported_into: Vec<VrfId>,
}
