//! Connections come, collide and go.

use std::{net::IpAddr, time::Instant};

use bgp_wire::message::{Message, Notification, Open};

use super::{
    ConnectionId, Output, Speaker,
    peer::{Link, Peer, Slot},
    perform::encode,
};
use crate::{
    config::PeerId,
    session::{Event, State, Survivor, cease, cease_code, survivor},
};

impl Speaker {
    pub(super) fn accepted(
        &mut self,
        connection: ConnectionId,
        remote: IpAddr,
        local: IpAddr,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let known = self.by_address.get(&remote).and_then(|id| self.peers.get_mut(id));
        let Some(peer) = known else {
            return refuse(connection, remote, "no peer with this address is configured", out);
        };
        let id = peer.id;
        match peer.main.state {
            State::Idle { .. } => {
                return refuse(connection, remote, "the peer is stopped or rests after an error", out);
            }
            State::Active { .. } => {
                peer.main.connection = Some(connection);
                peer.main.local_address = Some(local);
            }
            _ => self.accept_second(id, connection, local, now, out),
        }
        self.connections.insert(connection, id);
        self.drive(connection, Event::Connected, now, out);
    }

    /// A third connection means that the second one is dead.
    fn accept_second(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        local: IpAddr,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.drive_slot(id, Slot::Second, Event::Stop(cease(cease_code::COLLISION)), now, out);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let damping = peer.main.state.damping();
        let state = State::Active { retry: None, damping };
        peer.second = Some(Link { connection: Some(connection), local_address: Some(local), state });
    }

    pub(super) fn connected(
        &mut self,
        connection: ConnectionId,
        local: IpAddr,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        if let Some(link) = self.link(connection) {
            link.local_address = Some(local);
            self.drive(connection, Event::Connected, now, out);
        }
    }

    pub(super) fn lost(&mut self, connection: ConnectionId, now: Instant, out: &mut Vec<Output>) {
        let Some(id) = self.connections.get(&connection).copied() else { return };
        let Some(slot) = self.peers.get(&id).and_then(|peer| peer.slot(connection)) else { return };
        self.connections.remove(&connection);
        if let Some(link) = self.link_of(id, slot) {
            link.connection = None;
        }
        self.drive_slot(id, slot, Event::Lost, now, out);
    }

    /// The driver could not make the connection what it is to be: the operator is told, for time will not mend it.
    pub(super) fn failed(
        &mut self,
        connection: ConnectionId,
        reason: String,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.connections.get(&connection).copied() else { return };
        self.lost(connection, now, out);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.last_error = Some((now, reason));
        }
    }

    /// An OPEN has come: resolves a collision before the state machine sees it (RFC 4271 section 6.8).
    pub(super) fn opened(
        &mut self,
        connection: ConnectionId,
        open: Open,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let collision = || cease(cease_code::COLLISION);
        match self.collision(connection, &open, now) {
            Some((Survivor::Old, _)) => return self.drive(connection, Event::Fault(collision()), now, out),
            Some((Survivor::New, other)) => self.drive(other, Event::Stop(collision()), now, out),
            Some((Survivor::Restarted, other)) => self.drive(other, Event::Replaced, now, out),
            None => {}
        }
        self.drive(connection, Event::Open(Box::new(open)), now, out);
    }

    /// Which connection stays, and which is the other one. An OPEN that is refused anyway harms no other session.
    fn collision(
        &self,
        connection: ConnectionId,
        open: &Open,
        now: Instant,
    ) -> Option<(Survivor, ConnectionId)> {
        let peer = self.peers.get(self.connections.get(&connection)?)?;
        let other = match peer.slot(connection)? {
            Slot::Main => peer.second.as_ref()?,
            Slot::Second => &peer.main,
        };
        let other_connection = other.connection.filter(|_| other.state.is_connected())?;
        let remote = peer.local.negotiate(open).ok()?;
        let directions = (connection.direction(), other_connection.direction());
        let ours = (peer.local.router_id, peer.local.asn);
        let theirs = (remote.router_id, remote.asn);
        Some((survivor(ours, theirs, directions, &other.state, now), other_connection))
    }

    /// Takes a session down and leaves it down.
    pub(super) fn stop(&mut self, id: PeerId, reason: Notification, now: Instant, out: &mut Vec<Output>) {
        self.drive_slot(id, Slot::Second, Event::Stop(reason.clone()), now, out);
        self.drive_slot(id, Slot::Main, Event::Stop(reason), now, out);
    }

    /// Lets the surviving link be the main one, and gives up an attempt that is not needed any more.
    pub(super) fn settle(&mut self, id: PeerId, out: &mut Vec<Output>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(second) = &peer.second else { return };
        if !second.state.is_connected() {
            peer.second = None;
        } else if !peer.main.state.is_connected() && !is_still_wanted(peer) {
            let second = peer.second.take().unwrap_or(Link::STOPPED);
            let old = std::mem::replace(&mut peer.main, second);
            if let Some(connection) = old.connection {
                self.connections.remove(&connection);
                out.push(Output::Close { connection });
            }
        }
    }

    pub(super) fn link(&mut self, connection: ConnectionId) -> Option<&mut Link> {
        let peer = self.peers.get_mut(self.connections.get(&connection)?)?;
        let slot = peer.slot(connection)?;
        peer.link(slot)
    }

    pub(super) fn link_of(&mut self, id: PeerId, slot: Slot) -> Option<&mut Link> {
        self.peers.get_mut(&id)?.link(slot)
    }
}

/// An attempt to connect goes on until the peer's own connection has got as far as OpenConfirm: were it to come
/// up later, the two would collide without need.
fn is_still_wanted(peer: &Peer) -> bool {
    let agreed = peer.second.as_ref().is_some_and(|link| !matches!(link.state, State::OpenSent { .. }));
    matches!(peer.main.state, State::Connect { .. }) && !agreed
}

fn refuse(connection: ConnectionId, remote: IpAddr, reason: &'static str, out: &mut Vec<Output>) {
    let notification = Message::Notification(cease(cease_code::CONNECTION_REJECTED));
    out.push(Output::Refused { connection, remote, reason });
    out.push(Output::Send { connection, messages: encode(&notification) });
    out.push(Output::Close { connection });
}
