//! Adj-RIB-In, Loc-RIB and Adj-RIB-Out, the decision process, reflection, VPN import and export.
//!
//! The seam between the session side and the tables. Inputs are method calls; nothing is sent until
//! [`Rib::flush`], which hands out what has changed since the last one, packed per group of alike peers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgp_wire::{Family, message::Context, nlri::Prefix};
use bytes::Bytes;
use srv6_types::{Behavior, Sid, SidStructure, VrfId};

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

/// What [`Rib::flush` hands out.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnPath {
    /// The service SID, folded; `None`: the route has no SRv6 service, so it cannot be used by this dataplane.
    pub sid: Option<Sid>,
    /// Its behaviour as told.
    pub behavior: Behavior,
    /// BGP next hop, the remote PE.
    pub next_hop: IpAddr,
    /// Peer that it came from.
    pub peer: PeerId,
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
    /// Learnt from an external peer.
    pub external: bool,
}
