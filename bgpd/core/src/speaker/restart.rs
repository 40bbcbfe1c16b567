//! Graceful restart, RFC 4724: as helper of a peer, and as the one that has restarted.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bgp_wire::Family;

use super::{Output, Speaker};
use crate::{
    config::PeerId,
    session::{Down, Negotiated},
};

/// How long stale routes are kept behind a new session where nothing is configured.
const STALE_TIME: Duration = Duration::from_secs(360);

/// What we do for a peer that restarts, RFC 4724 section 4.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Helper {
    /// Nothing is stale.
    #[default]
    Idle,
    /// The peer is away.
    Away { until: Instant, families: Vec<Family> },
    /// The peer is back and sends its routes again.
    Resync { until: Instant, families: Vec<Family> },
}

impl Helper {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle => None,
            Self::Away { until, .. } | Self::Resync { until, .. } => Some(*until),
        }
    }

    /// Families with stale routes.
    pub(super) fn families(&self) -> &[Family] {
        match self {
            Self::Idle => &[],
            Self::Away { families, .. } | Self::Resync { families, .. } => families,
        }
    }
}

/// We have restarted: what is put off until peers have sent their routes again.
#[derive(Debug)]
pub(super) struct Deferral {
    pub(super) until: Instant,
    /// Route selection, RFC 4724 section 4.1: does not wait for a peer that restarts as well and so waits for us.
    selection: Awaited,
    /// Clearing the dataplane of what nobody confirms: waits for every peer that marks its end, for no peer waits for it.
    sweep: Awaited,
    selecting: bool,
}

/// Peers whose End-of-RIB markers are waited for; `None`: the session is not up yet.
#[derive(Clone, Debug, Default)]
struct Awaited(BTreeMap<PeerId, Option<BTreeSet<Family>>>);

impl Awaited {
    fn session_up(&mut self, id: PeerId, families: &BTreeSet<Family>) {
        if families.is_empty() {
            self.0.remove(&id);
        } else if let Some(awaited) = self.0.get_mut(&id) {
            *awaited = Some(families.clone());
        }
    }

    fn end_of_rib(&mut self, id: PeerId, family: Family) {
        if let Some(Some(families)) = self.0.get_mut(&id) {
            families.remove(&family);
            if families.is_empty() {
                self.0.remove(&id);
            }
        }
    }
}

impl Speaker {
    /// A session has ended: which routes are kept, and for how long.
    pub(super) fn retain(
        &mut self,
        id: PeerId,
        down: &Down,
        session: &Negotiated,
        now: Instant,
    ) -> Vec<Family> {
        let graceful = down.is_graceful(session.notification_bit);
        let families = if graceful { session.restartable() } else { Vec::new() };
        self.rib.peer_down(id, &families);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.helper = match families.is_empty() {
                true => Helper::Idle,
                false => Helper::Away { until: session.restart_deadline(now), families: families.clone() },
            };
        }
        families
    }

    /// The peer is back: what it did not keep forwarding goes at once, the rest at its End-of-RIB.
    pub(super) fn resync(&mut self, id: PeerId, session: &Negotiated, now: Instant) {
        let stale_time = self.config.graceful_restart.map_or(STALE_TIME, |gr| gr.stale_time);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let kept = session.forwarding_kept();
        let stale = peer.helper.families().iter().copied();
        let (families, gone): (Vec<_>, Vec<_>) = stale.partition(|family| kept.contains(family));
        peer.helper = match families.is_empty() {
            true => Helper::Idle,
            false => Helper::Resync { until: now + stale_time, families },
        };
        gone.into_iter().for_each(|family| self.rib.sweep_stale(id, Some(family)));
    }

    /// A peer has sent all it has.
    pub(super) fn end_of_rib(&mut self, id: PeerId, family: Family) {
        // Told once for however many there are, or a peer could fill the memory of who is slow to be told.
        let marker = Output::EndOfRib { peer: id, family };
        if !self.markers.contains(&marker) {
            self.markers.push(marker);
        }
        if let Some(peer) = self.peers.get_mut(&id)
            && let Helper::Resync { families, .. } = &mut peer.helper
            && families.contains(&family)
        {
            families.retain(|f| *f != family);
            if families.is_empty() {
                peer.helper = Helper::Idle;
            }
            self.rib.sweep_stale(id, Some(family));
        }
        if let Some(deferral) = &mut self.deferral {
            deferral.selection.end_of_rib(id, family);
            deferral.sweep.end_of_rib(id, family);
        }
        self.advance_deferral();
    }

    pub(super) fn expire_stale(&mut self, id: PeerId, now: Instant) {
        if self.peers.get(&id).and_then(|peer| peer.helper.deadline()).is_some_and(|until| until <= now) {
            self.forget_stale(id);
        }
    }

    /// Nothing of before the peer's restart is kept any longer.
    pub(super) fn forget_stale(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.helper = Helper::Idle;
        }
        self.rib.sweep_stale(id, None);
    }

    /// We have restarted: nothing is selected before every peer has sent its routes.
    pub(super) fn start_deferral(&mut self, now: Instant) {
        let Some(gr) = self.config.graceful_restart.filter(|gr| gr.restarted) else { return };
        let awaited = Awaited(self.peers.keys().map(|id| (*id, None)).collect());
        self.rib.defer(true);
        self.deferral = Some(Deferral {
            until: now + gr.restart_time,
            selection: awaited.clone(),
            sweep: awaited,
            selecting: false,
        });
        self.advance_deferral();
    }

    /// A session is up: its End-of-RIBs are waited for, unless the peer sends none.
    pub(super) fn await_end_of_rib(&mut self, id: PeerId, session: &Negotiated) {
        let Some(deferral) = &mut self.deferral else { return };
        let negotiated = || session.families.iter().map(|(family, _)| *family).collect::<BTreeSet<_>>();
        let graceful = session.graceful_restart.as_ref();
        let marked = graceful.map_or_else(BTreeSet::new, |_| negotiated());
        deferral.sweep.session_up(id, &marked);
        let waits_for_us = graceful.is_some_and(|gr| gr.restarted);
        deferral.selection.session_up(id, if waits_for_us { const { &BTreeSet::new() } } else { &marked });
        self.advance_deferral();
    }

    /// A peer that is configured no more is not waited for.
    pub(super) fn forget_deferral(&mut self, id: PeerId) {
        if let Some(deferral) = &mut self.deferral {
            deferral.selection.0.remove(&id);
            deferral.sweep.0.remove(&id);
            self.advance_deferral();
        }
    }

    pub(super) fn expire_deferral(&mut self, now: Instant) {
        if let Some(deferral) = self.deferral.as_mut().filter(|d| d.until <= now) {
            deferral.selection.0.clear();
            deferral.sweep.0.clear();
            self.advance_deferral();
        }
    }

    fn advance_deferral(&mut self) {
        let Some(deferral) = &mut self.deferral else { return };
        if deferral.selection.0.is_empty() && !deferral.selecting {
            deferral.selecting = true;
            self.rib.defer(false);
        }
        if deferral.selecting && deferral.sweep.0.is_empty() {
            self.deferral = None;
            self.markers.push(Output::RestartComplete);
        }
    }
}
