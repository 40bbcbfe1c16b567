//! What was withdrawn stays for a while: other PEs hear of it by and by, and packets are on their way.

use std::{
    future,
    time::{Duration, Instant},
};

use tokio::time::sleep_until;

/// Over two reflectors, each of which may hold an announcement back for 5 seconds (RFC 4271 section 10).
const GRACE: Duration = Duration::from_secs(10);

/// When what lingers goes.
#[derive(Default)]
pub(super) struct Lingering {
    until: Option<Instant>,
}

impl Lingering {
    /// Something may have begun to linger, and something may linger already: that does not wait the longer for it.
    pub(super) fn hold(&mut self, lingers: bool) {
        let until = self.until.unwrap_or_else(|| Instant::now() + GRACE);
        self.until = lingers.then_some(until);
    }

    pub(super) const fn end(&mut self) {
        self.until = None;
    }

    /// Until the time has come; for ever where nothing lingers.
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
