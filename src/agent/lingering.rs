//! What was withdrawn stays for a while: other PEs hear of it by and by, and packets are on their way.

use std::{
    future,
    time::{Duration, Instant},
};

use tokio::time::sleep_until;

/// Over two reflectors, each of which may hold an announcement back for 5 seconds (RFC 4271 section 10).
const GRACE: Duration = Duration::from_secs(10);

/// What lingers does not wait longer than this for what begins to linger after it.
const LONGEST: Duration = Duration::from_secs(60);

/// When what lingers goes, all of it together.
#[derive(Default)]
pub(super) enum Lingering {
    #[default]
    Nothing,
    Until {
        since: Instant,
        until: Instant,
    },
}

impl Lingering {
    /// Something has begun to linger.
    pub(super) fn begin(&mut self) {
        let now = Instant::now();
        let since = match *self {
            Self::Nothing => now,
            Self::Until { since, .. } => since,
        };
        *self = Self::Until { since, until: (now + GRACE).min(since + LONGEST) };
    }

    pub(super) const fn end(&mut self) {
        *self = Self::Nothing;
    }

    /// Until the time has come; for ever where nothing lingers.
    pub(super) async fn over(until: Option<Instant>) {
        match until {
            Some(until) => sleep_until(until.into()).await,
            None => future::pending().await,
        }
    }

    pub(super) const fn until(&self) -> Option<Instant> {
        match self {
            Self::Nothing => None,
            Self::Until { until, .. } => Some(*until),
        }
    }
}
