//! Specs that mean something, with changes.

use kube::api::DynamicObject;
use serde_json::{Value, json};

pub(super) fn with(mut spec: Value, changes: Value) -> Value {
    let (fields, changes) = (spec.as_object_mut().unwrap(), changes.as_object().unwrap().clone());
    fields.extend(changes);
    spec
}

pub(super) fn pool(changes: Value) -> Value {
    with(json!({"prefix": "fc00::/32"}), changes)
}

pub(super) fn bgp(instance: Value) -> Value {
    json!({"instances": [with(json!({"name": "core", "localAsn": 65000}), instance)]})
}

pub(super) fn advertisement(vrf: Option<&str>, of: Value) -> Value {
    vrf.map_or_else(|| json!({"advertisements": [of]}), |vrf| json!({"vrf": vrf, "advertisements": [of]}))
}

pub(super) fn egress(changes: Value) -> Value {
    let gateways = json!({"nodeSelector": {}});
    let spec = json!({"vrf": "red", "sources": [{}], "destinationCIDRs": ["0.0.0.0/0"], "egressIPs": ["192.0.2.7"], "gateways": gateways});
    with(spec, changes)
}

pub(super) fn circuit(changes: Value) -> Value {
    with(json!({"vrf": "red", "node": "edge1", "interface": "tap0"}), changes)
}

pub(super) fn route(route: Value) -> Value {
    json!({"staticRoutes": [with(json!({"prefix": "10.0.0.0/8"}), route)]})
}

pub(super) fn range(range: Value) -> Value {
    json!({"podNetwork": {"ranges": [range]}})
}

pub(super) fn object(kind: &str, name: &str, spec: &Value) -> DynamicObject {
    let object =
        json!({"apiVersion": "sixedge.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    serde_json::from_value(object).unwrap()
}
