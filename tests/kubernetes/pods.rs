//! Pods as the scheduler, the kubelet and the container runtime make them, and Services as the endpoint controller does.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use crate::{
    cluster::Cluster,
    hosts::Answer,
    peers::{Stream, eventually, items},
};

/// Port of `answer.py` in each pod.
pub(crate) const PORT: u16 = 8080;

/// Where a pod is, and which plugins it has.
#[derive(Clone, Copy)]
pub(crate) struct Pod<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) node: &'a str,
    /// `tenants` (sixedge-cni alone) or `cluster` (ptp, then sixedge-cni).
    pub(crate) network: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Pod<'a> {
    /// Of [`Self::create`], with the addresses told and the server running.
    #[track_caller]
    pub(crate) fn start(cluster: &'a Cluster, at: [&'a str; 4], app: &str) -> Self {
        let pod = Self::create(cluster, at, app);
        let result = pod.runtime("add").unwrap_or_else(|said| panic!("{}: {said}", pod.host()));
        let addresses: Vec<_> = items(&result["ips"])
            .map(|ip| json!({ "ip": ip["address"].as_str().unwrap().split('/').next() }))
            .collect();
        let status = json!({ "status": {
            "phase": "Running", "podIP": addresses[0]["ip"], "podIPs": addresses, "conditions": [{ "type": "Ready", "status": "True" }],
        } });
        let patch = [
            "patch",
            "pod",
            pod.name,
            "-n",
            pod.namespace,
            "--subresource=status",
            "--type=merge",
            "--patch-file=/dev/stdin",
        ];
        cluster.kubectl(&patch, &status.to_string());
        let words = ["pod", "start", pod.namespace, pod.name, "python3", "/answer.py", "8080"];
        cluster.node(pod.node).check(words);
        pod
    }

    /// The object, on a node: node, network, namespace, name.
    #[track_caller]
    pub(crate) fn create(
        cluster: &'a Cluster,
        [node, network, namespace, name]: [&'a str; 4],
        app: &str,
    ) -> Self {
        cluster.apply(&json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "namespace": namespace, "name": name, "labels": { "app": app } },
            "spec": { "nodeName": node, "containers": [{ "name": "answer", "image": "answer" }] },
        }));
        Self { cluster, node, network, namespace, name }
    }

    /// What the runtime's plugins say; `Err` where one failed.
    pub(crate) fn runtime(&self, action: &str) -> Result<Value, String> {
        let output =
            self.cluster.node(self.node).run(["pod", action, self.network, self.namespace, self.name]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.success() {
            true => Ok(serde_json::from_str(&said).unwrap_or_default()),
            false => Err(said),
        }
    }

    #[track_caller]
    pub(crate) fn address(&self, ipv4: bool) -> IpAddr {
        let pod = self.cluster.get(&["pod", self.name, "-n", self.namespace]);
        let addresses = items(&pod["status"]["podIPs"]).map(|ip| ip["ip"].as_str().unwrap().parse().unwrap());
        addresses.into_iter().find(|address: &IpAddr| address.is_ipv4() == ipv4).unwrap()
    }

    /// Its server.
    #[track_caller]
    pub(crate) fn socket(&self, ipv4: bool) -> SocketAddr {
        SocketAddr::new(self.address(ipv4), PORT)
    }

    /// Host name, under which it answers.
    pub(crate) fn host(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// Who answers it over TCP.
    pub(crate) fn ask(&self, to: SocketAddr) -> Option<Answer> {
        let script = r#"exec 3<>"/dev/tcp/$0/$1" && timeout 2 head -n 1 <&3"#;
        let (address, port) = (to.ip().to_string(), to.port().to_string());
        let inside =
            ["timeout", "4", "pod", "exec", self.namespace, self.name, "bash", "-c", script, &address, &port];
        let output = self.cluster.node(self.node).run(inside);
        Answer::parse(&String::from_utf8_lossy(&output.stdout)).ok()
    }

    #[track_caller]
    pub(crate) fn await_answer(&self, to: SocketAddr, by: &str) -> Answer {
        let mut answer = None;
        eventually(&format!("{by} answers {} at {to}", self.host()), || {
            answer = self.ask(to).filter(|answer| answer.by == by);
            answer.is_some()
        });
        answer.unwrap()
    }

    /// A hundred pings a second.
    #[track_caller]
    pub(crate) fn stream(&self, to: &str) -> Stream {
        let ping = format!("ip netns exec {} ping", self.host());
        Stream::start_by(&self.cluster.node(self.node), &ping, to)
    }

    /// The object goes, then the runtime's DEL.
    #[track_caller]
    pub(crate) fn delete(&self) {
        self.cluster.delete(&["pod", self.name, "-n", self.namespace]);
        self.runtime("del").unwrap();
    }
}

/// Tells the Service of these backends, as the endpoint controller does.
#[track_caller]
pub(crate) fn set_endpoints(cluster: &Cluster, namespace: &str, service: &str, pods: &[Pod<'_>]) {
    for (family, ipv4) in [("IPv4", true), ("IPv6", false)] {
        let endpoint = |pod: &Pod<'_>| {
            json!({
                "addresses": [pod.address(ipv4)], "nodeName": pod.node,
                "conditions": { "ready": true, "serving": true, "terminating": false },
                "targetRef": { "kind": "Pod", "namespace": pod.namespace, "name": pod.name },
            })
        };
        cluster.apply(&json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
            "metadata": {
                "namespace": namespace, "name": format!("{service}-{}", family.to_lowercase()),
                "labels": { "kubernetes.io/service-name": service },
            },
            "ports": [{ "name": "http", "protocol": "TCP", "port": PORT }],
            "endpoints": pods.iter().map(endpoint).collect::<Vec<_>>(),
        }));
    }
}

/// Gives red's Service its addresses, as a load balancer's controller does.
#[track_caller]
pub(crate) fn give_vips(cluster: &Cluster) {
    let status = r#"{"status":{"loadBalancer":{"ingress":[{"ip":"10.100.0.1"},{"ip":"fd00:100::1"}]}}}"#;
    cluster.kubectl(
        &["patch", "service", "web", "-n", "red-shop", "--subresource=status", "--type=merge", "-p", status],
        "",
    );
}
