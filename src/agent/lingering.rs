//! SIDs that have moved stay for a while: other PEs hear of the new ones by and by, and packets are on their way.

use std::{
    future, mem,
    time::{Duration, Instant},
};

use srv6_dp::Change;
use tokio::time::sleep_until;

/// Over two reflectors, each of which may hold an announcement back for 5 seconds (RFC 4271 section 10).
const GRACE: Duration = Duration::from_secs(10);

/// Removals that wait.
#[derive(Default)]
pub(super) struct Lingering {
    changes: Vec<Change>,
    until: Option<Instant>,
}

impl Lingering {
    pub(super) fn hold(&mut self, changes: Vec<Change>) {
        self.until = (!changes.is_empty()).then(|| Instant::now() + GRACE);
        self.changes = changes;
    }

    /// What waits, whether its time has come or not.
    pub(super) fn take(&mut self) -> Vec<Change> {
        self.until = None;
        mem::take(&mut self.changes)
    }

    /// Until the time has come; for ever where nothing waits.
    pub(super) async fn over(until: Option<Instant>) {
        match until {
            Some(until) => sleep_until(until.into()).await,
            None => future::pending().await,
        }
    }

    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }
}
