use k8s_sync::crds;
use kube::{
    Error,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use testapi::Cluster;

use super::spec::{circuit, egress, object, pool};

/// Kind, spec, a change that is refused with this text, and one that is not.
fn changes() -> Vec<(&'static str, Value, Value, &'static str, Value)> {
    let structure = json!({"block": 40, "node": 24, "function": 16, "argument": 0});
    vec![
        (
            "LocatorPool",
            pool(json!({})),
            json!({"prefix": "fc01::/32"}),
            "prefix cannot change",
            json!({"nodeSelector": {}}),
        ),
        (
            "LocatorPool",
            pool(json!({"prefix": "fc00::/40"})),
            json!({"structure": structure}),
            "structure cannot change",
            json!({"nodes": [{"node": "a", "locator": "fc00:0:1::/48"}]}),
        ),
        (
            "EgressPolicy",
            egress(json!({})),
            json!({"vrf": "blue"}),
            "vrf cannot change",
            json!({"egressIPs": ["192.0.2.8"]}),
        ),
        (
            "AttachmentCircuit",
            circuit(json!({})),
            json!({"vrf": "blue"}),
            "vrf cannot change",
            json!({"interface": "tap1"}),
        ),
        (
            "AttachmentCircuit",
            circuit(json!({})),
            json!({"node": "edge2"}),
            "node cannot change",
            json!({"proxy": true}),
        ),
    ]
}

#[tokio::test]
async fn what_peers_and_tenants_hold_on_to_cannot_change() {
    Cluster::run(&crds(), async |cluster| {
        for (number, (kind, spec, refused, text, taken)) in changes().into_iter().enumerate() {
            let (api, name) = (cluster.api(kind), cluster.name(&format!("change{number}")));
            api.create(&PostParams::default(), &object(kind, &name, &spec)).await.unwrap();
            let change = |spec: &Value| Patch::Merge(json!({ "spec": spec }));
            match api.patch(&name, &PatchParams::default(), &change(&refused)).await {
                Err(Error::Api(status)) => assert!(status.message.contains(text), "{}", status.message),
                other => panic!("{kind} {refused}: not refused: {other:?}"),
            }
            api.patch(&name, &PatchParams::default(), &change(&taken)).await.unwrap();
        }
    })
    .await;
}
