//! How it stands with the API server, kind by kind. Loss and return are logged once, not with each attempt.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::Notify;
use tracing::{info, warn};

/// What is watched: a kind, or one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `Pod`, `Vrf`; `Secret NAME`.
    pub kind: String,
    /// Whether there was a full list.
    pub listed: bool,
    /// When the API server was last heard of it; bookmarks count.
    pub last_contact: Option<SystemTime>,
    /// What is wrong now.
    pub trouble: Option<Trouble>,
}

/// Why a kind cannot be followed now. What was known of it stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The API server answers, and will not tell.
    Refused {
        /// HTTP status: 403, 404, ..
        status: u16,
        /// Since when.
        since: SystemTime,
    },
    /// It does not answer, or not to be understood.
    Failing {
        /// Why.
        error: String,
        /// Since when.
        since: SystemTime,
    },
}

impl Health {
    fn new(kind: String) -> Self {
        Self { kind, listed: false, last_contact: None, trouble: None }
    }

    /// Whether waiting longer for the first list would not help.
    fn is_settled(&self) -> bool {
        self.listed || matches!(self.trouble, Some(Trouble::Refused { .. }))
    }

    fn is_failing(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Failing { .. }))
    }
}

impl fmt::Display for Health {
    /// What is wrong and what to do; empty where nothing is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, .. } = self;
        match &self.trouble {
            None => Ok(()),
            Some(Trouble::Refused { status: 403, .. }) => {
                write!(
                    f,
                    "{kind}: the API server refuses it (403); grant get, list and watch to the agent's ServiceAccount"
                )
            }
            Some(Trouble::Refused { status: 404, .. }) => {
                write!(
                    f,
                    "{kind}: the API server does not know the kind (404); apply the CRDs (`sixedge crds`)"
                )
            }
            Some(Trouble::Refused { status, .. }) => {
                write!(f, "{kind}: the API server refuses it ({status})")
            }
            Some(Trouble::Failing { error, .. }) => {
                write!(f, "{kind}: {error}; what was known stays in force until the API server answers")
            }
        }
    }
}

/// What is watched, by number.
pub(super) type Source = u64;

/// The health of all that is watched.
#[derive(Debug, Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    sources: BTreeMap<Source, Health>,
    /// Since when not everything answers.
    lost: Option<SystemTime>,
}

impl Board {
    pub(super) fn enter(&self, source: Source, kind: String) {
        self.state().sources.insert(source, Health::new(kind));
    }

    pub(super) fn leave(&self, source: Source) {
        self.state().sources.remove(&source);
        self.told();
    }

    pub(super) fn all(&self) -> Vec<Health> {
        self.state().sources.values().cloned().collect()
    }

    /// Whether every first list is there or refused, and there is one.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.sources.values().all(Health::is_settled) && state.sources.values().any(|health| health.listed)
    }

    pub(super) fn any_listed(&self) -> bool {
        self.state().sources.values().any(|health| health.listed)
    }

    /// Waits for a change. Cancel safe.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The API server has said something.
    pub(super) fn heard(&self, source: Source) {
        self.with(source, |health| health.last_contact = Some(SystemTime::now()));
    }

    /// It tells what we want to know.
    pub(super) fn answered(&self, source: Source) {
        if self.with(source, |health| health.trouble.take()).flatten().is_some() {
            self.told();
        }
    }

    /// There was a full list.
    pub(super) fn listed(&self, source: Source) {
        self.with(source, |health| health.listed = true);
        self.answered(source);
        self.changed.notify_one();
    }

    /// It answers, and will not tell.
    pub(super) fn refused(&self, source: Source, status: u16) {
        let is_known = |trouble: &Trouble| matches!(trouble, Trouble::Refused { status: before, .. } if *before == status);
        let since = SystemTime::now();
        let refused = self.with(source, |health| {
            let is_new = !health.trouble.as_ref().is_some_and(is_known);
            is_new.then(|| {
                health.trouble = Some(Trouble::Refused { status, since });
                health.to_string()
            })
        });
        if let Some(problem) = refused.flatten() {
            warn!("{problem}");
            self.told();
        }
    }

    /// It does not answer, or not to be understood.
    pub(super) fn failing(&self, source: Source, error: &dyn fmt::Display) {
        let since = SystemTime::now();
        let began = self.with(source, |health| {
            let began = !health.is_failing();
            if began {
                health.trouble = Some(Trouble::Failing { error: error.to_string(), since });
            }
            began
        });
        if began == Some(true) {
            self.told();
        }
    }

    /// Logs the first loss and the last return.
    fn told(&self) {
        let mut state = self.state();
        let failing = state.sources.values().find(|health| health.is_failing()).map(Health::to_string);
        match (failing, state.lost) {
            (Some(problem), None) => {
                state.lost = Some(SystemTime::now());
                warn!("the API server is lost: {problem}");
            }
            (None, Some(since)) => {
                state.lost = None;
                info!(
                    "the API server answers again after {} s",
                    since.elapsed().unwrap_or_default().as_secs()
                );
            }
            _ => {}
        }
        drop(state);
        self.changed.notify_one();
    }

    fn with<T>(&self, source: Source, act: impl FnOnce(&mut Health) -> T) -> Option<T> {
        self.state().sources.get_mut(&source).map(act)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock panics; and if it did, what it says would still be right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
