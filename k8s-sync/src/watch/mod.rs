//! Follows the API server: every kind that we need into one [`World`], of which readers are told when it has changed.
//!
//! One task owns the world. What was known stays in force until the API server says otherwise: a cut watch, a refused
//! list or hours without an API server take nothing away; an object goes when it was deleted, or a whole list lacks it.
//!
//! The first world that is told is whole: every kind was listed, or is refused (told as a problem; what the snapshot has
//! of it counts then, or nothing). Where that takes longer than [`Options::patience`], the snapshot is told meanwhile.

mod convert;
mod draft;
mod feed;
mod fetch;
mod health;
mod keep;
mod kind;
mod line;
mod owner;
mod stage;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use kube::Client;
use tokio::{sync::watch, task::JoinHandle};

pub use fetch::{FetchError, Fetched, fetch_pod};
pub use health::{Health, Trouble};

use crate::{
    render::{Problem, Reason},
    world::{ObjectRef, World},
};
use health::Board;
use owner::Owner;

/// For the filter of the log: kube logs every attempt of every kind, and the text of lists that it cannot read, Secrets
/// among them. Loss and return are logged here.
pub const LOG_FILTER: &str = "kube_client=off,kube_runtime=off";

/// How to follow.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace that Secrets are read from; `None` to read none.
    pub secrets_in: Option<String>,
    /// Where the snapshot is; `None` to have none.
    pub snapshot: Option<PathBuf>,
    /// How long it has to be quiet before a change is told.
    pub quiet: Duration,
    /// How long a change waits at most.
    pub at_most: Duration,
    /// How long the API server may take at the start before the snapshot is told.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            secrets_in: None,
            snapshot: None,
            quiet: Duration::from_millis(100),
            at_most: Duration::from_secs(1),
            patience: Duration::from_secs(5),
        }
    }
}

/// A world as it is told.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    world: Arc<World>,
    unreadable: Arc<BTreeMap<ObjectRef, String>>,
    origin: Origin,
}

/// Where a world is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The snapshot: the API server has not told everything yet.
    Snapshot,
    /// The API server.
    Server,
}

/// Follows the API server until it is dropped.
#[derive(Debug)]
pub struct Sync {
    told: watch::Receiver<Option<Told>>,
    board: Arc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sync {
    /// Begins to follow. Within a tokio runtime.
    pub fn start(client: Client, options: Options) -> Self {
        let (tell, told) = watch::channel(None);
        let board = Arc::<Board>::default();
        let keeper = options.snapshot.clone().map(|path| tokio::spawn(keep::keep(path, told.clone())));
        let owner = Owner::new(client, options, board.clone(), tell);
        let tasks = keeper.into_iter().chain([tokio::spawn(owner.run())]).collect();
        Self { told, board, tasks }
    }

    /// What is known; `None` as long as that is not enough to act on.
    pub fn world(&self) -> Option<Arc<World>> {
        self.told.borrow().as_ref().map(|told| told.world.clone())
    }

    /// Where [`Self::world`] is from.
    pub fn origin(&self) -> Option<Origin> {
        self.told.borrow().as_ref().map(|told| told.origin)
    }

    /// Whether the API server has told every kind, or refuses it.
    pub fn synced(&self) -> bool {
        self.origin() == Some(Origin::Server)
    }

    /// Waits until the world is another. Cancel safe.
    pub async fn changed(&mut self) {
        if self.told.changed().await.is_err() {
            // The owner ends with us only.
            std::future::pending().await
        }
    }

    /// How it stands with each kind.
    pub fn health(&self) -> Vec<Health> {
        self.board.all()
    }

    /// Objects that cannot be read. What was known of them stays in force.
    pub fn unreadable(&self) -> Vec<Problem> {
        let told = self.told.borrow();
        let unreadable = told.iter().flat_map(|told| told.unreadable.iter());
        unreadable.map(|(object, reason)| problem(object, reason)).collect()
    }
}

fn problem(object: &ObjectRef, reason: &str) -> Problem {
    let message = format!("cannot be read: {reason}; mend it, or bring the agent to the version of the CRDs");
    Problem { object: object.clone(), reason: Reason::Invalid, message }
}

impl Drop for Sync {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
