//! What the definitions of our custom resources are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use k8s_sync::crds;

#[test]
fn x() {
    std::fs::write("/tmp/crds-all.json", serde_json::to_string_pretty(&crds()).unwrap()).unwrap();
}
#[tokio::test]
async fn y() {
    testapi::Cluster::find(&crds()).await.unwrap();
}
