//! Sessions that come and go, with the bookkeeping of graceful restart (RFC 4724 section 4.2).

use std::{net::IpAddr, sync::Arc};

use bgp_wire::Family;

use super::{
    PeerCounts, PeerSession, Rib,
    attributes::{Source, SourceKind},
    export::{ExportClass, Speaker},
    flush::Refresh,
    key::family_index,
    table::Which,
};
use crate::config::PeerId;

/// A peer with a session, or with routes that are kept until it is back.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) up: bool,
    pub(crate) source: Arc<Source>,
    pub(crate) families: Vec<Family>,
    /// `advertised` is not kept here.
    pub(crate) counts: [PeerCounts; 4],
    /// Routes that its cohort holds and it does not, because they came from it.
    pub(crate) own: [u64; 4],
}

impl Rib {
    /// A session is established: queues the whole table for it, and an End-of-RIB per family after that.
    pub fn peer_up(&mut self, peer: PeerId, session: PeerSession) {
        self.end_session(peer);
        let source = source(peer, &session, &self.speaker);
        let families = session.families.iter().map(|(family, _)| *family).collect();
        let mut state =
            Peer { up: true, source: Arc::new(source), families, counts: Default::default(), own: [0; 4] };
        if let Some(before) = self.peers.remove(&peer) {
            for (counts, kept) in state.counts.iter_mut().zip(before.counts) {
                counts.accepted = kept.accepted;
            }
            // The same source finds the same sets, so what is announced again as it was is no change.
            if before.source == state.source {
                state.source = before.source;
            }
        }
        self.peers.insert(peer, state);
        self.groups.join(peer, ExportClass::new(&session, &self.speaker));
    }

    /// A session has ended. Routes of the `retain`ed families become stale (RFC 4724 section 4.2), others go at
    /// once, as do those that were stale already: a peer that restarts over and over keeps nothing alive.
    pub fn peer_down(&mut self, peer: PeerId, retain: &[Family]) {
        self.end_session(peer);
        for family in Family::ALL {
            let retained = retain.contains(&family);
            self.remove_paths(peer, family, if retained { Which::Stale } else { Which::All });
            if retained {
                self.tables[family_index(family)].mark_stale(peer, &mut self.sets);
            }
        }
        self.forget_if_gone(peer);
    }

    /// Removes what is still stale: at the peer's End-of-RIB (one family) or at the end of the time (all).
    pub fn sweep_stale(&mut self, peer: PeerId, family: Option<Family>) {
        for swept in Family::ALL.into_iter().filter(|swept| family.is_none_or(|family| family == *swept)) {
            self.remove_paths(peer, swept, Which::Stale);
        }
        self.forget_if_gone(peer);
    }

    /// The peer asks for everything again, RFC 2918.
    pub fn refresh(&mut self, peer: PeerId, family: Family) {
        let spoken = self.peers.get(&peer).is_some_and(|state| state.up && state.families.contains(&family));
        if spoken {
            self.refreshes.retain(|refresh| (refresh.peer, refresh.family) != (peer, family));
            self.refreshes.push(Refresh { peer, family, next: 0 });
        }
    }

    /// A family of which more than `limit` routes of the peer are held.
    pub fn exceeds(&self, peer: PeerId, limit: u32) -> Option<Family> {
        let counts = &self.peers.get(&peer)?.counts;
        Family::ALL.into_iter().find(|family| counts[family_index(*family)].accepted > u64::from(limit))
    }

    /// Counts of one peer per family, in the order of [`Family::ALL`].
    pub fn peer_counts(&self, peer: PeerId) -> [PeerCounts; 4] {
        let Some(state) = self.peers.get(&peer) else { return Default::default() };
        let mut counts = state.counts;
        if let Some((_, cohort)) = self.groups.find(peer) {
            for (at, counts) in counts.iter_mut().enumerate() {
                counts.advertised = cohort.sent[at].saturating_sub(state.own[at]);
            }
        }
        counts
    }

    fn end_session(&mut self, peer: PeerId) {
        self.groups.leave(peer);
        self.refreshes.retain(|refresh| refresh.peer != peer);
        if let Some(state) = self.peers.get_mut(&peer) {
            state.up = false;
            state.own = [0; 4];
        }
    }

    fn remove_paths(&mut self, peer: PeerId, family: Family, which: Which) {
        let family = family_index(family);
        let Some(state) = self.peers.get_mut(&peer).filter(|state| state.counts[family].accepted > 0) else {
            return;
        };
        state.counts[family].accepted -= self.tables[family].remove_peer(peer, which, &mut self.sets) as u64;
    }

    fn forget_if_gone(&mut self, peer: PeerId) {
        let gone = |state: &Peer| !state.up && state.counts.iter().all(|counts| counts.accepted == 0);
        if self.peers.get(&peer).is_some_and(gone) {
            self.peers.remove(&peer);
        }
    }
}

fn source(peer: PeerId, session: &PeerSession, speaker: &Speaker) -> Source {
    let kind = match (session.asn == speaker.asn, session.route_reflector_client) {
        (false, _) => SourceKind::External,
        (true, true) => SourceKind::Client,
        (true, false) => SourceKind::Internal,
    };
    Source {
        peer,
        kind,
        router_id: session.router_id,
        address: session.address,
        local: [Some(session.local_address), session.local_v6.map(IpAddr::V6)],
        context: session.receive.clone(),
    }
}
