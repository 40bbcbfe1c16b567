//! Runs the state machines and does what they ask for.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

use bgp_wire::{Message, message::Context};
use bytes::Bytes;

use super::{
    ConnectionId, Output, Speaker,
    peer::{Peer, Slot},
};
use crate::{
    config::{PeerConfig, PeerId},
    rib::PeerSession,
    session::{Action, Down, Event, Negotiated, State, cease_code, step},
};

/// Everything but an UPDATE looks the same in every session.
pub(super) fn encode(message: &Message) -> Bytes {
    let mut octets = Vec::new();
    message.encode(&Context::default(), &mut octets);
    octets.into()
}

impl Speaker {
    pub(super) fn drive(
        &mut self,
        connection: ConnectionId,
        event: Event,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.connections.get(&connection).copied() else { return };
        let Some(slot) = self.peers.get(&id).and_then(|peer| peer.slot(connection)) else { return };
        self.drive_slot(id, slot, event, now, out);
    }

    pub(super) fn drive_slot(
        &mut self,
        id: PeerId,
        slot: Slot,
        event: Event,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let restart_end = self.config.graceful_restart.map(|gr| self.started + gr.restart_time);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.forget_restart_after(restart_end, now);
        let Peer { local, main, second, .. } = peer;
        let link = match slot {
            Slot::Main => main,
            Slot::Second => match second {
                Some(link) => link,
                None => return,
            },
        };
        let mut actions = Vec::new();
        let state = std::mem::replace(&mut link.state, State::STOPPED);
        link.state = step(local, state, event, now, &mut actions);
        if actions.is_empty() {
            return;
        }
        for action in actions {
            self.perform(id, slot, action, now, out);
        }
        self.settle(id, out);
    }

    fn perform(&mut self, id: PeerId, slot: Slot, action: Action, now: Instant, out: &mut Vec<Output>) {
        match action {
            Action::Connect => self.connect(id, slot, out),
            Action::Send(message) => self.send(id, slot, &message, out),
            Action::Close => self.close(id, slot, out),
            Action::Up(session) => self.session_up(id, slot, &session, now, out),
            Action::Down(down, session) => self.ended(id, down, session.as_deref(), now, out),
        }
    }

    fn connect(&mut self, id: PeerId, slot: Slot, out: &mut Vec<Output>) {
        let connection = ConnectionId::Outgoing(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(connection, id);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let PeerConfig { port, local_address: local, transport, .. } = &peer.config;
        let (remote, port, local, transport) = (peer.address, *port, *local, transport.clone());
        if let Some(link) = peer.link(slot) {
            link.connection = Some(connection);
        }
        out.push(Output::Connect { connection, remote, port, local, transport });
    }

    fn send(&mut self, id: PeerId, slot: Slot, message: &Message, out: &mut Vec<Output>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.counts.sent += 1;
        if let Some(connection) = peer.link(slot).and_then(|link| link.connection) {
            out.push(Output::Send { connection, messages: encode(message) });
        }
    }

    fn close(&mut self, id: PeerId, slot: Slot, out: &mut Vec<Output>) {
        if let Some(connection) = self.link_of(id, slot).and_then(|link| link.connection.take()) {
            self.connections.remove(&connection);
            out.push(Output::Close { connection });
        }
    }

    fn session_up(
        &mut self,
        id: PeerId,
        slot: Slot,
        session: &Negotiated,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.restart_was_seen();
        let local = peer.link(slot).and_then(|link| link.local_address);
        let peer_session = peer_session(peer, session, local);
        let address = peer.address;
        self.resync(id, session, now);
        self.rib.peer_up(id, peer_session);
        let families = session.families.iter().map(|(family, _)| *family).collect();
        out.push(Output::PeerUp { peer: id, address, families });
        self.await_end_of_rib(id, session);
    }

    fn ended(
        &mut self,
        id: PeerId,
        down: Down,
        session: Option<&Negotiated>,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if !is_collision(&down) {
            peer.last_error = Some((now, down.to_string()));
        }
        let address = peer.address;
        if let Some(session) = session {
            let retained = self.retain(id, &down, session, now);
            out.push(Output::PeerDown { peer: id, address, reason: down.to_string(), retained });
        }
    }

    /// The same octets to each of the peers.
    pub(super) fn send_routes(&mut self, peers: &[PeerId], messages: &Bytes, out: &mut Vec<Output>) {
        let count = frames(messages);
        for id in peers {
            let Some(peer) = self.peers.get_mut(id) else { continue };
            peer.counts.sent += count;
            peer.counts.updates_sent += count;
            if let (State::Established { .. }, Some(connection)) = (&peer.main.state, peer.main.connection) {
                out.push(Output::Send { connection, messages: messages.clone() });
            }
        }
    }
}

fn peer_session(peer: &Peer, session: &Negotiated, local: Option<IpAddr>) -> PeerSession {
    PeerSession {
        asn: session.asn,
        router_id: session.router_id,
        address: peer.address,
        local_address: local.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        local_v6: None,
        families: session.families.clone(),
        receive: session.receive.clone(),
        send: session.send.clone(),
        route_reflector_client: peer.config.route_reflector_client,
        next_hop_self: peer.config.next_hop_self,
    }
}

/// How things are meant to go is no error.
fn is_collision(down: &Down) -> bool {
    matches!(down, Down::Sent(n) | Down::Received(n) if (n.code, n.subcode) == (6, cease_code::COLLISION))
}

/// Messages in a run of them: octets 16 and 17 of each hold its length.
fn frames(messages: &[u8]) -> u64 {
    let mut rest = messages;
    let mut count = 0;
    while let [.., high, low] = rest.get(..18).unwrap_or_default() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).max(19);
        rest = rest.get(length..).unwrap_or_default();
        count += 1;
    }
    count
}
