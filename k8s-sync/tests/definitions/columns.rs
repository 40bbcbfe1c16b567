use k8s_sync::{
    api::{NodeStateStatus, SessionState, VrfState},
    crds,
};
use kube::{
    api::{DynamicObject, GetParams, Patch, PatchParams, PostParams},
    core::Request,
};
use serde_json::{Value, json};
use testapi::Cluster;

/// The cells of an object's line, as `kubectl get` has them, but for the age.
async fn line(cluster: &Cluster, plural: &str, object: Value) -> Vec<String> {
    let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
    let api = cluster.api(kind);
    api.create(&PostParams::default(), &serde_json::from_value(object.clone()).unwrap()).await.unwrap();
    let status = Patch::Merge(json!({"status": object["status"]}));
    let _: DynamicObject = api.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    let mut request =
        Request::new(format!("/apis/sixedge.io/v1alpha1/{plural}")).get(name, &GetParams::default()).unwrap();
    request.headers_mut().insert("accept", "application/json;as=Table;v=v1;g=meta.k8s.io".parse().unwrap());
    let table: Value = cluster.client.request(request).await.unwrap();
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    cells[1..cells.len() - 1].iter().map(text).collect()
}

fn conditions(kinds: &[&str]) -> Value {
    let condition = |kind: &&str| json!({"type": kind, "status": "True", "reason": "Tested", "message": "", "lastTransitionTime": "2024-01-01T00:00:00Z"});
    kinds.iter().map(condition).collect()
}

#[tokio::test]
async fn a_line_says_what_a_vrf_is() {
    Cluster::run(&crds(), async |cluster| {
        let vrf = json!({
            "apiVersion": "sixedge.io/v1alpha1", "kind": "Vrf", "metadata": {"name": cluster.name("red")},
            "spec": {"rd": "65000:1", "importRouteTargets": ["65000:1", "65000:2"], "exportRouteTargets": ["65000:1"]},
            "status": {"nodes": {"summary": "2/3", "ready": 2, "wanted": 3}, "conditions": conditions(&["Accepted", "Ready"])},
        });
        let cells = line(cluster, "vrfs", vrf).await;
        assert_eq!(cells, ["65000:1", r#"["65000:1","65000:2"]"#, r#"["65000:1"]"#, "2/3", "True", "True"]);
    })
    .await;
}

#[tokio::test]
async fn a_line_says_how_a_node_is() {
    Cluster::run(&crds(), async |cluster| {
        let session = |state: &str| SessionState { peer: "::1".into(), state: state.into(), ..SessionState::default() };
        let mut status = NodeStateStatus {
            version: "0.1.0".into(),
            router_id: Some("192.0.2.1".into()),
            local_asn: Some(65000),
            sessions: vec![session("Established"), session("Active")],
            vrfs: vec![VrfState { name: "red".into(), ..VrfState::default() }],
            ..NodeStateStatus::default()
        };
        status.summarize();
        let mut status = serde_json::to_value(status).unwrap();
        status["conditions"] = conditions(&["Accepted", "Programmed", "Ready"]);
        let state = json!({
            "apiVersion": "sixedge.io/v1alpha1", "kind": "NodeState", "metadata": {"name": cluster.name("edge1")},
            "spec": {}, "status": status,
        });
        let cells = line(cluster, "nodestates", state).await;
        assert_eq!(cells, ["192.0.2.1", "65000", "1/2", "1", "True", "True", "True"]);
    })
    .await;
}

#[tokio::test]
async fn a_line_says_what_is_advertised() {
    Cluster::run(&crds(), async |cluster| {
        let advertisement = json!({
            "apiVersion": "sixedge.io/v1alpha1", "kind": "BgpAdvertisement", "metadata": {"name": cluster.name("red")},
            "spec": {"vrf": "red", "advertisements": [{"type": "PodCIDR"}, {"type": "Static"}]},
            "status": {"nodes": {"summary": "1/1", "ready": 1, "wanted": 1}, "conditions": conditions(&["Accepted"])},
        });
        assert_eq!(line(cluster, "bgpadvertisements", advertisement).await, ["red", "1/1", "True"]);
    })
    .await;
}
