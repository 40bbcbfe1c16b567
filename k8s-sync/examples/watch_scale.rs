//! How long the first world takes and what it costs, with 5,000 pods and 1,000 services on a real API server:
//! `cargo run --release -p k8s-sync --example watch_scale`. The one who follows is a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on has failed")]

use std::{
    env, fs,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::{
    core::v1::{Namespace, Pod, Service},
    discovery::v1::EndpointSlice,
};
use k8s_sync::{
    crds,
    watch::{Options, Sync},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testapi::{ApiServer, install};

const PODS: u32 = 5000;
const SERVICES: u32 = 1000;

#[tokio::main]
async fn main() {
    if env::args().any(|argument| argument == "follow") {
        return follow().await;
    }
    let Some(server) = ApiServer::start() else { return };
    let began = Instant::now();
    fill(&server.client().await).await;
    println!("filled in {:.1} s", began.elapsed().as_secs_f64());
    let mut follower = Command::new(env::current_exe().unwrap());
    follower.arg("follow").env("KUBECONFIG", server.kubeconfig()).status().unwrap();
}

async fn follow() {
    let client = Client::try_default().await.unwrap();
    println!("RSS {} MB before", memory("VmRSS"));
    let began = Instant::now();
    let mut sync = Sync::start(client.clone(), Options::default());
    while !sync.synced() {
        sync.changed().await;
    }
    let world = sync.world().unwrap();
    let synced = began.elapsed();
    println!(
        "{} pods, {} services, {} slices",
        world.pods.len(),
        world.services.len(),
        world.endpoint_slices.len()
    );
    println!(
        "synced in {:.2} s; RSS {} MB, at most {} MB",
        synced.as_secs_f64(),
        memory("VmRSS"),
        memory("VmHWM")
    );
    let began = Instant::now();
    let copy = (*world).clone();
    println!("copied in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    println!(
        "snapshot of {} KB in {:.1} ms",
        serde_json::to_vec(&copy).unwrap().len() / 1024,
        began.elapsed().as_secs_f64() * 1e3
    );
    drop((world, copy));
    churn(&client, &mut sync).await;
}

/// One label of each of 1,000 pods changes.
async fn churn(client: &Client, sync: &mut Sync) {
    let api = Api::<Pod>::namespaced(client.clone(), "scale");
    let relabel = move |number: u32| {
        let api = api.clone();
        async move {
            let patch = Patch::Merge(json!({"metadata": {"labels": {"churn": "yes"}}}));
            api.patch(&format!("pod-{number}"), &PatchParams::default(), &patch).await.unwrap();
        }
    };
    let began = Instant::now();
    let all = tokio::spawn(stream::iter((0..1000).map(relabel)).buffer_unordered(16).collect::<Vec<_>>());
    let mut told = 0;
    loop {
        sync.changed().await;
        told += 1;
        let world = sync.world().unwrap();
        if world.pods.values().filter(|pod| pod.labels.contains_key("churn")).count() == 1000 {
            break;
        }
    }
    all.await.unwrap();
    println!(
        "1000 changes in {:.2} s, told in {told} worlds; RSS {} MB",
        began.elapsed().as_secs_f64(),
        memory("VmRSS")
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn fill(client: &Client) {
    install(client, &crds()).await;
    let namespace = serde_json::from_value(json!({"metadata": {"name": "scale"}})).unwrap();
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    create::<Pod>(Api::namespaced(client.clone(), "scale"), (0..PODS).map(pod)).await;
    create::<Service>(Api::namespaced(client.clone(), "scale"), (0..SERVICES).map(service)).await;
    create::<EndpointSlice>(Api::namespaced(client.clone(), "scale"), (0..SERVICES).map(slice)).await;
}

async fn create<K: Clone + DeserializeOwned + Serialize + std::fmt::Debug>(
    api: Api<K>,
    objects: impl Iterator<Item = Value>,
) {
    let create = |object| {
        let (api, object) = (api.clone(), serde_json::from_value::<K>(object).unwrap());
        async move { api.create(&PostParams::default(), &object).await.unwrap() }
    };
    stream::iter(objects.map(create)).buffer_unordered(32).for_each(|_| async {}).await;
}

fn address(number: u32) -> String {
    format!("10.{}.{}.{}", 1 + number / 62500, number / 250 % 250, 1 + number % 250)
}

/// As large as pods are: variables, volumes, conditions.
fn pod(number: u32) -> Value {
    let variables: Vec<Value> = (0..20)
        .map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "a value of some length"}))
        .collect();
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .map(|name| json!({"type": name, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}))
        .to_vec();
    json!({
        "metadata": {
            "name": format!("pod-{number}"),
            "labels": {
                "app.kubernetes.io/name": format!("app-{}", number / 5), "app.kubernetes.io/part-of": "scale",
                "app.kubernetes.io/version": "1.2.3", "pod-template-hash": "abcdef1234", "tier": "backend"
            },
            "annotations": {"checksum": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
        },
        "spec": {
            "nodeName": format!("node-{}", number % 100),
            "containers": [{
                "name": "main", "image": "registry.example/app:1.2.3", "env": variables,
                "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]
            }],
            "volumes": [{"name": "tmp", "emptyDir": {}}]
        },
        "status": {"phase": "Running", "podIP": address(number), "podIPs": [{"ip": address(number)}], "conditions": conditions}
    })
}

fn service(number: u32) -> Value {
    json!({
        "metadata": {"name": format!("app-{number}"), "labels": {"app.kubernetes.io/name": format!("app-{number}")}},
        "spec": {
            "clusterIP": address(100_000 + number), "clusterIPs": [address(100_000 + number)],
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}]
        }
    })
}

fn slice(number: u32) -> Value {
    let endpoints: Vec<Value> = (number * 5..number * 5 + 5)
        .map(|pod| {
            json!({
                "addresses": [address(pod)], "nodeName": format!("node-{}", pod % 100), "conditions": {"ready": true},
                "targetRef": {"kind": "Pod", "namespace": "scale", "name": format!("pod-{pod}")}
            })
        })
        .collect();
    json!({
        "metadata": {"name": format!("app-{number}-1"), "labels": {"kubernetes.io/service-name": format!("app-{number}")}},
        "addressType": "IPv4", "ports": [{"name": "http", "port": 8080}], "endpoints": endpoints
    })
}
