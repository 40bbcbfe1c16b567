use std::{fs, path::Path};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_sync::{api, crds};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testapi::Cluster;

/// All documents of `deploy/examples`.
fn examples() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.file_name().unwrap() != "kustomization.yaml");
    let texts = files.map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| serde_saphyr::from_multiple::<Value>(&text).unwrap()).collect()
}

/// That our types hold all that is written: what they do not know would be left out silently.
fn keeps_all<T: DeserializeOwned + Serialize>(spec: &Value) {
    let read: T = serde_json::from_value(spec.clone()).unwrap();
    let kept = serde_json::to_value(read).unwrap();
    assert!(contains(&kept, spec), "of {spec} our type keeps {kept}");
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|whole| contains(whole, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        _ => whole == part,
    }
}

#[tokio::test]
async fn the_examples_can_be_applied() {
    Cluster::run(&crds(), async |cluster| {
        let apply = PatchParams {
            field_validation: Some(kube::api::ValidationDirective::Strict),
            ..PatchParams::apply("test")
        };
        let namespace = cluster.name("examples");
        let object: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}})).unwrap();
        Api::all(cluster.client.clone()).create(&PostParams::default(), &object).await.unwrap();
        for mut example in examples() {
            let kind = example["kind"].as_str().unwrap().to_owned();
            let name = cluster.name(example["metadata"]["name"].as_str().unwrap());
            example["metadata"]["name"] = name.clone().into();
            if kind == "Secret" {
                example["metadata"]["namespace"] = namespace.clone().into();
                let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &namespace);
                secrets.patch(&name, &apply, &Patch::Apply(&example)).await.unwrap();
            } else {
                let applied = cluster.api(&kind).patch(&name, &apply, &Patch::Apply(&example)).await;
                let applied: DynamicObject = applied.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
                assert!(contains(&applied.data["spec"], &example["spec"]), "{kind} {name}: {}", applied.data);
            }
        }
    })
    .await;
}

#[test]
fn the_examples_show_every_kind_that_people_write() {
    let mut kinds: Vec<String> =
        examples().iter().map(|example| example["kind"].as_str().unwrap().into()).collect();
    kinds.retain(|kind| kind != "Secret");
    kinds.sort();
    kinds.dedup();
    let mut all: Vec<String> = crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    all.retain(|kind| kind != "NodeState");
    assert_eq!(kinds, all);
}

#[test]
fn our_types_hold_all_that_the_examples_say() {
    for example in examples() {
        let spec = &example["spec"];
        match example["kind"].as_str().unwrap() {
            "Vrf" => keeps_all::<api::VrfSpec>(spec),
            "LocatorPool" => keeps_all::<api::LocatorPoolSpec>(spec),
            "BgpCluster" => keeps_all::<api::BgpClusterSpec>(spec),
            "BgpPeerConfig" => keeps_all::<api::BgpPeerConfigSpec>(spec),
            "BgpAdvertisement" => keeps_all::<api::BgpAdvertisementSpec>(spec),
            "BgpNodeOverride" => keeps_all::<api::BgpNodeOverrideSpec>(spec),
            "EgressPolicy" => keeps_all::<api::EgressPolicySpec>(spec),
            "AttachmentCircuit" => keeps_all::<api::AttachmentCircuitSpec>(spec),
            "Secret" => {}
            other => panic!("{other} is none of ours"),
        }
    }
}
