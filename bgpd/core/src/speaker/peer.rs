use std::{net::IpAddr, time::Instant};

use bgp_wire::capability::GracefulRestart;

use super::{ConnectionId, Helper, MessageCounts};
use crate::{
    config::{GracefulRestartConfig, PeerConfig, PeerId, SpeakerConfig},
    session::{Local, State},
};

/// A connection or the wish for one, and its state machine.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Option<ConnectionId>,
    pub(super) local_address: Option<IpAddr>,
    pub(super) state: State,
}

impl Link {
    pub(super) const STOPPED: Self = Self { connection: None, local_address: None, state: State::STOPPED };
}

/// Which of the two links of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The one that is there always.
    Main,
    /// A connection that came in while the main one was busy: until a collision is resolved.
    Second,
}

/// A configured peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) address: IpAddr,
    pub(super) config: PeerConfig,
    pub(super) local: Local,
    pub(super) main: Link,
    pub(super) second: Option<Link>,
    pub(super) helper: Helper,
    /// A session was up since we started.
    pub(super) came_up: bool,
    pub(super) counts: MessageCounts,
    pub(super) last_error: Option<(Instant, String)>,
}

impl Peer {
    pub(super) fn new(id: PeerId, address: IpAddr, config: PeerConfig, speaker: &SpeakerConfig) -> Self {
        Self {
            id,
            address,
            local: local(&config, speaker),
            config,
            main: Link::STOPPED,
            second: None,
            helper: Helper::Idle,
            came_up: false,
            counts: MessageCounts::default(),
            last_error: None,
        }
    }

    /// Takes over what is configured; a session that is up goes on as it was negotiated, the next OPEN tells the news.
    pub(super) fn set_config(&mut self, config: PeerConfig, speaker: &SpeakerConfig) {
        let restarted = self.local.graceful_restart.restarted;
        self.local = local(&config, speaker);
        self.local.graceful_restart.restarted &= restarted;
        if self.came_up {
            self.restart_was_seen();
        }
        self.config = config;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let second = self.second.as_ref().and_then(|link| link.state.deadline());
        [self.main.state.deadline(), second, self.helper.deadline()].into_iter().flatten().min()
    }

    pub(super) fn link(&mut self, slot: Slot) -> Option<&mut Link> {
        match slot {
            Slot::Main => Some(&mut self.main),
            Slot::Second => self.second.as_mut(),
        }
    }

    pub(super) fn slot(&self, connection: ConnectionId) -> Option<Slot> {
        let is = |link: &Link| link.connection == Some(connection);
        match () {
            () if is(&self.main) => Some(Slot::Main),
            () if self.second.as_ref().is_some_and(is) => Some(Slot::Second),
            () => None,
        }
    }

    /// The peer has seen our restart: R is cleared, and from now on forwarding goes on whatever the session does.
    pub(super) fn restart_was_seen(&mut self) {
        self.came_up = true;
        self.local.graceful_restart.restarted = false;
        for (.., kept) in &mut self.local.graceful_restart.families {
            *kept = true;
        }
    }

    /// RFC 4724 section 4.1: no R bit in an OPEN when the time that the peers were told has passed.
    pub(super) fn forget_restart_after(&mut self, end: Option<Instant>, now: Instant) {
        if end.is_none_or(|end| now >= end) {
            self.local.graceful_restart.restarted = false;
        }
    }
}

fn local(config: &PeerConfig, speaker: &SpeakerConfig) -> Local {
    Local {
        asn: speaker.asn,
        router_id: speaker.router_id,
        peer_asn: config.asn,
        passive: config.passive,
        hold_time: config.hold_time,
        keepalive: config.keepalive,
        connect_retry: config.connect_retry,
        families: config.families.clone(),
        graceful_restart: graceful_restart(config, speaker.graceful_restart),
    }
}

/// RFC 4724 section 3: without families the capability says that we help only.
fn graceful_restart(config: &PeerConfig, gr: Option<GracefulRestartConfig>) -> GracefulRestart {
    const LONGEST: u64 = 4095;
    let Some(gr) = gr else {
        return GracefulRestart { notification: true, ..GracefulRestart::default() };
    };
    let families = config.families.iter().map(|family| family.code());
    GracefulRestart {
        restarted: gr.restarted,
        notification: true,
        restart_time: u16::try_from(gr.restart_time.as_secs().min(LONGEST)).unwrap_or(u16::MAX),
        families: families.map(|(afi, safi)| (afi, safi, gr.forwarding_kept)).collect(),
    }
}
