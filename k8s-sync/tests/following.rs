//! Against a real API server: what it says ends up in the world, over its restarts too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use k8s_sync::{
    api::BgpPeerConfig,
    crds,
    watch::{FetchError, Options, Sync, fetch_pod},
    world::{Key, World},
};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testapi::{ApiServer, Cluster, install};
use tokio::time::timeout;

fn parsed<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

fn options(namespace: &str) -> Options {
    Options { secrets_in: Some(namespace.into()), ..Options::default() }
}

async fn until(sync: &mut Sync, wanted: impl Fn(&World) -> bool) -> Arc<World> {
    let waiting = async {
        loop {
            if let Some(world) = sync.world().filter(|world| wanted(world)) {
                return world;
            }
            sync.changed().await;
        }
    };
    timeout(Duration::from_secs(90), waiting).await.expect("the world never came")
}

async fn namespace(client: &Client, name: &str) {
    let object = parsed(json!({"metadata": {"name": name, "labels": {"tenant": name}}}));
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
}

fn pod(name: &str) -> Pod {
    parsed(json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "none"}]}
    }))
}

fn pods(client: &Client, namespace: &str) -> Api<Pod> {
    Api::namespaced(client.clone(), namespace)
}

fn in_namespace(world: &World, namespace: &str) -> usize {
    world.pods.keys().filter(|key| key.namespace == namespace).count()
}

async fn create_all(api: &Api<Pod>, numbers: std::ops::Range<u32>) {
    let create = |number| async move {
        api.create(&PostParams::default(), &pod(&format!("p{number}"))).await.unwrap()
    };
    stream::iter(numbers).map(create).buffer_unordered(16).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_takes_nothing_away_and_loses_nothing() {
    let Some(mut server) = ApiServer::start() else { return };
    let client = server.client().await;
    install(&client, &crds()).await;
    namespace(&client, "red").await;
    create_all(&pods(&client, "red"), 0..20).await;
    let mut sync = Sync::start(client.clone(), options("red"));
    until(&mut sync, |world| in_namespace(world, "red") == 20).await;

    for round in 0..2 {
        server.stop();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(in_namespace(&sync.world().unwrap(), "red"), 20, "a server that is gone says nothing");
        assert!(sync.health().iter().any(|health| health.trouble.is_some()), "the loss is not noticed");
        server.restart();
        let api = pods(&server.client().await, "red");
        api.delete(&format!("p{round}"), &DeleteParams::default()).await.unwrap();
        api.create(&PostParams::default(), &pod(&format!("new{round}"))).await.unwrap();
        let gone = Key::new("red", format!("p{round}"));
        let new = Key::new("red", format!("new{round}"));
        let whole = |world: &World| {
            assert!((2..20).all(|number| world.pods.contains_key(&Key::new("red", format!("p{number}")))));
            !world.pods.contains_key(&gone) && world.pods.contains_key(&new)
        };
        until(&mut sync, whole).await;
    }
    let is_well = || sync.health().iter().all(|health| health.trouble.is_none());
    let began = Instant::now();
    while !is_well() && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(is_well(), "{:?}", sync.health());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pods_that_come_and_go_end_up_as_the_server_has_them() {
    let Some(cluster) = Cluster::find(&crds()).await else { return };
    let name = cluster.name("churn");
    namespace(&cluster.client, &name).await;
    let mut sync = Sync::start(cluster.client.clone(), options(&name));
    let api = pods(&cluster.client, &name);
    create_all(&api, 0..1000).await;
    until(&mut sync, |world| in_namespace(world, &name) == 1000).await;

    let end = |number: u32| {
        let api = api.clone();
        async move {
            let pod = format!("p{number}");
            if number.is_multiple_of(2) {
                api.delete(&pod, &DeleteParams::default().grace_period(0)).await.unwrap();
            } else {
                let status = Patch::Merge(json!({"status": {"phase": "Succeeded"}}));
                let _ = api.patch_status(&pod, &PatchParams::default(), &status).await.unwrap();
            }
        }
    };
    stream::iter(0..998).map(end).buffer_unordered(16).collect::<Vec<_>>().await;
    let world = until(&mut sync, |world| in_namespace(world, &name) == 2).await;
    assert!(world.pods.contains_key(&Key::new(&name, "p999")));
    cluster.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_rotated_is_seen_and_no_other_secret_is_read() {
    let Some(cluster) = Cluster::find(&crds()).await else { return };
    let (home, key) = (cluster.name("home"), cluster.name("key"));
    namespace(&cluster.client, &home).await;
    let secrets = Api::<Secret>::namespaced(cluster.client.clone(), &home);
    let secret = |name: &str, password: &str| {
        parsed::<Secret>(json!({"metadata": {"name": name}, "data": {"password": password}}))
    };
    secrets.create(&PostParams::default(), &secret(&key, "Zmlyc3Q=")).await.unwrap();
    secrets.create(&PostParams::default(), &secret("other", "b3RoZXI=")).await.unwrap();
    let config: BgpPeerConfig = parsed(json!({
        "apiVersion": "sixedge.io/v1alpha1", "kind": "BgpPeerConfig",
        "metadata": {"name": key}, "spec": {"authSecretRef": {"name": key}}
    }));
    Api::<BgpPeerConfig>::all(cluster.client.clone()).create(&PostParams::default(), &config).await.unwrap();
    let mut sync = Sync::start(cluster.client.clone(), options(&home));
    let is =
        |world: &World, password: &[u8]| world.passwords.get(&key).is_some_and(|secret| secret.0 == password);
    let world = until(&mut sync, |world| is(world, b"first")).await;
    assert!(!world.passwords.contains_key("other"));
    let rotated = Patch::Merge(json!({"data": {"password": "c2Vjb25k"}}));
    secrets.patch(&key, &PatchParams::default(), &rotated).await.unwrap();
    until(&mut sync, |world| is(world, b"second")).await;
    secrets.delete(&key, &DeleteParams::default()).await.unwrap();
    until(&mut sync, |world| !world.passwords.contains_key(&key)).await;
    cluster.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_fetched_with_its_namespace() {
    let Some(cluster) = Cluster::find(&crds()).await else { return };
    let name = cluster.name("fetch");
    namespace(&cluster.client, &name).await;
    pods(&cluster.client, &name).create(&PostParams::default(), &pod("web")).await.unwrap();
    let fetched = fetch_pod(&cluster.client, &Key::new(&name, "web")).await.unwrap();
    assert_eq!(fetched.pod.labels.get("app").map(String::as_str), Some("web"));
    assert_eq!(fetched.namespace.labels.get("tenant"), Some(&name));
    let missing = fetch_pod(&cluster.client, &Key::new(&name, "none")).await;
    assert!(matches!(missing, Err(FetchError::NotFound(_))), "{missing:?}");
    cluster.clean().await;
}
