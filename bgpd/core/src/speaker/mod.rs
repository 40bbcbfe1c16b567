//! The speaker: every session and the tables, composed. Sans-IO: inputs and `now` come in, outputs go out.
//!
//! The driver calls [`Speaker::handle`] for all that it has got, then [`Speaker::flush`] until there is no
//! more, then sleeps until [`Speaker::next_deadline`].

mod configure;
mod connections;
mod input;
mod messages;
mod peer;
mod perform;
mod restart;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Instant,
};

use bgp_wire::Family;
pub use configure::ConfigureError;
pub use input::{ConnectionId, Input, Output};
use peer::{Peer, Slot};
use restart::{Deferral, Helper};
pub use view::{MessageCounts, PeerView, SessionView};

use crate::{
    config::{PeerId, SpeakerConfig},
    rib::{Rib, RibOutput, RouteView},
    session::{Event, cease},
};

/// Sessions and tables of one AS and router id.
#[derive(Debug)]
pub struct Speaker {
    config: SpeakerConfig,
    rib: Rib,
    peers: BTreeMap<PeerId, Peer>,
    by_address: HashMap<IpAddr, PeerId>,
    connections: HashMap<ConnectionId, PeerId>,
    next_peer: u32,
    next_connection: u64,
    started: Instant,
    deferral: Option<Deferral>,
    rib_outputs: Vec<RibOutput>,
    /// Told when all that came before them has been handed out.
    markers: Vec<Output>,
}

impl Speaker {
    /// Starts the sessions with the peers of `config`.
    pub fn new(config: SpeakerConfig, now: Instant, out: &mut Vec<Output>) -> Self {
        let mut speaker = Self {
            rib: Rib::new(config.asn, config.router_id, config.cluster_id),
            config: SpeakerConfig { peers: BTreeMap::new(), ..config.clone() },
            peers: BTreeMap::new(),
            by_address: HashMap::new(),
            connections: HashMap::new(),
            next_peer: 1,
            next_connection: 0,
            started: now,
            deferral: None,
            rib_outputs: Vec::new(),
            markers: Vec::new(),
        };
        speaker.rib.set_vrfs(config.vrfs.clone());
        speaker.rib.track_next_hops(config.next_hop_tracking);
        speaker.set_peers(&config.peers, now, out);
        speaker.start_deferral(now);
        speaker
    }

    /// Takes one input. What it changes in the tables is told by [`Self::flush`].
    pub fn handle(&mut self, input: Input, now: Instant, out: &mut Vec<Output>) {
        match input {
            Input::Accepted { connection, remote, local } => {
                self.accepted(connection, remote, local, now, out);
            }
            Input::Connected { connection, local } => self.connected(connection, local, now, out),
            Input::Closed { connection } => self.lost(connection, now, out),
            Input::Failed { connection, reason } => self.failed(connection, reason, now, out),
            Input::Received { connection, frames } => self.received(connection, frames, now, out),
            Input::Fault { connection, notification } => {
                self.drive(connection, Event::Fault(notification), now, out);
            }
            Input::Tick => self.tick(now, out),
            Input::Announce(routes) => routes.into_iter().for_each(|route| self.rib.announce(route)),
            Input::Withdraw(routes) => {
                routes.into_iter().for_each(|(vrf, prefix)| self.rib.withdraw(vrf, prefix));
            }
            Input::NextHops(verdicts) => self.rib.set_next_hops(verdicts),
            Input::Refresh { peer, family } => self.ask_refresh(peer, family, out),
            Input::Stop { peer, subcode } => self.stop(peer, cease(subcode), now, out),
            Input::Start { peer } => self.drive_slot(peer, Slot::Main, Event::Start, now, out),
        }
    }

    /// Hands out some of what has changed in the tables; `true`: there is more.
    pub fn flush(&mut self, out: &mut Vec<Output>) -> bool {
        let mut outputs = std::mem::take(&mut self.rib_outputs);
        let more = self.rib.flush(&mut outputs);
        for output in outputs.drain(..) {
            match output {
                RibOutput::Send { peers, messages } => self.send_routes(&peers, &messages, out),
                RibOutput::Vrf(route) => out.push(Output::Vrf(route)),
                RibOutput::Unicast(route) => out.push(Output::Unicast(route)),
                RibOutput::NextHops(uses) => out.push(Output::NextHops(uses)),
            }
        }
        self.rib_outputs = outputs;
        if !more {
            out.append(&mut self.markers);
        }
        more
    }

    /// When [`Input::Tick`] is due next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let peers = self.peers.values().filter_map(Peer::deadline);
        peers.chain(self.deferral.as_ref().map(|d| d.until)).min()
    }

    /// What it was told to be.
    pub fn config(&self) -> &SpeakerConfig {
        &self.config
    }

    /// The peer with this address.
    pub fn peer_id(&self, address: IpAddr) -> Option<PeerId> {
        self.by_address.get(&address).copied()
    }

    /// Every peer, for the CLI.
    pub fn peer_views(&self, now: Instant) -> Vec<PeerView> {
        let peers = self.peers.values();
        peers.map(|peer| PeerView::new(peer, self.rib.peer_counts(peer.id), now)).collect()
    }

    /// Routes of a family, for the CLI.
    pub fn routes(&self, family: Family, prefix: Option<bgp_wire::nlri::Prefix>) -> Vec<RouteView> {
        self.rib.routes(family, prefix)
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Output>) {
        let due = |peer: &&Peer| peer.deadline().is_some_and(|at| at <= now);
        let peers: Vec<_> = self.peers.values().filter(due).map(|peer| peer.id).collect();
        for id in peers {
            self.drive_slot(id, Slot::Second, Event::Tick, now, out);
            self.drive_slot(id, Slot::Main, Event::Tick, now, out);
            self.expire_stale(id, now);
        }
        self.expire_deferral(now);
    }
}

#[cfg(test)]
mod tests;
