//! Keeps the snapshot up to date, beside everything else.

use std::{path::PathBuf, time::Duration};

use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tracing::warn;

use super::{Origin, Told};
use crate::snapshot;

/// A change waits for those that come with it.
const SOON: Duration = Duration::from_secs(1);

/// Between two snapshots at least: a node's disk is not for every change of every pod.
const PAUSE: Duration = Duration::from_secs(10);

/// Writes what the API server has told. Never ends but with the owner of the world.
pub(super) async fn keep(path: PathBuf, mut told: watch::Receiver<Option<Told>>) {
    let mut is_written = true;
    while told.changed().await.is_ok() {
        sleep(SOON).await;
        let world = told
            .borrow_and_update()
            .as_ref()
            .filter(|told| told.origin == Origin::Server)
            .map(|told| told.world.clone());
        if let Some(world) = world {
            let path = path.clone();
            let written = spawn_blocking(move || snapshot::save(&path, &world)).await;
            is_written = told_once(written, is_written);
            sleep(PAUSE).await;
        }
    }
}

/// A disk that is full is told once, and not with each attempt.
fn told_once(
    written: Result<Result<(), snapshot::SnapshotError>, tokio::task::JoinError>,
    was_written: bool,
) -> bool {
    match written {
        Ok(Err(error)) if was_written => warn!("{error}"),
        Ok(Ok(())) => return true,
        _ => {}
    }
    false
}
