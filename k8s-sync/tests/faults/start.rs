//! A start, with and without an API server.

use std::{fs, path::PathBuf, time::Duration};

use k8s_sync::{snapshot, watch::Origin};
use tokio::time::sleep;

use crate::{
    scene::{Scene, has, pod, tenant},
    server::Server,
};

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sixedge-sync-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn snapshot(&self) -> PathBuf {
        self.0.join("kubernetes.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Follows a tenant with a pod more until the snapshot is written.
async fn remembered(folder: &Folder) -> Server {
    let server = tenant();
    server.put("pods", pod("old", "Running"));
    let mut scene = Scene::begin(server, Some(folder.snapshot()));
    scene.until(|world| has(world, "old")).await;
    for _ in 0..100 {
        sleep(Duration::from_secs(1)).await;
        // Written by a thread, which virtual time does not wait for.
        std::thread::sleep(Duration::from_millis(20));
        if folder.snapshot().exists() {
            return scene.server.clone();
        }
    }
    panic!("no snapshot was written");
}

#[tokio::test(start_paused = true)]
async fn a_start_without_an_api_server_goes_on_with_the_snapshot() {
    let folder = Folder::new("down");
    let server = remembered(&folder).await;
    server.down(true);
    let mut scene = Scene::begin(server, Some(folder.snapshot()));
    let world = scene.until(|_| true).await;
    assert!(has(&world, "old"));
    assert_eq!(scene.sync.origin(), Some(Origin::Snapshot));
    assert!(!scene.sync.synced());
    // And when it is there, the difference is told.
    scene.server.delete("pods", "red/old");
    scene.server.down(false);
    scene.until(|world| !has(world, "old")).await;
    assert!(scene.sync.synced());
}

#[tokio::test(start_paused = true)]
async fn a_start_with_an_api_server_never_tells_what_only_the_snapshot_says() {
    let folder = Folder::new("up");
    let server = remembered(&folder).await;
    server.delete("pods", "red/old");
    let mut scene = Scene::begin(server, Some(folder.snapshot()));
    let world = scene.until(|_| true).await;
    assert!(!has(&world, "old") && scene.sync.synced());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_at_the_start_is_as_the_snapshot_has_it() {
    let folder = Folder::new("refused");
    let server = remembered(&folder).await;
    server.refuse("vrfs", 403);
    let mut scene = Scene::begin(server, Some(folder.snapshot()));
    scene.until(|_| true).await;
    assert!(scene.sync.synced(), "a refusal is an answer");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_fails_for_long_holds_up_others_for_a_while_only() {
    let folder = Folder::new("failing");
    let server = remembered(&folder).await;
    server.refuse("vrfs", 500);
    server.delete("pods", "red/old");
    let mut scene = Scene::begin(server, Some(folder.snapshot()));
    scene.until(|world| !has(world, "old")).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_none_is_left_aside() {
    let folder = Folder::new("broken");
    for text in ["{", r#"{"version": 99, "world": {}}"#, r#"{"version": 1, "world": {"nodes": 5}}"#] {
        fs::write(folder.snapshot(), text).unwrap();
        assert!(snapshot::load(&folder.snapshot()).is_err());
        let server = tenant();
        server.down(true);
        let mut scene = Scene::begin(server, Some(folder.snapshot()));
        sleep(Duration::from_secs(60)).await;
        assert!(scene.sync.world().is_none());
        scene.server.down(false);
        scene.until(|_| true).await;
    }
}
