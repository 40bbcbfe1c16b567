//! What an agent writes of its node.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use k8s_sync::{
    api::{FamilyState, NodeState, NodeStateStatus, SessionState, Vrf, VrfState},
    status::{Facts, NodeStateWriter, conditions},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use testapi::ApiServer;
use tokio::time::{Instant, sleep};

use crate::cluster::{events, eventually, on_cluster};

/// A session and its routes.
fn status(session: &str, received: u64) -> NodeStateStatus {
    let families = vec![FamilyState { family: "vpnv4".into(), received, ..FamilyState::default() }];
    let sessions = vec![SessionState {
        peer: "fd00:ff::9".into(),
        peer_asn: 65000,
        state: session.into(),
        since: None,
        last_error: Some("hold timer expired".into()),
        families,
    }];
    let facts = Facts { configured: Ok(()), dataplane_in_step: true, sessions: &sessions };
    let conditions = conditions(&facts, k8s_openapi::jiff::Timestamp::now());
    NodeStateStatus { version: "0.1.0".into(), conditions, sessions, ..NodeStateStatus::default() }
}

/// A Node that is ready.
pub(crate) async fn create_node(client: &Client, name: &str) -> Node {
    let labels = json!({ "kubernetes.io/hostname": name });
    let status = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
    let metadata = json!({ "name": name, "labels": labels });
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status });
    Api::<Node>::all(client.clone())
        .create(&PostParams::default(), &serde_json::from_value(node).unwrap())
        .await
        .unwrap()
}

/// A node that holds a VRF and is ready.
pub(crate) fn holding(vrf: &Vrf) -> NodeStateStatus {
    let observed_generation = vrf.metadata.generation.unwrap();
    let held = VrfState { name: vrf.name_any(), observed_generation, ..VrfState::default() };
    NodeStateStatus { vrfs: vec![held], ..status("Established", 1) }
}

async fn state(client: &Client, node: &str) -> Option<NodeState> {
    Api::<NodeState>::all(client.clone()).get_opt(node).await.unwrap()
}

/// Waits until the NodeState says that the session is in this state.
async fn until_session(client: &Client, node: &str, session: &str) -> NodeState {
    eventually(session, async || {
        let state = state(client, node).await?;
        let is_so = state.status.as_ref()?.sessions.first()?.state == session;
        is_so.then_some(state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_state_is_its_nodes_and_tells_of_sessions_and_comes_back_when_it_is_deleted() {
    on_cluster(async |cluster| {
        let (client, name) = (&cluster.client, &cluster.name("pe1"));
        let node = create_node(client, name).await;
        let writer = NodeStateWriter::new(client.clone(), name);
        writer.write(status("Established", 1));
        let first = until_session(client, name, "Established").await;
        assert_eq!(first.metadata.owner_references.as_ref().unwrap()[0].uid, node.uid().unwrap());

        writer.write(status("Active", 1));
        let second = until_session(client, name, "Active").await;
        let told = async || Some(events(client, &first.uid().unwrap()).await).filter(|told| told.len() == 2);
        let told = eventually("two Events", told).await;
        assert_eq!(told[0], ("SessionUp".into(), "BGP session with fd00:ff::9 AS 65000 is up".into()));
        let down = "BGP session with fd00:ff::9 AS 65000 is down: hold timer expired";
        assert_eq!(told[1], ("SessionDown".into(), down.into()));

        Api::<NodeState>::all(client.clone()).delete(name, &DeleteParams::default()).await.unwrap();
        let again = eventually("a new one", async || {
            state(client, name).await.filter(|now| now.uid() != second.uid())
        })
        .await;
        assert_eq!(again.object_ref(&()).name.as_deref(), Some(name.as_str()));
        until_session(client, name, "Active").await;
        Api::<Node>::all(client.clone()).delete(name, &DeleteParams::default()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_state_is_not_written_when_nothing_has_changed_and_not_for_every_route() {
    on_cluster(async |cluster| {
        let (client, name) = (&cluster.client, &cluster.name("pe2"));
        create_node(client, name).await;
        let writer = NodeStateWriter::new(client.clone(), name);
        writer.write(status("Established", 1));
        let first = until_session(client, name, "Established").await;
        let started = Instant::now();
        for routes in 1..=20 {
            writer.write(status("Established", 1 + routes % 3));
            sleep(Duration::from_millis(100)).await;
        }
        writer.write(status("Established", 7));
        assert_eq!(state(client, name).await.unwrap().resource_version(), first.resource_version());
        let routes = async || {
            let now = state(client, name).await?;
            (now.status.as_ref()?.sessions[0].families[0].received == 7).then_some(now)
        };
        eventually("the newest number of routes", routes).await;
        assert!(started.elapsed() > Duration::from_secs(8), "{:?}", started.elapsed());
        drop(writer);

        // An agent that starts anew has nothing new to say.
        let before = state(client, name).await.unwrap().resource_version();
        let writer = NodeStateWriter::new(client.clone(), name);
        writer.write(status("Established", 7));
        sleep(Duration::from_secs(2)).await;
        assert_eq!(state(client, name).await.unwrap().resource_version(), before);
        Api::<Node>::all(client.clone()).delete(name, &DeleteParams::default()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_api_server_comes_back_the_newest_is_written_and_nothing_else() {
    let Some(mut server) = ApiServer::start() else { return };
    let client = server.client().await;
    testapi::install(&client, &k8s_sync::crds()).await;
    create_node(&client, "pe3").await;
    let writer = NodeStateWriter::new(client.clone(), "pe3");
    writer.write(status("Established", 1));
    until_session(&client, "pe3", "Established").await;

    server.stop();
    for state in ["Idle", "Active", "OpenSent"] {
        writer.write(status(state, 1));
        sleep(Duration::from_secs(1)).await;
    }
    let before = server.requests().len();
    server.restart();
    until_session(&client, "pe3", "OpenSent").await;
    let written = server.requests().into_iter().skip(before);
    let writes =
        written.filter(|request| request.resource == "nodestates" && request.verb == "patch").count();
    assert_eq!(writes, 1);
}
