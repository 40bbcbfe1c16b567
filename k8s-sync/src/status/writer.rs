use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use k8s_openapi::{api::core::v1::Node, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{
        WatchStreamExt,
        events::{Recorder, Reporter},
        watcher::{self, DefaultBackoff, watch_object},
    },
};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, error::Elapsed, sleep_until, timeout},
};

use super::{
    kept::{Kept, Standing},
    session,
};
use crate::api::{NodeState, NodeStateStatus};

/// Owner of what the agent writes.
const FIELD_MANAGER: &str = "sixedge-agent";

/// A server that does not answer is tried again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Keeps a node's NodeState as the agent says, in a task of its own that ends with it.
#[derive(Debug)]
pub struct NodeStateWriter {
    wanted: watch::Sender<Option<Arc<NodeStateStatus>>>,
    task: JoinHandle<()>,
}

/// Why the NodeState could not be written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Api(#[from] kube::Error),
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    Timeout(#[from] Elapsed),
    #[error("there is no Node {0} to own the NodeState; start the agent with the Node's name")]
    NoNode(String),
}

impl NodeStateWriter {
    /// Watches the NodeState of `node` from now on; writes nothing before it is told what. Needs a tokio runtime.
    pub fn new(client: Client, node: &str) -> Self {
        let (wanted, wanting) = watch::channel(None);
        let keeper = Keeper {
            states: Api::all(client.clone()),
            nodes: Api::all(client.clone()),
            events: Recorder::new(
                client,
                Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(node.to_owned()) },
            ),
            node: node.to_owned(),
            kept: Kept::default(),
            backoff: DefaultBackoff::default(),
            not_before: Instant::now(),
        };
        Self { wanted, task: tokio::spawn(keeper.run(wanting)) }
    }

    /// What is so now. Never waits: it is written as soon as the pace and the API server allow, or something newer instead of it.
    pub fn write(&self, mut status: NodeStateStatus) {
        status.summarize();
        self.wanted.send_replace(Some(Arc::new(status)));
    }
}

impl Drop for NodeStateWriter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    states: Api<NodeState>,
    nodes: Api<Node>,
    events: Recorder,
    node: String,
    kept: Kept,
    backoff: DefaultBackoff,
    not_before: Instant,
}

impl Keeper {
    async fn run(mut self, mut wanting: watch::Receiver<Option<Arc<NodeStateStatus>>>) {
        let mut seen = std::pin::pin!(observed(&self.states, &self.node));
        loop {
            let wanted = wanting.borrow_and_update().clone();
            let due = wanted.as_ref().and_then(|wanted| self.kept.due(wanted, Instant::now()));
            let due = due.map(|due| due.max(self.not_before));
            tokio::select! {
                Some(state) = seen.next() => self.observe(state),
                changed = wanting.changed() => if changed.is_err() { return },
                () = sleep_until(due.unwrap_or(self.not_before)), if due.is_some() => {
                    if let Some(wanted) = wanted {
                        self.attempt(&wanted).await;
                    }
                }
            }
        }
    }

    fn observe(&mut self, state: watcher::Result<Option<NodeState>>) {
        match state {
            Ok(state) => self.kept.observe(state.as_ref()),
            Err(error) => {
                tracing::warn!(node = self.node, %error, "cannot watch the NodeState; trying again")
            }
        }
    }

    async fn attempt(&mut self, wanted: &NodeStateStatus) {
        match self.write(wanted).await {
            Ok(()) => self.backoff = DefaultBackoff::default(),
            Err(error) => {
                self.not_before = Instant::now() + self.backoff.next().unwrap_or(TIMEOUT);
                tracing::warn!(node = self.node, %error, "cannot write the NodeState; trying again");
            }
        }
    }

    async fn write(&mut self, wanted: &NodeStateStatus) -> Result<(), WriteError> {
        if self.kept.standing == Standing::Missing {
            self.kept.standing = Standing::there(&self.create().await?);
        }
        let Standing::There { uid, status: before, .. } = self.kept.standing.clone() else { return Ok(()) };
        let wanted = self.kept.timed(wanted);
        let patch = json!({
            "apiVersion": NodeState::api_version(&()), "kind": NodeState::kind(&()),
            "metadata": { "name": self.node, "uid": uid }, "status": wanted,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let patched =
            timeout(TIMEOUT, self.states.patch_status(&self.node, &params, &Patch::Apply(patch))).await?;
        let state = match patched {
            Ok(state) => state,
            Err(kube::Error::Api(refusal)) if refusal.is_not_found() => {
                self.kept.standing = Standing::Missing;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.tell(&before, &wanted, &state).await;
        self.kept.written(Instant::now(), &wanted, &state);
        Ok(())
    }

    /// The Node owns it, so that it goes with the Node.
    async fn create(&self) -> Result<NodeState, WriteError> {
        let node = timeout(TIMEOUT, self.nodes.get_opt(&self.node)).await??;
        let node = node.ok_or_else(|| WriteError::NoNode(self.node.clone()))?;
        let owner = OwnerReference {
            api_version: Node::api_version(&()).into_owned(),
            kind: Node::kind(&()).into_owned(),
            name: self.node.clone(),
            uid: node.uid().unwrap_or_default(),
            ..OwnerReference::default()
        };
        let patch = json!({
            "apiVersion": NodeState::api_version(&()), "kind": NodeState::kind(&()),
            "metadata": { "name": self.node, "ownerReferences": [owner] }, "spec": {},
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        Ok(timeout(TIMEOUT, self.states.patch(&self.node, &params, &Patch::Apply(patch))).await??)
    }

    /// The sessions stand in the status: an Event that gets lost is no harm.
    async fn tell(&self, before: &NodeStateStatus, after: &NodeStateStatus, state: &NodeState) {
        for event in session::events(before, after) {
            let told = timeout(TIMEOUT, self.events.publish(&event, &state.object_ref(&()))).await;
            if !matches!(told, Ok(Ok(()))) {
                tracing::warn!(node = self.node, event = event.note, "cannot write an Event");
                return;
            }
        }
    }
}

fn observed(
    states: &Api<NodeState>,
    node: &str,
) -> impl Stream<Item = watcher::Result<Option<NodeState>>> + Send + use<> {
    watch_object(states.clone(), node).default_backoff()
}
