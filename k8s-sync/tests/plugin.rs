//! The plugin with the agent's side of it: real namespaces, the real socket, the real folder. Needs root and `cargo build -p cni`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::JoinHandle,
};

use cni::protocol::{Request, Response};
use k8s_sync::{
    attachments::{Attachments, Readiness, Seen, Server, Step, decide},
    world::{Key, Namespace, Node, Object, Pod, World},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// A network namespace that goes away.
struct Net(String);

impl Net {
    fn new(name: &str) -> Self {
        let net = Self(format!("sxplug-{}-{name}", std::process::id()));
        assert!(Command::new("ip").args(["netns", "add", &net.0]).status().unwrap().success(), "needs root");
        net
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A node with its folder, which outlives agents, and the plugin.
struct Host {
    net: Net,
    folder: PathBuf,
    plugin: PathBuf,
}

impl Host {
    /// `None`, and said so, where the plugin has not been built.
    fn new(name: &str) -> Option<Self> {
        let target = std::env::current_exe().unwrap();
        let plugin = target.ancestors().nth(2).unwrap().join("sixedge-cni");
        if !plugin.exists() {
            eprintln!("SKIPPED: {} is missing; cargo build -p cni", plugin.display());
            return None;
        }
        let net = Net::new(name);
        let folder = std::env::temp_dir().join(&net.0);
        Some(Self { net, folder, plugin })
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("cni.sock")
    }

    /// The result; the plugin must succeed.
    fn call(&self, command: &str, pod: &Net, namespace: &str) -> Value {
        let socket = self.socket();
        let config = json!({ "cniVersion": "1.1.0", "name": "net", "type": "sixedge-cni", "socket": socket });
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.net.0])
            .arg(&self.plugin)
            .env("CNI_COMMAND", command)
            .env("CNI_CONTAINERID", &pod.0)
            .env("CNI_NETNS", Path::new("/run/netns").join(&pod.0))
            .env("CNI_IFNAME", "eth0")
            .env("CNI_ARGS", format!("K8S_POD_NAMESPACE={namespace};K8S_POD_NAME=web"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(config.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}: {said}");
        serde_json::from_str(&said).unwrap_or(Value::Null)
    }

    /// Interfaces of the node, but for the loopback.
    fn interfaces(&self) -> BTreeSet<String> {
        let output = Command::new("ip").args(["-n", &self.net.0, "-j", "link"]).output().unwrap();
        let links: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let names = links.iter().map(|link| link["ifname"].as_str().unwrap().to_owned());
        names.filter(|name| name != "lo").collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The agent's node task, with a dataplane that takes everything.
struct Agent {
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl Agent {
    fn start(host: &Host) -> Self {
        let mut attachments = Attachments::load(&host.folder.join("attachments")).unwrap().attachments;
        let interfaces = host.interfaces();
        attachments.sweep(|name| interfaces.contains(name)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (ready, bound) = std::sync::mpsc::channel();
        let socket = host.socket();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&socket).unwrap();
                ready.send(()).unwrap();
                serve(server, &mut attachments, stopped).await;
            });
        });
        bound.recv().unwrap();
        Self { stop: Some(stop), running: Some(running) }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        let _ = self.running.take().unwrap().join();
    }
}

async fn serve(server: Server, attachments: &mut Attachments, mut stopped: oneshot::Receiver<()>) {
    let (ask, mut questions) = mpsc::channel(1);
    let serving = tokio::spawn(server.serve(ask));
    loop {
        tokio::select! {
            Some((request, answer)) = questions.recv() => {
                let _gone = answer.send(answered(request, attachments));
            }
            _ = &mut stopped => break,
        }
    }
    drop(questions);
    serving.await.unwrap();
}

fn answered(request: Request, attachments: &mut Attachments) -> Response {
    let world = world();
    let blocks = |_: &str| Ok(vec!["10.1.0.0/24".parse().unwrap(), "fd00:1::/64".parse().unwrap()]);
    let readiness = &Readiness::Ready;
    let seen = Seen { node: "n1", world: &world, fetched: true, readiness, blocks: &blocks, mtu: 1400 };
    match decide(request, &seen, attachments) {
        Step::Answer(then) | Step::Program { then, .. } | Step::Verify { then, .. } => then,
        Step::Fetch(key) => panic!("{key} was fetched"),
    }
}

/// VRFs red and blue of the namespaces of those names, with a pod `web` in each.
fn world() -> World {
    let mut world = World::default();
    world.nodes.insert("n1".into(), Node::default());
    for tenant in ["red", "blue"] {
        let labels = [("tenant".to_owned(), tenant.to_owned())].into();
        world.namespaces.insert(tenant.into(), Namespace { labels });
        world.pods.insert(Key::new(tenant, "web"), Pod::default());
        let spec = json!({ "namespaceSelector": { "matchLabels": { "tenant": tenant } } });
        let spec = serde_json::from_value(spec).unwrap();
        let vrf = Object { generation: 1, uid: tenant.into(), labels: Default::default(), spec };
        world.vrfs.insert(tenant.into(), vrf);
    }
    world
}

fn address(result: &Value) -> &str {
    result["ips"][0]["address"].as_str().unwrap()
}

#[test]
fn tenants_have_the_same_addresses_and_keep_them_through_restarts() {
    let Some(host) = Host::new("a") else { return };
    let (red, blue, more) = (Net::new("red"), Net::new("blue"), Net::new("more"));
    let agent = Agent::start(&host);
    let results = [(&red, "red"), (&blue, "blue")].map(|(pod, of)| host.call("ADD", pod, of));
    assert_eq!(results.each_ref().map(address), ["10.1.0.2/32"; 2]);
    drop(agent);
    let _agent = Agent::start(&host);
    assert_eq!(address(&host.call("ADD", &more, "red")), "10.1.0.3/32");
    for pod in [&red, &blue, &more] {
        host.call("DEL", pod, "red");
    }
    assert!(host.interfaces().is_empty());
    let left: Vec<_> = fs::read_dir(host.folder.join("attachments")).unwrap().collect();
    assert_eq!(left.len(), 1, "the cursors alone: {left:?}");
}

#[test]
fn what_a_del_without_an_agent_has_left_goes_when_the_next_one_starts() {
    let Some(host) = Host::new("b") else { return };
    let pod = Net::new("pod");
    let agent = Agent::start(&host);
    host.call("ADD", &pod, "red");
    drop(agent);
    host.call("DEL", &pod, "red");
    assert!(host.interfaces().is_empty());
    let attachment = host.folder.join(format!("attachments/{}@eth0.json", pod.0));
    assert!(attachment.exists());
    let _agent = Agent::start(&host);
    assert!(!attachment.exists(), "and its addresses are free");
}
