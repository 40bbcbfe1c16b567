use std::net::IpAddr;

use bgp_wire::{Family, message::Notification, nlri::Prefix};
use bytes::Bytes;
use srv6_types::VrfId;

use crate::{
    config::{PeerId, Transport},
    rib::{LocalRoute, NextHopUse, Reachability, UnicastRoute, VrfRoute},
    session::Direction,
};

/// Names a connection, or an attempt at one; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionId {
    /// The driver numbers those that it accepts.
    Incoming(u64),
    /// The speaker numbers those that it asks for.
    Outgoing(u64),
}

impl ConnectionId {
    pub(super) const fn direction(self) -> Direction {
        match self {
            Self::Incoming(_) => Direction::Incoming,
            Self::Outgoing(_) => Direction::Outgoing,
        }
    }
}

/// What happens to a speaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Someone has connected.
    Accepted {
        /// The driver's name for it.
        connection: ConnectionId,
        /// Its address.
        remote: IpAddr,
        /// Ours.
        local: IpAddr,
    },
    /// [`Output::Connect`] has succeeded.
    Connected {
        /// Which.
        connection: ConnectionId,
        /// Our address on it.
        local: IpAddr,
    },
    /// The connection is gone, or the attempt has failed.
    Closed {
        /// Which.
        connection: ConnectionId,
    },
    /// The peer cannot be spoken with as it is configured; the connection, or the attempt, is given up.
    Failed {
        /// Which.
        connection: ConnectionId,
        /// Why, in words.
        reason: String,
    },
    /// Whole messages, one behind the other, in the order of the stream.
    Received {
        /// Where.
        connection: ConnectionId,
        /// The messages with their headers.
        frames: Bytes,
    },
    /// The stream cannot be cut into messages any more.
    Fault {
        /// Where.
        connection: ConnectionId,
        /// What the peer is told.
        notification: Notification,
    },
    /// [`super::Speaker::next_deadline`] has come.
    Tick,
    /// Routes that this node originates, new or changed.
    Announce(Vec<LocalRoute>),
    /// Routes that it does not originate any more.
    Withdraw(Vec<(VrfId, Prefix)>),
    /// What the underlay says of addresses that [`Output::NextHops`] told of.
    NextHops(Vec<(IpAddr, Reachability)>),
    /// Ask a peer for its routes again (RFC 2918).
    Refresh {
        /// Which peer.
        peer: PeerId,
        /// Which routes.
        family: Family,
    },
    /// Take a session down, with a Cease of this subcode, and leave it down.
    Stop {
        /// Which peer.
        peer: PeerId,
        /// RFC 4486.
        subcode: u8,
    },
    /// Bring a stopped session up again.
    Start {
        /// Which peer.
        peer: PeerId,
    },
}

/// What a speaker wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a connection.
    Connect {
        /// Its name from now on.
        connection: ConnectionId,
        /// Where to.
        remote: IpAddr,
        /// TCP port there.
        port: u16,
        /// Address to connect from.
        local: Option<IpAddr>,
        /// Hop limit and signatures.
        transport: Transport,
    },
    /// Send octets.
    Send {
        /// Where.
        connection: ConnectionId,
        /// Whole messages.
        messages: Bytes,
    },
    /// Close the connection or give up the attempt; what was to be sent before goes out first.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// A session is up.
    PeerUp {
        /// Whose.
        peer: PeerId,
        /// Its address.
        address: IpAddr,
        /// What it carries; none where both sides have no family in common.
        families: Vec<Family>,
    },
    /// A session is down.
    PeerDown {
        /// Whose.
        peer: PeerId,
        /// Its address.
        address: IpAddr,
        /// Why, in words.
        reason: String,
        /// Families whose routes are kept for now (RFC 4724).
        retained: Vec<Family>,
    },
    /// A peer has sent all its routes.
    EndOfRib {
        /// Whose.
        peer: PeerId,
        /// Which.
        family: Family,
    },
    /// Something was wrong with an UPDATE (RFC 7606); told once for each, however much it was.
    Faulty {
        /// Who sent it.
        peer: PeerId,
        /// What it was, and what was done.
        reason: String,
    },
    /// A connection was refused: a NOTIFICATION and [`Output::Close`] follow.
    Refused {
        /// Which.
        connection: ConnectionId,
        /// From where.
        remote: IpAddr,
        /// Why.
        reason: &'static str,
    },
    /// The best route of a prefix in a VRF has changed.
    Vrf(VrfRoute),
    /// The best unicast route of a prefix has changed.
    Unicast(UnicastRoute),
    /// Next hops to look up, and to look up again whenever the underlay changes, until they are used no more.
    NextHops(Vec<NextHopUse>),
    /// RFC 4724 section 4.1: all that was waited for is in; what is not known now is gone.
    RestartComplete,
}
