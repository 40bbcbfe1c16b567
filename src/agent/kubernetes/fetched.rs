//! Pods that the API server was asked for, because the runtime was faster than the watch.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cni::protocol::{Request, Response};
use k8s_sync::Client;
use k8s_sync::{
    watch::{Fetched, fetch_pod},
    world::{Key, World},
};
use tokio::{sync::oneshot, task::JoinSet, time::Instant};
use tracing::warn;

/// How long the watch may take to tell of a pod that is there.
const KEPT: Duration = Duration::from_secs(60);

/// A question that goes on.
pub(in crate::agent) struct Answer {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Response>,
    key: Key,
    fetched: Option<Fetched>,
}

/// Those that are being asked for, and those that have come.
pub(super) struct Fetches {
    client: Client,
    running: JoinSet<Answer>,
    come: BTreeMap<Key, (Instant, Fetched)>,
}

impl Fetches {
    pub(super) fn new(client: Client) -> Self {
        Self { client, running: JoinSet::new(), come: BTreeMap::new() }
    }

    /// Asks for a pod and its namespace; nobody waits.
    pub(super) fn begin(&mut self, key: Key, request: Request, answer: oneshot::Sender<Response>) {
        let client = self.client.clone();
        self.running.spawn(async move {
            let fetched = match fetch_pod(&client, &key).await {
                Ok(fetched) => Some(fetched),
                Err(error) => {
                    warn!("{error}");
                    None
                }
            };
            Answer { request, answer, key, fetched }
        });
    }

    /// The next that has come. Cancel safe.
    pub(super) async fn next(&mut self) -> Answer {
        loop {
            match self.running.join_next().await {
                Some(Ok(answer)) => return answer,
                // It panicked, which is told already; whoever asked asks again.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Has the pod count as told.
    pub(super) fn take(&mut self, answer: &Answer) {
        if let Some(fetched) = &answer.fetched {
            self.come.insert(answer.key.clone(), (Instant::now() + KEPT, fetched.clone()));
        }
    }

    /// The world with what has come and the watch has not told yet.
    pub(super) fn onto(&mut self, world: Arc<World>) -> Arc<World> {
        let now = Instant::now();
        let told = |key: &Key, pod: &str| world.pods.get(key).is_some_and(|known| known.uid == pod);
        self.come.retain(|key, (until, fetched)| now < *until && !told(key, &fetched.pod.uid));
        if self.come.is_empty() {
            return world;
        }
        let mut world = World::clone(&world);
        for (key, (_, fetched)) in &self.come {
            world.pods.insert(key.clone(), fetched.pod.clone());
            world.namespaces.entry(key.namespace.clone()).or_insert_with(|| fetched.namespace.clone());
        }
        Arc::new(world)
    }
}
