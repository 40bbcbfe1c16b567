//! What tests rely on of the API server of the tests.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::{
    Api, Error, ResourceExt,
    api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testapi::{ApiServer, Options, Request};

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn pod(name: &str) -> Pod {
    let status = json!({"phase": "Running", "podIP": "10.0.0.9"});
    object(
        json!({"metadata": {"name": name}, "spec": {"nodeName": "node1", "containers": []}, "status": status}),
    )
}

#[tokio::test]
async fn after_a_restart_all_is_there_and_an_old_watch_is_gone() {
    let Some(mut server) = ApiServer::start() else { return };
    let client = server.client().await;
    let namespaces: Api<Namespace> = Api::all(client);
    let named = |name: &str| -> Namespace { object(json!({"metadata": {"name": name}})) };
    let red = namespaces.create(&PostParams::default(), &named("red")).await.unwrap();
    namespaces.create(&PostParams::default(), &named("blue")).await.unwrap();

    server.stop();
    assert!(namespaces.get("red").await.is_err(), "stopped");
    server.restart();

    assert_eq!(namespaces.get("red").await.unwrap().uid(), red.uid());
    let version = red.resource_version().unwrap();
    let mut watch = namespaces.watch(&WatchParams::default(), &version).await.unwrap().boxed();
    match watch.next().await.unwrap() {
        Ok(WatchEvent::Error(status)) => assert_eq!(status.code, 410),
        other => panic!("not 410: {other:?}"),
    }
}

#[tokio::test]
async fn who_asked_for_what_is_on_record() {
    let agent = "system:serviceaccount:sixedge:agent";
    let Some(server) = ApiServer::start_with(Options { users: vec![agent.into()], ..Options::default() })
    else {
        return;
    };
    let pods: Api<Pod> = Api::namespaced(server.client_of(agent).await, "red");
    let _ = pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let _ = pods.patch_status("web", &PatchParams::default(), &Patch::Merge(json!({}))).await.unwrap();

    let asked = |verb: &str, subresource: &str, name: &str| Request {
        user: agent.into(),
        verb: verb.into(),
        group: String::new(),
        resource: "pods".into(),
        subresource: subresource.into(),
        namespace: "red".into(),
        name: name.into(),
    };
    let requests: Vec<_> = server.requests().into_iter().filter(|request| request.user == agent).collect();
    assert_eq!(requests, [asked("create", "", "web"), asked("patch", "status", "web")]);
}

#[tokio::test]
async fn status_is_written_by_its_own_path_only() {
    let Some(server) = ApiServer::shared() else { return };
    let pods: Api<Pod> = Api::namespaced(server.client().await, "status");
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());

    let created = pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    assert_eq!(phase(&created), None);
    let change = json!({"spec": {"nodeName": "node2"}, "status": {"phase": "Running"}});
    let written = pods.patch_status("web", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    assert_eq!(written.spec.as_ref().unwrap().node_name.as_deref(), Some("node1"));
    assert_eq!(phase(&written).as_deref(), Some("Running"));
    let change = json!({"spec": {"nodeName": "node3"}, "status": {"phase": "Failed"}});
    let written = pods.patch("web", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    assert_eq!(written.spec.as_ref().unwrap().node_name.as_deref(), Some("node3"));
    assert_eq!(phase(&written).as_deref(), Some("Running"));
}

#[tokio::test]
async fn a_secret_is_stored_as_data() {
    let Some(server) = ApiServer::shared() else { return };
    let secrets: Api<Secret> = Api::namespaced(server.client().await, "secrets");
    let secret = object(json!({"metadata": {"name": "key"}, "stringData": {"password": "x"}}));
    let stored = secrets.create(&PostParams::default(), &secret).await.unwrap();
    assert_eq!(stored.data.unwrap()["password"].0, b"x");
    assert_eq!(stored.string_data, None);
}

#[tokio::test]
async fn a_token_that_nobody_has_opens_nothing() {
    let Some(server) = ApiServer::shared() else { return };
    let mut kubeconfig = kube::config::Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let user = kubeconfig.auth_infos[0].auth_info.as_mut().unwrap();
    user.token = Some("guessed".to_owned().into());
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(kube::Client::try_from(config).unwrap());
    match namespaces.get("default").await {
        Err(Error::Api(status)) => assert_eq!(status.code, 401),
        other => panic!("not 401: {other:?}"),
    }
}

/// Gone when dropped.
struct Netns(String);

impl Netns {
    fn add() -> Self {
        let netns = Self(format!("sixedge-testapi-{}", std::process::id()));
        netns.ip(&["netns", "add", &netns.0]);
        netns.ip(&["-n", &netns.0, "link", "set", "lo", "up"]);
        netns.ip(&["-n", &netns.0, "address", "add", "fd00::1/128", "dev", "lo"]);
        netns
    }

    fn ip(&self, arguments: &[&str]) {
        assert!(
            Command::new("ip").args(arguments).status().unwrap().success(),
            "{arguments:?} of {}",
            self.0
        );
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

#[test]
fn it_runs_in_a_namespace_at_an_address_that_its_certificate_names() {
    let netns = Netns::add();
    let bind = Some("[fd00::1]:6443".parse().unwrap());
    let options = Options { netns: Some(netns.0.clone()), bind, ..Options::default() };
    let Some(server) = ApiServer::start_with(options) else { return };

    let certificate = server.kubeconfig().with_file_name("apiserver.crt");
    let url = "https://[fd00::1]:6443/readyz";
    let mut curl = Command::new("ip");
    curl.args(["netns", "exec", &netns.0, "curl", "--silent", "--show-error", "--noproxy", "*"]);
    curl.args(["--header", "Authorization: Bearer token-0", "--cacert"]).arg(certificate).arg(url);
    let answer = curl.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "ok", "{}", String::from_utf8_lossy(&answer.stderr));
}
