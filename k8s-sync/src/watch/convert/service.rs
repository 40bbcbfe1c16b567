use std::time::Duration;

use k8s_openapi::api::core::v1;

use super::{labels, parsed, protocol};
use crate::world::{Service, ServicePort, TrafficPolicy};

/// What `sessionAffinityConfig` is where it is not set: three hours.
const AFFINITY: Duration = Duration::from_secs(10_800);

pub(in crate::watch) fn service(service: v1::Service) -> Service {
    let spec = service.spec.unwrap_or_default();
    let balancer = service.status.and_then(|status| status.load_balancer).unwrap_or_default();
    let affinity = affinity(&spec);
    Service {
        labels: labels(service.metadata),
        cluster_ips: match spec.cluster_ips {
            Some(several) => parsed(several),
            None => parsed(spec.cluster_ip),
        },
        external_ips: parsed(spec.external_ips.into_iter().flatten()),
        load_balancer_ips: parsed(
            balancer.ingress.into_iter().flatten().filter(is_vip).filter_map(|at| at.ip),
        ),
        ports: spec.ports.into_iter().flatten().filter_map(port).collect(),
        external_traffic_policy: traffic_policy(spec.external_traffic_policy.as_deref()),
        internal_traffic_policy: traffic_policy(spec.internal_traffic_policy.as_deref()),
        affinity,
    }
}

/// Mode `Proxy` is an address of the balancer itself, which sends to nodes or pods by their own addresses.
fn is_vip(ingress: &v1::LoadBalancerIngress) -> bool {
    ingress.ip_mode.as_deref() != Some("Proxy")
}

fn port(port: v1::ServicePort) -> Option<ServicePort> {
    Some(ServicePort {
        protocol: protocol(port.protocol.as_deref())?,
        port: u16::try_from(port.port).ok()?,
        name: port.name.unwrap_or_default(),
    })
}

fn traffic_policy(name: Option<&str>) -> TrafficPolicy {
    if name == Some("Local") { TrafficPolicy::Local } else { TrafficPolicy::Cluster }
}

fn affinity(spec: &v1::ServiceSpec) -> Option<Duration> {
    if spec.session_affinity.as_deref() != Some("ClientIP") {
        return None;
    }
    let client_ip = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
    let seconds = client_ip.and_then(|client_ip| u64::try_from(client_ip.timeout_seconds?).ok());
    Some(seconds.map_or(AFFINITY, Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_load_balancer_with_all_it_can_have() {
        let object = json!({
            "metadata": {"name": "web", "namespace": "red"},
            "spec": {
                "clusterIPs": ["10.96.0.9", "fd00:96::9"], "externalIPs": ["198.51.100.1"],
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
                "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP"
            },
            "status": {"loadBalancer": {"ingress": [
                {"ip": "203.0.113.1", "ipMode": "VIP"}, {"ip": "203.0.113.2", "ipMode": "Proxy"}, {"hostname": "a.example"}
            ]}}
        });
        let read = service(serde_json::from_value(object).unwrap());
        assert_eq!(read.cluster_ips.len(), 2);
        assert_eq!(read.load_balancer_ips, ["203.0.113.1".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(
            read.ports.first().map(|port| (port.port, port.protocol)),
            Some((80, crate::world::Protocol::Tcp))
        );
        assert_eq!(read.external_traffic_policy, TrafficPolicy::Local);
        assert_eq!(read.internal_traffic_policy, TrafficPolicy::Cluster);
        assert_eq!(read.affinity, Some(AFFINITY));
    }

    #[test]
    fn a_headless_service_has_no_address() {
        let object =
            json!({"metadata": {"name": "db"}, "spec": {"clusterIP": "None", "clusterIPs": ["None"]}});
        assert!(service(serde_json::from_value(object).unwrap()).cluster_ips.is_empty());
    }
}
