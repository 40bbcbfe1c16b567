//! Objects at the API server, and what controllers make of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use k8s_openapi::{
    api::{coordination::v1::Lease, core::v1::Namespace, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::Condition,
};
use k8s_sync::{
    api,
    controller::{self, Options, Worlds},
    render::Problem,
    world::{LocatorPool, Node, Object, World},
};
use kube::{
    Api, Client, Config, Resource, ResourceExt,
    api::{ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher::watch_object,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testapi::{ApiServer, Cluster};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
    time::{Instant, sleep},
};

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test's body on a cluster, if there is one, and leaves nothing of it there.
pub(crate) async fn on_cluster(body: impl AsyncFnOnce(&Cluster)) {
    let Some(cluster) = Cluster::find(&k8s_sync::crds()).await else { return };
    let ended = AssertUnwindSafe(body(&cluster)).catch_unwind().await;
    cluster.clean().await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

/// A namespace of the test's own.
pub(crate) async fn namespace(cluster: &Cluster) -> String {
    let mut made = Namespace::default();
    made.metadata.generate_name = Some(cluster.name(""));
    let api = Api::<Namespace>::all(cluster.client.clone());
    api.create(&PostParams::default(), &made).await.unwrap().name_any()
}

/// Who holds the Lease.
pub(crate) async fn leader(client: &Client, namespace: &str) -> Option<String> {
    let lease =
        Api::<Lease>::namespaced(client.clone(), namespace).get_opt("sixedge-controller").await.unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

/// Waits until `ask` answers.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Creates an object of ours and says what the world knows of it.
pub(crate) async fn create<K>(client: &Client, name: &str, spec: Value) -> K
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let api = Api::<K>::all(client.clone());
    let object = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": { "name": name }, "spec": spec,
    });
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap()
}

pub(crate) fn known<K: Resource, S>(object: &K, spec: S) -> Object<S> {
    Object {
        generation: object.meta().generation.unwrap(),
        uid: object.meta().uid.clone().unwrap(),
        labels: BTreeMap::new(),
        spec,
    }
}

/// Creates a pool and lets the world know.
pub(crate) async fn create_pool(client: &Client, world: &mut World, name: &str, prefix: &str) {
    let pool: api::LocatorPool = create(client, name, json!({ "prefix": prefix })).await;
    let spec = LocatorPool { spec: pool.spec.clone(), allocations: vec![] };
    world.locator_pools.insert(name.into(), known(&pool, spec));
}

/// Creates a VRF and lets the world know.
pub(crate) async fn create_vrf(client: &Client, world: &mut World, name: &str, spec: Value) {
    let vrf: api::Vrf = create(client, name, spec).await;
    world.vrfs.insert(name.into(), known(&vrf, vrf.spec.clone()));
}

pub(crate) fn add_nodes(world: &mut World, names: impl IntoIterator<Item = String>) {
    world.nodes.extend(names.into_iter().map(|name| (name, Node { ready: true, ..Node::default() })));
}

/// Every locator with every node that the pool's status has ever named with it, from now on.
pub(crate) fn history(client: &Client, pool: &str) -> Arc<Mutex<BTreeSet<(String, String)>>> {
    let given = Arc::new(Mutex::new(BTreeSet::new()));
    let (seen, api) = (given.clone(), Api::<api::LocatorPool>::all(client.clone()));
    let mut states = watch_object(api, pool).boxed();
    tokio::spawn(async move {
        while let Some(state) = states.next().await {
            let status = state.unwrap().and_then(|pool| pool.status).unwrap_or_default();
            let pairs = status.allocations.into_iter().map(|given| (given.locator, given.node));
            seen.lock().unwrap().extend(pairs);
        }
    });
    given
}

/// By node; empty where there are none yet.
pub(crate) async fn allocations(client: &Client, pool: &str) -> BTreeMap<String, String> {
    let pool = Api::<api::LocatorPool>::all(client.clone()).get(pool).await.unwrap();
    let given = pool.status.unwrap_or_default().allocations;
    given.into_iter().map(|given| (given.node, given.locator)).collect()
}

pub(crate) async fn conditions(client: &Client, vrf: &str) -> Vec<Condition> {
    let vrf = Api::<api::Vrf>::all(client.clone()).get(vrf).await.unwrap();
    vrf.status.unwrap_or_default().conditions
}

pub(crate) async fn version(client: &Client, vrf: &str) -> String {
    Api::<api::Vrf>::all(client.clone()).get(vrf).await.unwrap().resource_version().unwrap()
}

/// Reason and note of the Events about an object, in their order.
pub(crate) async fn events(client: &Client, uid: &str) -> Vec<(String, String)> {
    let all = Api::<Event>::namespaced(client.clone(), "default").list(&ListParams::default()).await.unwrap();
    let mut about: Vec<Event> = all
        .into_iter()
        .filter(|event| event.regarding.as_ref().is_some_and(|to| to.uid.as_deref() == Some(uid)))
        .collect();
    about.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
    about
        .into_iter()
        .map(|event| (event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
        .collect()
}

/// Connections live in the runtime that made them.
async fn own_client() -> Client {
    match std::env::var_os("KUBECONFIG") {
        Some(_) => Client::try_default().await.unwrap(),
        None => ApiServer::shared().unwrap().client().await,
    }
}

fn own_runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn options(namespace: &str, identity: &str) -> Options {
    Options { namespace: namespace.into(), identity: identity.into(), lease_seconds: 3 }
}

/// Worlds as the test tells them.
struct Told(watch::Receiver<Option<Arc<World>>>);

impl Worlds for Told {
    fn world(&self) -> Option<Arc<World>> {
        self.0.borrow().clone()
    }

    fn unreadable(&self) -> Vec<Problem> {
        Vec::new()
    }

    async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// A controller on a runtime of its own, so that it can be killed.
pub(crate) struct Controller {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), controller::ControllerError>>,
}

impl Controller {
    pub(crate) fn start(namespace: &str, identity: &str, worlds: &watch::Sender<Option<Arc<World>>>) -> Self {
        let (options, runtime) = (options(namespace, identity), own_runtime());
        let (stop, stopped) = oneshot::channel::<()>();
        let told = worlds.subscribe();
        let ended = runtime.spawn(async move {
            let follow = |_| Told(told.clone());
            let stopped = async { stopped.await.unwrap_or_default() };
            controller::run_with(own_client().await, options, follow, stopped).await
        });
        Self { runtime, stop, ended }
    }

    /// With the world that the API server tells.
    pub(crate) fn start_with_its_own_eyes(kubeconfig: PathBuf) -> Self {
        let (options, runtime) = (options("default", "one"), own_runtime());
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = runtime.spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            controller::run(Client::try_from(config).unwrap(), options, stopped).await
        });
        Self { runtime, stop, ended }
    }

    /// As SIGTERM does.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
        self.runtime.shutdown_background();
    }

    /// As SIGKILL does: nothing is given back.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_background();
    }
}
