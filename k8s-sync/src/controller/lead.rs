//! The runner around the plan: listens, waits a moment for more, plans, writes. Dull on purpose.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep_until};

use super::{
    mirror::{Mirror, news},
    patience::Patience,
    plan::{Facts, Write, plan},
    worlds::Worlds,
    writer::{WriteError, Writer, Written},
};
use crate::render::review;

/// What happens in bursts is answered once.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// Writes at a time.
const AT_ONCE: usize = 8;

/// What the leader knows.
struct Leader<W> {
    worlds: W,
    writer: Writer,
    mirror: Mirror,
    patience: Patience,
    /// When to plan the next time.
    due: Option<Instant>,
}

/// Leads until it is dropped.
pub(super) async fn lead(client: Client, identity: &str, worlds: impl Worlds + Send) {
    let mut news = news(&client);
    let mut leader = Leader {
        worlds,
        writer: Writer::new(client, identity),
        mirror: Mirror::default(),
        patience: Patience::default(),
        due: Some(Instant::now()),
    };
    loop {
        tokio::select! {
            Some(event) = news.next() => {
                leader.mirror.take(event);
                leader.wake(Instant::now() + DEBOUNCE);
            }
            () = leader.worlds.changed() => leader.wake(Instant::now() + DEBOUNCE),
            () = sleep_until(leader.due.unwrap_or_else(Instant::now)), if leader.due.is_some() => {
                leader.due = None;
                leader.round().await;
            }
        }
    }
}

impl<W: Worlds> Leader<W> {
    fn wake(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    async fn round(&mut self) {
        // Of half of what there is, wrong things would be said.
        let Some(world) = self.worlds.world().filter(|_| self.mirror.is_complete()) else { return };
        let (problems, unreadable) = (review(&world), self.worlds.unreadable());
        let facts = Facts {
            world: &world,
            problems: &problems,
            unreadable: &unreadable,
            node_states: &self.mirror.node_states,
            standing: &self.mirror.standing,
            now: Timestamp::now(),
        };
        let writes = plan(&facts);
        self.patience.retain(|object| writes.iter().any(|write| write.object == *object));
        let now = Instant::now();
        let writes = writes.into_iter().filter(|write| self.patience.allows(&write.object, now));
        let answers: Vec<(Write, Result<Written, WriteError>)> = stream::iter(writes)
            .map(async |write| {
                let answer = self.writer.write(&write).await;
                (write, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (write, answer) in answers {
            self.settle(&write, answer);
        }
        if let Some(again) = self.patience.due() {
            self.wake(again);
        }
    }

    fn settle(&mut self, write: &Write, answer: Result<Written, WriteError>) {
        let object = &write.object;
        if answer.is_ok() {
            self.patience.succeeded(object);
        }
        match answer {
            Ok(Written::Done(now)) => {
                tracing::debug!(%object, "status written");
                self.mirror.keep(&object.kind, *now);
            }
            Ok(Written::Overtaken(now)) => {
                tracing::info!(%object, "somebody else wrote first; planning again on what there is now");
                self.mirror.keep(&object.kind, *now);
                self.wake(Instant::now() + DEBOUNCE);
            }
            Ok(Written::Gone) => self.mirror.forget(object),
            Err(error) => {
                tracing::warn!(%object, %error, "cannot write the status; trying again");
                self.patience.failed(object, Instant::now());
            }
        }
    }
}
