//! Secrets: only those that are named, and in memory only.

use std::time::Duration;

use k8s_sync::world::World;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    scene::{Scene, tenant},
    server::Server,
};

/// As they stand in a Secret: `secret-one` and so on.
const ONE: &str = "c2VjcmV0LW9uZQ==";
const TWO: &str = "c2VjcmV0LXR3bw==";
const OTHER: &str = "c2VjcmV0LW90aGVy";

fn secret(server: &Server, name: &str, password: &str) {
    let metadata = json!({"name": name, "namespace": "sixedge"});
    server.put(
        "secrets",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": password}}),
    );
}

fn peer_config(server: &Server, name: &str, secret: Option<&str>) {
    let spec = match secret {
        Some(secret) => json!({"authSecretRef": {"name": secret}}),
        None => json!({}),
    };
    let metadata = json!({"name": name, "uid": name});
    server.put(
        "bgppeerconfigs",
        json!({"apiVersion": "sixedge.io/v1alpha1", "kind": "BgpPeerConfig", "metadata": metadata, "spec": spec}),
    );
}

fn password<'a>(world: &'a World, name: &str) -> Option<&'a [u8]> {
    world.passwords.get(name).map(|secret| secret.0.as_slice())
}

#[tokio::test(start_paused = true)]
async fn only_named_secrets_are_read_and_the_first_world_has_them() {
    let server = tenant();
    secret(&server, "first", ONE);
    secret(&server, "second", TWO);
    secret(&server, "nobodys", OTHER);
    peer_config(&server, "rr1", Some("first"));
    peer_config(&server, "rr2", Some("second"));
    let mut scene = Scene::begin(server, None);
    let world = scene.until(|_| true).await;
    assert_eq!(password(&world, "first"), Some(&b"secret-one"[..]));
    assert_eq!(password(&world, "second"), Some(&b"secret-two"[..]));
    assert_eq!(world.passwords.len(), 2);
    let asked = scene.server.requests("secrets");
    assert!(
        asked.iter().all(|uri| uri.contains("/namespaces/sixedge/") && uri.contains("metadata.name")),
        "{asked:?}"
    );
    assert!(!format!("{world:?}").contains("secret-"), "a password can be printed");
    assert!(
        !serde_json::to_string(&*world).unwrap().contains("assword"),
        "a password would be written to disk"
    );

    // One changes, the other stays.
    secret(&scene.server, "first", OTHER);
    let world = scene.until(|world| password(world, "first") == Some(b"secret-other")).await;
    assert_eq!(password(&world, "second"), Some(&b"secret-two"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_nobody_names_any_more_is_forgotten_and_its_watch_ends() {
    let server = tenant();
    secret(&server, "first", ONE);
    secret(&server, "second", TWO);
    peer_config(&server, "rr1", Some("first"));
    let mut scene = Scene::begin(server, None);
    scene.until(|world| password(world, "first").is_some()).await;
    sleep(Duration::from_secs(1)).await;
    peer_config(&scene.server, "rr1", Some("second"));
    let world = scene.until(|world| password(world, "second").is_some()).await;
    assert_eq!(password(&world, "first"), None);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.server.open_streams("secrets"), 1);
    peer_config(&scene.server, "rr1", None);
    scene.until(|world| world.passwords.is_empty()).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.server.open_streams("secrets"), 0);
    assert!(!scene.sync.health().iter().any(|health| health.kind.starts_with("Secret")));
}
