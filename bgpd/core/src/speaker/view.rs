use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use bgp_wire::{Family, capability::Capability};

use super::peer::Peer;
use crate::{config::PeerId, rib::PeerCounts, session::State};

/// Messages since the peer was configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// All that came.
    pub received: u64,
    /// All that went.
    pub sent: u64,
    /// UPDATEs that came.
    pub updates_received: u64,
    /// UPDATEs that went.
    pub updates_sent: u64,
}

/// One peer as the CLI shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its name in events.
    pub peer: PeerId,
    /// Its address.
    pub address: IpAddr,
    /// Our address on the session, once there is a connection.
    pub local_address: Option<IpAddr>,
    /// What the operator calls it.
    pub description: String,
    /// Its AS number.
    pub asn: u32,
    /// RFC 4271 section 8.2.2: Idle, Connect, Active, OpenSent, OpenConfirm or Established.
    pub state: &'static str,
    /// The session, while it is up.
    pub session: Option<SessionView>,
    /// Errors in a row, for which it rests longer each time.
    pub errors: u32,
    /// Families whose routes are kept from before the peer's restart.
    pub stale: Vec<Family>,
    /// Messages in and out.
    pub messages: MessageCounts,
    /// Routes per family, in the order of [`Family::ALL`].
    pub routes: [PeerCounts; 4],
    /// Why the last connection ended, and how long ago.
    pub last_error: Option<(Duration, String)>,
}

/// A session that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// For how long.
    pub uptime: Duration,
    /// The peer's BGP identifier.
    pub router_id: Ipv4Addr,
    /// Negotiated hold time; 0: none.
    pub hold_time: Duration,
    /// Interval of our keepalives.
    pub keepalive: Duration,
    /// Families, each with whether IPv4 routes may have an IPv6 next hop.
    pub families: Vec<(Family, bool)>,
    /// What the peer offered.
    pub capabilities: Vec<Capability>,
}

impl PeerView {
    pub(super) fn new(peer: &Peer, routes: [PeerCounts; 4], now: Instant) -> Self {
        Self {
            peer: peer.id,
            address: peer.address,
            local_address: peer.main.local_address,
            description: peer.config.description.clone(),
            asn: peer.config.asn,
            state: peer.main.state.name(),
            session: SessionView::new(&peer.main.state, now),
            errors: peer.main.state.damping().errors(),
            stale: peer.helper.families().to_vec(),
            messages: peer.counts,
            routes,
            last_error: peer.last_error.as_ref().map(|(at, why)| (now.duration_since(*at), why.clone())),
        }
    }
}

impl SessionView {
    fn new(state: &State, now: Instant) -> Option<Self> {
        let State::Established { session, since, .. } = state else { return None };
        Some(Self {
            uptime: now.duration_since(*since),
            router_id: session.router_id,
            hold_time: session.hold_time,
            keepalive: session.keepalive,
            families: session.families.clone(),
            capabilities: session.capabilities.clone(),
        })
    }
}
