use std::sync::Arc;

use crate::{render::Problem, watch::Sync, world::World};

/// Where the leader has the world from.
pub trait Worlds {
    /// The world; `None` as long as that is not enough to act on.
    fn world(&self) -> Option<Arc<World>>;

    /// Objects that it lacks, or has an older state of, as they cannot be read.
    fn unreadable(&self) -> Vec<Problem>;

    /// Waits until the world is another. Cancel safe.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;
}

impl Worlds for Sync {
    fn world(&self) -> Option<Arc<World>> {
        // Not from a snapshot: what is written is to be true now.
        self.synced().then(|| Sync::world(self))?
    }

    fn unreadable(&self) -> Vec<Problem> {
        Sync::unreadable(self)
    }

    async fn changed(&mut self) {
        Sync::changed(self).await;
    }
}
