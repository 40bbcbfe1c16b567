//! A node of its own with an API server, and containers on it that run as the manifests say.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testapi::{ApiServer, Options};

use crate::kubectl::{Kubectl, at, find, rendered, root, said};

/// For what takes as long as it takes; the machine may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Name of the node.
const NODE: &str = "edge1";

/// The programs of the image; `None`, and why on stderr, where they were not built.
pub(crate) fn programs() -> Option<[PathBuf; 2]> {
    let target = Path::new(env!("CARGO_BIN_EXE_sixedge")).ancestors().nth(2).unwrap();
    let programs = ["sixedge", "sixedge-cni"].map(|name| target.join("image").join(name));
    if let Some(missing) = programs.iter().find(|program| !program.exists()) {
        eprintln!("SKIPPED: {} is missing; `scripts/image.sh programs dev` builds it", missing.display());
        return None;
    }
    Some(programs)
}

/// A node in a network namespace, with the API server beside it. All of it is gone when it is dropped.
pub(crate) struct Machine {
    pub(crate) server: ApiServer,
    pub(crate) kubectl: Kubectl,
    pub(crate) manifests: Vec<Value>,
    programs: [PathBuf; 2],
    pub(crate) netns: Netns,
    pub(crate) folder: PathBuf,
}

/// A network namespace, until it is dropped.
pub(crate) struct Netns(pub(crate) String);

impl Netns {
    fn add(name: &str) -> Self {
        let netns = Self(format!("t-package-{name}-{}", std::process::id()));
        netns.ip(&format!("netns add {}", netns.0));
        let inside = |words: &str| netns.ip(&format!("-n {} {words}", netns.0));
        inside("link set lo up");
        inside("address add fd00:ff::1/128 dev lo");
        for (interface, other) in [("eth1", "core"), ("eth2", "tenant")] {
            inside(&format!("link add {interface} type veth peer name {other}"));
            inside(&format!("link set {interface} up"));
            inside(&format!("link set {other} up"));
        }
        inside("address add fd00:c:1::1/64 dev eth1 nodad");
        netns
    }

