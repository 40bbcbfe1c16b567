//! Objects at the API server, and what controllers make of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::{api::events::v1::Event, apimachinery::pkg::apis::meta::v1::Condition};
use k8s_sync::{
    api,
    controller::{self, Options},
    render,
    world::{LocatorPool, Node, Object, World},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
    time::{Instant, sleep},
};

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `ask` answers.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
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
pub async fn create<K>(client: &Client, name: &str, spec: Value) -> K
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let api = Api::<K>::all(client.clone());
    let _ = api.delete(name, &DeleteParams::default()).await;
    let object = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": { "name": name }, "spec": spec,
    });
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap()
}

pub fn known<K: Resource, S>(object: &K, spec: S) -> Object<S> {
    Object {
        generation: object.meta().generation.unwrap(),
        uid: object.meta().uid.clone().unwrap(),
        labels: BTreeMap::new(),
        spec,
    }
}

/// Creates a pool and lets the world know.
pub async fn create_pool(client: &Client, world: &mut World, name: &str, prefix: &str) {
    let pool: api::LocatorPool = create(client, name, json!({ "prefix": prefix })).await;
    let spec = LocatorPool { spec: pool.spec.clone(), allocations: vec![] };
    world.locator_pools.insert(name.into(), known(&pool, spec));
}

/// Creates a VRF and lets the world know.
pub async fn create_vrf(client: &Client, world: &mut World, name: &str, spec: Value) {
    let vrf: api::Vrf = create(client, name, spec).await;
    world.vrfs.insert(name.into(), known(&vrf, vrf.spec.clone()));
}

pub fn add_nodes(world: &mut World, names: impl IntoIterator<Item = String>) {
    world.nodes.extend(names.into_iter().map(|name| (name, Node { ready: true, ..Node::default() })));
}

/// By node; empty where there are none yet.
pub async fn allocations(client: &Client, pool: &str) -> BTreeMap<String, String> {
    let pool = Api::<api::LocatorPool>::all(client.clone()).get(pool).await.unwrap();
    let given = pool.status.unwrap_or_default().allocations;
    given.into_iter().map(|given| (given.node, given.locator)).collect()
}

pub async fn conditions(client: &Client, vrf: &str) -> Vec<Condition> {
    let vrf = Api::<api::Vrf>::all(client.clone()).get(vrf).await.unwrap();
    vrf.status.unwrap_or_default().conditions
}

pub async fn version(client: &Client, vrf: &str) -> String {
    Api::<api::Vrf>::all(client.clone()).get(vrf).await.unwrap().resource_version().unwrap()
}

/// Reason and note of the Events about an object, in their order.
pub async fn events(client: &Client, uid: &str) -> Vec<(String, String)> {
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

/// A controller on a runtime of its own, so that it can be killed.
pub struct Controller {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), controller::ControllerError>>,
}

impl Controller {
    pub fn start(
        kubeconfig: &kube::Config,
        namespace: &str,
        identity: &str,
        worlds: &watch::Sender<Option<Arc<World>>>,
    ) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = Options {
            namespace: namespace.into(),
            identity: identity.into(),
            lease_seconds: 3,
            review: render::review,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (config, worlds) = (kubeconfig.clone(), worlds.subscribe());
        let ended = runtime.spawn(async move {
            let client = Client::try_from(config).unwrap();
            let stopped = async {
                let _ = stopped.await;
            };
            controller::run(client, options, worlds, stopped).await
        });
        Self { runtime, stop, ended }
    }

    /// As SIGTERM does.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
        self.runtime.shutdown_background();
    }

    /// As SIGKILL does: nothing is given back.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Our custom resources, as this build knows them.
pub async fn install(client: &Client) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    use kube::{
        CustomResourceExt,
        api::{Patch, PatchParams},
    };
    let crds = [
        api::Vrf::crd(),
        api::LocatorPool::crd(),
        api::BgpCluster::crd(),
        api::BgpPeerConfig::crd(),
        api::BgpAdvertisement::crd(),
        api::BgpNodeOverride::crd(),
        api::EgressPolicy::crd(),
        api::AttachmentCircuit::crd(),
        api::NodeState::crd(),
    ];
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    for crd in crds {
        definitions
            .patch(&crd.name_any(), &PatchParams::apply("tests").force(), &Patch::Apply(&crd))
            .await
            .unwrap();
    }
    eventually("the resources served", async || {
        Api::<api::NodeState>::all(client.clone()).list(&ListParams::default()).await.ok()
    })
    .await;
}
