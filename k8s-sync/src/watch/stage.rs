//! How far the world is told, and when it is told next.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Options;
use crate::world::World;

/// How long the first lists may take, once there is one, before they are told one by one. Only where a snapshot is in
/// force; without one nothing is told before all are there.
const LISTS: Duration = Duration::from_secs(30);

/// How far it is.
pub(super) enum Stage {
    /// Nothing is told yet.
    Starting { patience_ends: Instant, snapshot: Option<Arc<World>> },
    /// The snapshot is told; first lists come, and are not told until all are there.
    Remembering { first_list: Option<Instant> },
    /// What the API server says is told.
    Following(Debounce),
}

/// Changes wait until it is quiet, but not for ever.
pub(super) enum Debounce {
    Quiet,
    Changed { first: Instant, last: Instant },
}

impl Stage {
    /// When there is something to do though nothing comes.
    pub(super) fn due(&self, options: &Options) -> Option<Instant> {
        match self {
            Self::Starting { patience_ends, snapshot } => snapshot.as_ref().map(|_| *patience_ends),
            Self::Remembering { first_list } => first_list.map(|first| first + LISTS),
            Self::Following(debounce) => debounce.due(options),
        }
    }
}

impl Debounce {
    pub(super) fn changed(&mut self, now: Instant) {
        let first = match self {
            Self::Quiet => now,
            Self::Changed { first, .. } => *first,
        };
        *self = Self::Changed { first, last: now };
    }

    fn due(&self, options: &Options) -> Option<Instant> {
        match self {
            Self::Quiet => None,
            Self::Changed { first, last } => Some((*last + options.quiet).min(*first + options.at_most)),
        }
    }
}
