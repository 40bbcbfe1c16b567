//! The definitions of our custom resources, as an API server takes them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use crate::api::{
    AttachmentCircuit, BgpAdvertisement, BgpCluster, BgpNodeOverride, BgpPeerConfig, EgressPolicy,
    LocatorPool, NodeState, Vrf,
};

/// All of them, by name.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let derived = [
        AttachmentCircuit::crd(),
        BgpAdvertisement::crd(),
        BgpCluster::crd(),
        BgpNodeOverride::crd(),
        BgpPeerConfig::crd(),
        EgressPolicy::crd(),
        LocatorPool::crd(),
        NodeState::crd(),
        Vrf::crd(),
    ];
    derived.map(structural).into()
}

#[allow(
    clippy::expect_used,
    reason = "a definition is JSON, and stays one: the same for every run, and tested"
)]
fn structural(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let mut value = serde_json::to_value(crd).expect("a definition is JSON");
    for version in value["spec"]["versions"].as_array_mut().into_iter().flatten() {
        tidy(&mut version["schema"]["openAPIV3Schema"]);
    }
    serde_json::from_value(value).expect("tidied, it is a definition")
}

/// What Rust's types say and Kubernetes' schemas do not: a field that may be left out is not one that may be null, and widths of
/// numbers are bounds.
fn tidy(schema: &mut Value) {
    if let Value::Object(schema) = schema {
        schema.remove("nullable");
        let bound = match schema.get("format").and_then(Value::as_str) {
            Some("uint8") => Some(u64::from(u8::MAX)),
            Some("uint16") => Some(u64::from(u16::MAX)),
            Some("uint32") => Some(u64::from(u32::MAX)),
            _ => None,
        };
        if let Some(bound) = bound {
            schema.insert("format".to_owned(), "int64".into());
            schema.entry("maximum").or_insert_with(|| bound.into());
        }
        if schema.get("format").is_some_and(|format| format == "uint64") {
            schema.insert("format".to_owned(), "int64".into());
        }
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(tidy),
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
