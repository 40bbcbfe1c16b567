//! The cluster: its API server by kubectl, and the parts of Kubernetes that a lab has not got.

use std::{io::Write, ops::Deref, process::Output, process::Stdio};

use lab::Signal;
use serde_json::Value;

use crate::peers::{Network, eventually, items};

pub(crate) const NODES: [&str; 2] = ["node1", "node2"];

const KUBECTL: &str = "/opt/testapi/kubectl";

pub(crate) struct Cluster(Network);

impl Deref for Cluster {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.0
    }
}

impl Cluster {
    /// Up, with both agents Ready, and the VRFs of both tenants on them; `None` where there is no API server to be had.
    pub(crate) fn up(name: &str) -> Option<Self> {
        let kubectl = testapi::kubectl()?;
        let home = kubectl.ancestors().nth(2).unwrap().to_str().unwrap();
        let folders = ["kubernetes", "kubernetes/net.d"];
        let agents = &["node1", "node2", "pe3", "controller"];
        let words = [("${SIXEDGE_TESTAPI}", home)];
        let name = format!("t-kubernetes-{name}");
        let cluster = Self(Network::of_folders("kubernetes", &folders, &name, agents, &words));
        cluster.await_api();
        let definitions = cluster.node("node1").check(["sixedge", "crds"]);
        cluster.kubectl(&["apply", "--server-side", "-f", "-"], &definitions);
        cluster.manifest("cluster");
        cluster.keep_controller();
        cluster.lead_to_locators();
        cluster.manifest("tenants");
        NODES.iter().for_each(|node| cluster.await_ready(node));
        for vrf in ["red", "blue"] {
            cluster.await_condition(&format!("vrf/{vrf}"), "Ready", "True");
        }
        cluster.pe("pe3").await_agent("fd00:ff::9");
        Some(cluster)
    }

    pub(crate) fn await_api(&self) {
        eventually("the API server answers", || {
            self.try_kubectl(&["get", "--raw", "/readyz"], "").status.success()
        });
    }

    /// As a kubelet does for a pod that has ended.
    pub(crate) fn keep_controller(&self) {
        let controller = self.node("controller");
        eventually("the controller runs", || {
            !controller.main_pids().is_empty() || controller.start_main().is_ok()
        });
    }

    /// As the IGP of a core does.
    fn lead_to_locators(&self) {
        eventually("locators are allotted", || {
            let pool = self.get(&["locatorpool", "nodes"]);
            let allocations: Vec<_> = items(&pool["status"]["allocations"]).collect();
            for allocation in &allocations {
                let (node, locator) =
                    (allocation["node"].as_str().unwrap(), allocation["locator"].as_str().unwrap());
                let via = format!("fd00:c:{}::1", &node[4..]);
                self.node("p").check(["ip", "-6", "route", "replace", locator, "via", &via]);
            }
            allocations.len() == NODES.len()
        });
    }

    pub(crate) fn try_kubectl(&self, words: &[&str], input: &str) -> Output {
        let mut command = self.node("api").command([&[KUBECTL], words].concat());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What kubectl says; it must succeed.
    #[track_caller]
    pub(crate) fn kubectl(&self, words: &[&str], input: &str) -> String {
        let output = self.try_kubectl(words, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {words:?}: {stderr}\n{input}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Objects as JSON; null where there is none.
    pub(crate) fn get(&self, words: &[&str]) -> Value {
        let output = self.try_kubectl(&[&["get", "-o", "json"], words].concat(), "");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub(crate) fn apply(&self, object: &Value) {
        self.kubectl(&["apply", "--validate=false", "-f", "-"], &object.to_string());
    }

    /// Applies one of the lab's files.
    #[track_caller]
    pub(crate) fn manifest(&self, name: &str) {
        self.kubectl(&["apply", "-f", &format!("/etc/kubernetes/{name}.yaml")], "");
    }

    #[track_caller]
    pub(crate) fn delete(&self, words: &[&str]) {
        self.kubectl(&[&["delete", "--wait=false", "--ignore-not-found"], words].concat(), "");
    }

    /// A condition of an object.
    pub(crate) fn condition(&self, object: &str, kind: &str) -> Value {
        let status = self.get(&[object])["status"].take();
        items(&status["conditions"]).find(|condition| condition["type"] == kind).cloned().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn await_condition(&self, object: &str, kind: &str, status: &str) {
        eventually(&format!("{object} is {kind}={status}"), || {
            self.condition(object, kind)["status"] == status
        });
    }

    #[track_caller]
    pub(crate) fn await_ready(&self, node: &str) {
        eventually(&format!("{node}'s agent is ready"), || {
            self.node(node).run(["sixedge", "ready"]).status.success()
        });
        self.await_condition(&format!("nodestate/{node}"), "Ready", "True");
    }

    /// Ends an agent and starts another.
    #[track_caller]
    pub(crate) fn restart_agent(&self, node: &str, signal: Signal) {
        let node = self.node(node);
        node.kill_main(signal).unwrap();
        eventually("the agent has ended", || node.main_pids().is_empty());
        node.start_main().unwrap();
    }
}
