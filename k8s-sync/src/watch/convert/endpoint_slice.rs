use k8s_openapi::api::discovery::v1;

use super::{parsed, protocol};
use crate::world::{Endpoint, EndpointPort, EndpointSlice};

/// The label that names the slice's Service.
const SERVICE: &str = "kubernetes.io/service-name";

/// `None` for a slice that belongs to no Service.
pub(in crate::watch) fn endpoint_slice(slice: v1::EndpointSlice) -> Option<EndpointSlice> {
    Some(EndpointSlice {
        service: slice.metadata.labels?.remove(SERVICE)?,
        ports: slice.ports.into_iter().flatten().filter_map(port).collect(),
        endpoints: slice.endpoints.into_iter().map(endpoint).collect(),
    })
}

fn port(port: v1::EndpointPort) -> Option<EndpointPort> {
    Some(EndpointPort {
        protocol: protocol(port.protocol.as_deref())?,
        port: u16::try_from(port.port?).ok()?,
        name: port.name.unwrap_or_default(),
    })
}

fn endpoint(endpoint: v1::Endpoint) -> Endpoint {
    let conditions = endpoint.conditions.unwrap_or_default();
    // Kubernetes: a condition that is not known is to be taken for ready, and for serving what ready is.
    let ready = conditions.ready.unwrap_or(true);
    let pod = endpoint.target_ref.filter(|target| target.kind.as_deref() == Some("Pod"));
    Endpoint {
        addresses: parsed(endpoint.addresses),
        ready,
        serving: conditions.serving.unwrap_or(ready),
        terminating: conditions.terminating.unwrap_or_default(),
        node: endpoint.node_name,
        pod: pod.and_then(|target| target.name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(conditions: Value) -> Endpoint {
        let object = json!({
            "metadata": {"name": "web-1", "namespace": "red", "labels": {SERVICE: "web"}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [{
                "addresses": ["10.1.0.5"], "conditions": conditions, "nodeName": "n1",
                "targetRef": {"kind": "Pod", "namespace": "red", "name": "web"}
            }]
        });
        let slice = endpoint_slice(serde_json::from_value(object).unwrap()).unwrap();
        assert_eq!((slice.service.as_str(), slice.ports.len()), ("web", 1));
        slice.endpoints.into_iter().next().unwrap()
    }

    #[test]
    fn what_is_not_known_of_an_endpoint_is_taken_for_ready() {
        let endpoint = read(json!({}));
        assert_eq!((endpoint.ready, endpoint.serving, endpoint.terminating), (true, true, false));
        assert_eq!((endpoint.node.as_deref(), endpoint.pod.as_deref()), (Some("n1"), Some("web")));
    }

    #[test]
    fn an_endpoint_that_drains_still_serves() {
        let endpoint = read(json!({"ready": false, "serving": true, "terminating": true}));
        assert_eq!((endpoint.ready, endpoint.serving, endpoint.terminating), (false, true, true));
    }

    #[test]
    fn a_slice_of_no_service_is_none() {
        let object = json!({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": []});
        assert_eq!(endpoint_slice(serde_json::from_value(object).unwrap()), None);
    }
}
