use k8s_openapi::api::core::v1;

use super::{labels, parsed};
use crate::world::Node;

/// Heartbeats, images and capacities are left out: they change all the time and mean nothing to us.
pub(in crate::watch) fn node(node: v1::Node) -> Node {
    let spec = node.spec.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let internal = status.addresses.into_iter().flatten().filter(|address| address.type_ == "InternalIP");
    let ready = |condition: &v1::NodeCondition| condition.type_ == "Ready" && condition.status == "True";
    Node {
        labels: labels(node.metadata),
        addresses: parsed(internal.map(|address| address.address)),
        pod_cidrs: match spec.pod_cidrs {
            Some(several) => parsed(several),
            None => parsed(spec.pod_cidr),
        },
        unschedulable: spec.unschedulable.unwrap_or_default(),
        ready: status.conditions.iter().flatten().any(ready),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_heartbeat_changes_nothing() {
        let at = |time: &str| {
            let object = json!({
                "metadata": {"name": "n1", "labels": {"zone": "a"}, "resourceVersion": time},
                "spec": {"podCIDRs": ["10.1.0.0/24", "fd00:1::/64"], "unschedulable": true},
                "status": {
                    "addresses": [
                        {"type": "Hostname", "address": "n1"},
                        {"type": "InternalIP", "address": "192.0.2.1"},
                        {"type": "InternalIP", "address": "2001:db8::1"}
                    ],
                    "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": time}]
                }
            });
            node(serde_json::from_value(object).unwrap())
        };
        let first = at("2026-01-01T00:00:00Z");
        assert_eq!(first, at("2026-01-01T00:00:10Z"));
        assert_eq!(
            first.addresses,
            ["192.0.2.1", "2001:db8::1"].map(|text| text.parse::<std::net::IpAddr>().unwrap())
        );
        assert_eq!(
            first.pod_cidrs,
            ["10.1.0.0/24", "fd00:1::/64"].map(|text| text.parse::<ipnet::IpNet>().unwrap())
        );
        assert!(first.ready && first.unschedulable);
    }

    #[test]
    fn a_node_that_has_not_reported_is_not_ready() {
        assert!(!node(v1::Node::default()).ready);
    }
}
