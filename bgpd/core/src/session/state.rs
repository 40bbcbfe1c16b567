use std::time::{Duration, Instant};

use super::{Damping, Negotiated};

/// RFC 4271 section 8.2.2. Each state owns what only it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Refuses connections; `until`: comes back by itself, `None`: stopped.
    Idle {
        /// When it starts again.
        until: Option<Instant>,
        /// Errors so far.
        damping: Damping,
    },
    /// A connection is being opened.
    Connect {
        /// When the attempt is given up.
        retry: Instant,
        /// Errors so far.
        damping: Damping,
    },
    /// Waits for the peer to connect.
    Active {
        /// When we try ourselves; `None`: passive.
        retry: Option<Instant>,
        /// Errors so far.
        damping: Damping,
    },
    /// Our OPEN is out.
    OpenSent {
        /// When the peer has been silent for too long.
        hold: Instant,
        /// Errors so far.
        damping: Damping,
    },
    /// The peer's OPEN was good and is acknowledged.
    OpenConfirm {
        /// What was agreed.
        session: Box<Negotiated>,
        /// Its timers.
        liveness: Liveness,
        /// Errors so far.
        damping: Damping,
    },
    /// Routes flow.
    Established {
        /// What was agreed.
        session: Box<Negotiated>,
        /// Its timers.
        liveness: Liveness,
        /// Since when.
        since: Instant,
        /// Errors so far.
        damping: Damping,
    },
}

/// Hold and keepalive timers as deadlines; without them where a hold time of 0 was negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    hold: Option<Instant>,
    keepalive: Option<Instant>,
}

impl Liveness {
    pub(super) fn new(session: &Negotiated, now: Instant) -> Self {
        let after = |d: Duration| (!session.hold_time.is_zero()).then(|| now + d);
        Self { hold: after(session.hold_time), keepalive: after(session.keepalive) }
    }

    /// Something came from the peer.
    pub(super) fn heard(&mut self, session: &Negotiated, now: Instant) {
        self.hold = Self::new(session, now).hold;
    }

    /// A KEEPALIVE was sent.
    pub(super) fn spoke(&mut self, session: &Negotiated, now: Instant) {
        self.keepalive = Self::new(session, now).keepalive;
    }

    pub(super) fn expired(&self, now: Instant) -> bool {
        self.hold.is_some_and(|at| at <= now)
    }

    pub(super) fn keepalive_due(&self, now: Instant) -> bool {
        self.keepalive.is_some_and(|at| at <= now)
    }

    fn deadline(&self) -> Option<Instant> {
        self.hold.into_iter().chain(self.keepalive).min()
    }
}

impl State {
    /// Before the first start.
    pub const STOPPED: Self = Self::Idle { until: None, damping: Damping::NONE };

    /// When [`super::Event::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle { until, .. } => *until,
            Self::Connect { retry, .. } => Some(*retry),
            Self::Active { retry, .. } => *retry,
            Self::OpenSent { hold, .. } => Some(*hold),
            Self::OpenConfirm { liveness, .. } | Self::Established { liveness, .. } => liveness.deadline(),
        }
    }

    /// The RFC's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idle { .. } => "Idle",
            Self::Connect { .. } => "Connect",
            Self::Active { .. } => "Active",
            Self::OpenSent { .. } => "OpenSent",
            Self::OpenConfirm { .. } => "OpenConfirm",
            Self::Established { .. } => "Established",
        }
    }

    /// The session, once it is up.
    pub fn established(&self) -> Option<&Negotiated> {
        match self {
            Self::Established { session, .. } => Some(session),
            _ => None,
        }
    }

    /// Whether there is a connection on which messages may come.
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::OpenSent { .. } | Self::OpenConfirm { .. } | Self::Established { .. })
    }

    pub(crate) const fn damping(&self) -> Damping {
        match self {
            Self::Idle { damping, .. }
            | Self::Connect { damping, .. }
            | Self::Active { damping, .. }
            | Self::OpenSent { damping, .. }
            | Self::OpenConfirm { damping, .. }
            | Self::Established { damping, .. } => *damping,
        }
    }
}
