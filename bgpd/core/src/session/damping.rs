use std::time::Duration;

/// How many sessions in a row have ended in an error: DampPeerOscillations of RFC 4271 section 8.1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damping(u32);

impl Damping {
    /// A session that lasted this long was a good one.
    pub const FORGIVEN_AFTER: Duration = Duration::from_secs(60);
    /// No error yet.
    pub const NONE: Self = Self(0);
    const LONGEST: Duration = Duration::from_secs(60);

    /// One error more.
    #[must_use]
    pub const fn failed(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How long the peer rests in Idle: 1, 2, 4 .. 60 seconds.
    pub fn rest(self) -> Duration {
        let doublings = self.0.saturating_sub(1).min(6);
        Duration::from_secs(1 << doublings).min(Self::LONGEST)
    }

    /// Errors in a row.
    pub const fn errors(self) -> u32 {
        self.0
    }
}
