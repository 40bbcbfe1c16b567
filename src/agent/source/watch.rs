//! Tells when the configuration is to be read again: SIGHUP, or a changed file.

use std::{path::PathBuf, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval},
};

/// How often the file is looked at. Content and not events: editors, `mv` and Kubernetes ConfigMaps each replace files
/// in another way, and a look at a few kilobytes costs nothing.
const PERIOD: Duration = Duration::from_secs(1);

/// Watches one configuration file.
pub(super) struct ConfigWatch {
    path: PathBuf,
    seen: Option<Vec<u8>>,
    hangup: Signal,
    period: Interval,
}

impl ConfigWatch {
    /// Takes the file's present content for known.
    pub(super) fn new(path: PathBuf) -> std::io::Result<Self> {
        let mut period = interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { seen: std::fs::read(&path).ok(), path, hangup: signal(SignalKind::hangup())?, period })
    }

    /// Waits until the file is to be read again. Cancel safe.
    pub(super) async fn changed(&mut self) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => break,
                _ = self.period.tick() => {}
            }
            // A file that cannot be read is about to be replaced, or gone: the old configuration goes on.
            if let Ok(content) = std::fs::read(&self.path)
                && self.seen.as_ref() != Some(&content)
            {
                self.seen = Some(content);
                return;
            }
        }
        self.seen = std::fs::read(&self.path).ok();
    }
}
