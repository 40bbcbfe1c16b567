//! A server with a tenant in it, and a [`Sync`] that is watched all the time.

use std::{path::PathBuf, sync::Arc, time::Duration};

use k8s_sync::{
    watch::{Options, Sync},
    world::{Key, World},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::server::Server;

/// Pods that are there all the time: more than a page.
const ALWAYS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Of virtual time.
pub(crate) const SOON: Duration = Duration::from_secs(600);

pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) sync: Sync,
}

impl Scene {
    /// A tenant that is followed.
    pub(crate) async fn start() -> Self {
        let mut scene = Self::begin(tenant(), None);
        scene.until(|_| true).await;
        scene
    }

    /// Begins to follow. Every change is told at once, so that none hides another.
    pub(crate) fn begin(server: Server, snapshot: Option<PathBuf>) -> Self {
        let sync = Sync::start(server.client(), options(snapshot));
        Self { server, sync }
    }

    /// Waits for a world; each on the way must be whole.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&World) -> bool) -> Arc<World> {
        let waiting = async {
            loop {
                if let Some(world) = self.sync.world() {
                    whole(&world);
                    if wanted(&world) {
                        return world;
                    }
                }
                self.sync.changed().await;
            }
        };
        timeout(SOON, waiting).await.expect("the world never came")
    }

    /// Waits for a pod that is made now: what was to be seen before has been.
    pub(crate) async fn settle(&mut self) {
        self.server.put("pods", pod("settled", "Running"));
        self.until(|world| has(world, "settled")).await;
        self.server.delete("pods", "red/settled");
        self.until(|world| !has(world, "settled")).await;
    }
}

pub(crate) fn options(snapshot: Option<PathBuf>) -> Options {
    let quiet = Duration::ZERO;
    Options { secrets_in: Some("sixedge".into()), snapshot, quiet, at_most: quiet, ..Options::default() }
}

/// A namespace, a VRF and the pods that are always there.
pub(crate) fn tenant() -> Server {
    let server = Server::default();
    server.put("namespaces", json!({"metadata": {"name": "red", "labels": {"tenant": "red"}}}));
    server.put("vrfs", vrf("red"));
    ALWAYS.iter().for_each(|name| server.put("pods", pod(name, "Running")));
    server
}

pub(crate) fn pod(name: &str, phase: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "red", "uid": name},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": phase, "podIP": "10.0.0.1"}
    })
}

pub(crate) fn vrf(name: &str) -> Value {
    json!({
        "apiVersion": "sixedge.io/v1alpha1", "kind": "Vrf",
        "metadata": {"name": name, "uid": name, "generation": 1},
        "spec": {"importRouteTargets": ["65000:1"], "exportRouteTargets": ["65000:1"]}
    })
}

pub(crate) fn has(world: &World, pod: &str) -> bool {
    world.pods.contains_key(&Key::new("red", pod))
}

pub(crate) fn whole(world: &World) {
    for pod in ALWAYS {
        assert!(
            has(world, pod),
            "pod {pod} was there all the time, and is not among {:?}",
            world.pods.keys()
        );
    }
    assert!(world.vrfs.contains_key("red"), "the VRF was there all the time");
    assert!(world.namespaces.contains_key("red"), "the namespace was there all the time");
}
