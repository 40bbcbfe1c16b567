use std::{
    env,
    panic::{AssertUnwindSafe, resume_unwind},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures_util::FutureExt;
use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::ApiResource,
    runtime::wait::{await_condition, conditions},
};

use crate::ApiServer;

/// Any cluster that serves our custom resources, and names that nobody else has in it.
pub struct Cluster {
    /// May do everything.
    pub client: Client,
    prefix: String,
    resources: Vec<ApiResource>,
}

impl Cluster {
    /// The cluster that `KUBECONFIG` names, or else the program's shared server, with these resources; `None`, and why on stderr,
    /// where there is neither.
    pub async fn find(crds: &[CustomResourceDefinition]) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let client = match env::var_os("KUBECONFIG") {
            Some(_) => Client::try_from(Config::infer().await.expect("KUBECONFIG")).unwrap(),
            None => ApiServer::shared()?.client().await,
        };
        install(&client, crds).await;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("sixedge-test-{}-{number}-", process::id());
        Some(Self { client, prefix, resources: crds.iter().map(resource).collect() })
    }

    /// Runs a test with [`find`](Self::find)'s cluster, if there is one, and removes what it left there, also when it fails.
    pub async fn run(crds: &[CustomResourceDefinition], test: impl AsyncFnOnce(&Self)) {
        let Some(cluster) = Self::find(crds).await else { return };
        let outcome = AssertUnwindSafe(test(&cluster)).catch_unwind().await;
        cluster.clean().await;
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    }

    /// Custom resources of a kind.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = self.resources.iter().find(|resource| resource.kind == kind);
        Api::all_with(self.client.clone(), resource.unwrap_or_else(|| panic!("no definition of {kind}")))
    }

    /// A name that is this test's alone.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Removes what has a [`name`](Self::name) of this test: namespaces, and custom resources without one.
    pub async fn clean(&self) {
        for resource in &self.resources {
            let api: Api<DynamicObject> = Api::all_with(self.client.clone(), resource);
            for object in api.list(&ListParams::default()).await.unwrap() {
                let name = object.name_any();
                if name.starts_with(&self.prefix) {
                    let _ = api.delete(&name, &DeleteParams::default()).await;
                }
            }
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        for namespace in namespaces.list(&ListParams::default()).await.unwrap() {
            if namespace.name_any().starts_with(&self.prefix) {
                let _ = namespaces.delete(&namespace.name_any(), &DeleteParams::default()).await;
            }
        }
    }
}

fn resource(crd: &CustomResourceDefinition) -> ApiResource {
    let (group, version, kind) = (&crd.spec.group, &crd.spec.versions[0].name, &crd.spec.names.kind);
    let api_version = format!("{group}/{version}");
    ApiResource {
        group: group.clone(),
        version: version.clone(),
        api_version,
        kind: kind.clone(),
        plural: crd.spec.names.plural.clone(),
    }
}

/// Applies definitions, and waits until their objects can be written.
pub async fn install(client: &Client, crds: &[CustomResourceDefinition]) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in crds {
        let applied =
            api.patch(&crd.name_any(), &PatchParams::apply("sixedge-test").force(), &Patch::Apply(crd)).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", crd.name_any()));
    }
    for crd in crds {
        let name = crd.name_any();
        let established = await_condition(api.clone(), &name, conditions::is_crd_established());
        let in_time = tokio::time::timeout(Duration::from_secs(30), established).await;
        in_time.unwrap_or_else(|_| panic!("{name}: not established within 30 s")).unwrap();
    }
}