    pub(crate) fn ip(&self, words: &str) {
        let status = Command::new("ip").args(words.split_whitespace()).status().unwrap();
        assert!(status.success(), "ip {words}; this needs root");
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

impl Machine {
    /// `None`, and why on stderr, where parts of it were not built.
    pub(crate) fn start(name: &str) -> Option<Self> {
        let programs = programs()?;
        let manifests = rendered("overlays/default")?;
        let netns = Netns::add(name);
        let users =
            ["agent", "controller"].map(|who| format!("system:serviceaccount:sixedge-system:sixedge-{who}"));
        let options = Options { users: users.to_vec(), netns: Some(netns.0.clone()), ..Options::default() };
        let server = ApiServer::start_with(options)?;
        let kubectl = Kubectl::of(&server)?.inside(&netns.0);
        let folder = std::env::temp_dir().join(&netns.0);
        let bpffs = folder.join("bpffs");
        fs::create_dir_all(&bpffs).unwrap();
        assert!(Command::new("mount").args(["-t", "bpf", "bpf"]).arg(&bpffs).status().unwrap().success());
        said(kubectl.run("create namespace default", ""));
        kubectl.install("default");
        let machine = Self { server, kubectl, manifests, programs, netns, folder };
        machine.apply(include_str!("machine.yaml"));
        Some(machine)
    }

    /// Objects in YAML.
    pub(crate) fn apply(&self, objects: &str) {
        said(self.kubectl.run("apply --server-side -f -", objects));
        // What the kubelet would have said of the node.
        let status = json!({"status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.255.0.1"}, {"type": "InternalIP", "address": "fd00:ff::1"}],
        }});
        said(
            self.kubectl.run(&format!("patch node {NODE} --subresource=status --type=merge -p {status}"), ""),
        );
    }

    /// Starts the container of the DaemonSet or Deployment, as it stands there but for `change`.
    pub(crate) fn run(&self, workload: &str, change: impl FnOnce(&mut Value)) -> Container {
        let kind = if workload.ends_with("agent") { "DaemonSet" } else { "Deployment" };
        let pod = at(find(&self.manifests, kind, workload), "spec/template/spec").clone();
        let mut container = pod["containers"][0].clone();
        change(&mut container);
        let environment = self.environment(&container, workload);
        let folder = self.folder.join(workload);
        let new_root = folder.join("root");
        fs::create_dir_all(&new_root).unwrap();
        let spec = json!({
            "root": new_root,
            "programs": self.programs,
            "mounts": self.mounts(&pod, &container, workload),
            "capabilities": at(&container, "securityContext/capabilities").get("add").unwrap_or(&json!([])),
            "user": at(&pod, "securityContext/runAsUser").as_u64().unwrap_or(0),
            "environment": environment,
            "command": expanded(&container["command"], &environment),
        });
        let log = folder.join("log");
        let python = root().join("tests/package/container.py");
        let mut command = Command::new("ip");
        command.args([
            "netns",
            "exec",
            &self.netns.0,
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "python3",
        ]);
        command.arg(python).arg(spec.to_string()).stdout(File::create(&log).unwrap());
        command.stderr(File::options().append(true).open(&log).unwrap());
        Container { process: command.spawn().unwrap(), log, socket: folder.join("run/sixedge.sock") }
    }

    fn environment(&self, container: &Value, workload: &str) -> BTreeMap<String, String> {
        let told =
            [("spec.nodeName", NODE), ("metadata.namespace", "sixedge-system"), ("metadata.name", workload)];
        let mut all: BTreeMap<_, _> =
            [("KUBERNETES_SERVICE_HOST", "127.0.0.1"), ("KUBERNETES_SERVICE_PORT", "6443")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        for variable in container["env"].as_array().unwrap() {
            let field = at(variable, "valueFrom/fieldRef/fieldPath");
            let (_, value) = told.iter().find(|(path, _)| field == path).unwrap();
            all.insert(variable["name"].as_str().unwrap().to_owned(), (*value).to_owned());
        }
        all
    }

    /// Folders of the node are the test's own, and so is the bpffs.
    fn mounts(&self, pod: &Value, container: &Value, workload: &str) -> Vec<[PathBuf; 2]> {
        let folder = self.folder.join(workload);
        let account = folder.join("account");
        fs::create_dir_all(&account).unwrap();
        let kubeconfig = self.server.kubeconfig();
        let config: Value = serde_saphyr::from_str(&fs::read_to_string(&kubeconfig).unwrap()).unwrap();
        let is_it =
            |user: &&Value| user["name"].as_str().is_some_and(|name| name.ends_with(&format!(":{workload}")));
        let user = config["users"].as_array().unwrap().iter().find(is_it).unwrap();
        fs::write(account.join("token"), at(user, "user/token").as_str().unwrap()).unwrap();
        fs::write(account.join("namespace"), "sixedge-system").unwrap();
        fs::copy(kubeconfig.with_file_name("apiserver.crt"), account.join("ca.crt")).unwrap();
        let mut mounts = vec![[account, "/var/run/secrets/kubernetes.io/serviceaccount".into()]];
        for wanted in container["volumeMounts"].as_array().into_iter().flatten() {
            let is_it = |volume: &&Value| volume["name"] == wanted["name"];
            let volume = pod["volumes"].as_array().unwrap().iter().find(is_it).unwrap();
            let source = match at(volume, "hostPath/path").as_str().unwrap() {
                "/sys/fs/bpf" => self.folder.join("bpffs"),
                "/proc/sys/net" => PathBuf::from("/proc/sys/net"),
                _ => folder.join(wanted["name"].as_str().unwrap()),
            };
            fs::create_dir_all(&source).unwrap();
            mounts.push([source, wanted["mountPath"].as_str().unwrap().into()]);
        }
        mounts
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.join("bpffs")).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `$(NAME)` as the kubelet expands it.
fn expanded(command: &Value, environment: &BTreeMap<String, String>) -> Vec<String> {
    let words = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    words
        .map(|word| {
            environment.iter().fold(word, |word, (name, value)| word.replace(&format!("$({name})"), value))
        })
        .collect()
}

/// A container that runs.
pub(crate) struct Container {
    process: Child,
    log: PathBuf,
    socket: PathBuf,
}

impl Container {
    /// What a verb of the program says to it, from beside it.
    pub(crate) fn ask(&self, words: &str) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sixedge"));
        let asked =
            command.args(words.split_whitespace()).arg("--socket").arg(&self.socket).output().unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        if asked.status.success() { Ok(text(asked.stdout)) } else { Err(text(asked.stderr)) }
    }

    /// What it has written.
    pub(crate) fn logs(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it ended, if it does in time.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
