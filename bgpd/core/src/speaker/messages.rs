//! What comes from a peer.

use std::time::Instant;

use bgp_wire::{
    Family, Message,
    message::{Context, Notification, Update, frame_length},
};
use bytes::Bytes;

use super::{ConnectionId, Output, Speaker, peer::Slot, perform::encode};
use crate::{
    config::PeerId,
    rib::UpdateVerdict,
    session::{Event, State, cease_code},
};

impl Speaker {
    pub(super) fn received(
        &mut self,
        connection: ConnectionId,
        mut frames: Bytes,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        while !frames.is_empty() && self.connections.contains_key(&connection) {
            match frame_length(&frames) {
                Ok(Some(length)) if length <= frames.len() => {
                    self.frame(connection, frames.split_to(length), now, out);
                }
                Ok(_) => return,
                Err(fault) => return self.drive(connection, Event::Fault(fault), now, out),
            }
        }
    }

    fn frame(&mut self, connection: ConnectionId, frame: Bytes, now: Instant, out: &mut Vec<Output>) {
        let Some(id) = self.connections.get(&connection).copied() else { return };
        let Some(link) = self.link(connection) else { return };
        let decoded = match &link.state {
            State::Established { session, .. } => Message::decode(frame, &session.receive),
            _ => Message::decode(frame, &Context::default()),
        };
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.counts.received += 1;
        }
        match decoded {
            Ok(Message::Update(update)) => self.learn(id, connection, update, now, out),
            Ok(Message::Keepalive) => self.drive(connection, Event::Keepalive, now, out),
            Ok(Message::Open(open)) => self.opened(connection, open, now, out),
            Ok(Message::Notification(n)) => self.drive(connection, Event::Notification(n), now, out),
            Ok(Message::RouteRefresh { afi, safi, subtype }) => {
                self.refresh_asked(id, connection, (afi, safi, subtype), now, out);
            }
            Err(fault) => self.drive(connection, Event::Fault(fault), now, out),
        }
    }

    fn learn(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        update: Update,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.drive(connection, Event::Routes, now, out);
        if !self.is_established(connection) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.counts.updates_received += 1;
        }
        let outcome = self.rib.update(id, update);
        if let [first, others @ ..] = &outcome.faults[..] {
            let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
            out.push(Output::Faulty { peer: id, reason: format!("{first}{more}") });
        }
        if let Some(family) = outcome.end_of_rib {
            self.end_of_rib(id, family);
        }
        if let UpdateVerdict::Reset(notification) = outcome.verdict {
            self.drive(connection, Event::Fault(notification), now, out);
        }
        self.limit_prefixes(id, now, out);
    }

    /// RFC 4486 section 4: the session stays down, or the peer would send it all again and again.
    fn limit_prefixes(&mut self, id: PeerId, now: Instant, out: &mut Vec<Output>) {
        let Some(limit) = self.peers.get(&id).and_then(|peer| peer.config.max_prefixes) else { return };
        let Some((afi, safi)) = self.rib.exceeds(id, limit).map(Family::code) else { return };
        let ([a, b], [c, d, e, f]) = (afi.to_be_bytes(), limit.to_be_bytes());
        let reason =
            Notification::new(Notification::CEASE, cease_code::MAX_PREFIXES, &[a, b, safi, c, d, e, f]);
        self.stop(id, reason, now, out);
    }

    /// RFC 2918; the begin and end markers of RFC 7313 are not negotiated and say nothing.
    fn refresh_asked(
        &mut self,
        id: PeerId,
        connection: ConnectionId,
        (afi, safi, subtype): (u16, u8, u8),
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.drive(connection, Event::Routes, now, out);
        if let Some(family) = Family::from_code(afi, safi).filter(|_| subtype == 0)
            && self.is_established(connection)
        {
            self.rib.refresh(id, family);
        }
    }

    /// Asks a peer that can for its routes again.
    pub(super) fn ask_refresh(&mut self, id: PeerId, family: Family, out: &mut Vec<Output>) {
        let Some(link) = self.link_of(id, Slot::Main) else { return };
        let able = link.state.established().is_some_and(|session| session.route_refresh);
        if let Some(connection) = link.connection.filter(|_| able) {
            let (afi, safi) = family.code();
            let message = Message::RouteRefresh { afi, safi, subtype: 0 };
            out.push(Output::Send { connection, messages: encode(&message) });
        }
    }

    fn is_established(&mut self, connection: ConnectionId) -> bool {
        self.link(connection).is_some_and(|link| link.state.established().is_some())
    }
}
