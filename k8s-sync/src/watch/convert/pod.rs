use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;

use super::{labels, parsed, protocol};
use crate::world::{Pod, PodPort};

/// `None` for a pod that has ended: its addresses may be another's already.
pub(in crate::watch) fn pod(pod: v1::Pod) -> Option<Pod> {
    let spec = pod.spec.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let addresses = match status.pod_ips {
        Some(several) => parsed(several.into_iter().map(|address| address.ip)),
        None => parsed(status.pod_ip),
    };
    let containers = spec.containers.into_iter().chain(spec.init_containers.into_iter().flatten());
    Some(Pod {
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        labels: labels(pod.metadata),
        node: spec.node_name.filter(|name| !name.is_empty()),
        addresses,
        host_network: spec.host_network.unwrap_or_default(),
        ports: named_ports(containers),
    })
}

/// Where two containers name a port alike, the first counts, as it does for Services.
fn named_ports(containers: impl Iterator<Item = v1::Container>) -> BTreeMap<String, PodPort> {
    let mut named = BTreeMap::new();
    for port in containers.flat_map(|container| container.ports.unwrap_or_default()) {
        let number = u16::try_from(port.container_port).ok().zip(protocol(port.protocol.as_deref()));
        if let (Some(name), Some((port, protocol))) = (port.name, number) {
            named.entry(name).or_insert(PodPort { protocol, port });
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::world::Protocol;

    fn read(status: Value) -> Option<Pod> {
        let object = json!({
            "metadata": {"name": "web", "namespace": "red", "uid": "u1", "labels": {"app": "web"}},
            "spec": {
                "nodeName": "n1",
                "containers": [{"name": "c", "ports": [
                    {"name": "http", "containerPort": 8080},
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                    {"containerPort": 9090}
                ]}]
            },
            "status": status
        });
        pod(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_running_pod_has_its_addresses_and_named_ports() {
        let read = read(
            json!({"phase": "Running", "podIP": "10.1.0.5", "podIPs": [{"ip": "10.1.0.5"}, {"ip": "fd00::5"}]}),
        );
        let expected = Pod {
            uid: "u1".into(),
            labels: [("app".into(), "web".into())].into(),
            node: Some("n1".into()),
            addresses: ["10.1.0.5", "fd00::5"].map(|text| text.parse().unwrap()).to_vec(),
            host_network: false,
            ports: [
                ("dns".into(), PodPort { protocol: Protocol::Udp, port: 53 }),
                ("http".into(), PodPort { protocol: Protocol::Tcp, port: 8080 }),
            ]
            .into(),
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn a_pod_that_has_ended_is_none() {
        assert_eq!(read(json!({"phase": "Succeeded", "podIP": "10.1.0.5"})), None);
        assert_eq!(read(json!({"phase": "Failed"})), None);
        assert!(read(json!({"phase": "Pending"})).is_some());
    }
}
