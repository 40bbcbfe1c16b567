use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};

use super::{Folder, Net, unique};

pub(crate) const PLUGIN: &str = env!("CARGO_BIN_EXE_sixedge-cni");
/// Where Debian's containernetworking-plugins has them.
const PLUGINS_IN_FRONT: &str = "/usr/lib/cni";

/// A container runtime on a node of its own.
pub(crate) struct Runtime {
    pub(crate) node: Net,
    pub(crate) folder: Folder,
}

/// A pod's container with its network namespace.
pub(crate) struct Pod {
    pub(crate) net: Net,
    pub(crate) container: String,
    pub(crate) args: String,
}

impl Pod {
    pub(crate) fn new() -> Self {
        let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=red;K8S_POD_NAME=web;K8S_POD_UID=u1".to_owned();
        Self { net: Net::new(), container: unique("c"), args }
    }
}

/// What a plugin said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) succeeded: bool,
    /// `Null` where it said nothing.
    pub(crate) said: Value,
}

impl Answer {
    /// The result; it must have succeeded.
    pub(crate) fn result(self) -> Value {
        assert!(self.succeeded, "{}", self.said);
        self.said
    }

    /// Code and message; it must have failed as the specification wants it.
    pub(crate) fn failure(self) -> (u64, String) {
        assert!(!self.succeeded, "{}", self.said);
        assert!(self.said["cniVersion"].is_string(), "{}", self.said);
        (self.said["code"].as_u64().unwrap(), self.said["msg"].as_str().unwrap().to_owned())
    }
}

impl Runtime {
    pub(crate) fn new() -> Self {
        let node = Net::new();
        node.exec("ip link set lo up");
        Self { node, folder: Folder::new() }
    }

    /// Where the configuration has the plugin ask.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("cni.sock")
    }

    /// Our plugin's configuration.
    pub(crate) fn config(&self, version: &str) -> Value {
        json!({ "cniVersion": version, "name": "net", "type": "sixedge-cni", "socket": self.socket() })
    }

    /// Calls our plugin for a pod's eth0.
    pub(crate) fn call(&self, command: &str, config: &Value, pod: &Pod) -> Answer {
        self.plugin(Path::new(PLUGIN), command, config, pod)
    }

    /// Calls our plugin for no pod.
    pub(crate) fn call_for_node(&self, command: &str, config: &Value) -> Answer {
        self.raw(Path::new(PLUGIN), &[("CNI_COMMAND", command)], config.to_string().as_bytes())
    }

    fn plugin(&self, program: &Path, command: &str, config: &Value, pod: &Pod) -> Answer {
        let netns = pod.net.path();
        let variables = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", &pod.container),
            ("CNI_NETNS", netns.to_str().unwrap()),
            ("CNI_IFNAME", "eth0"),
            ("CNI_ARGS", &pod.args),
        ];
        self.raw(program, &variables, config.to_string().as_bytes())
    }

    /// Calls a plugin with nothing but what is given.
    pub(crate) fn raw(&self, program: &Path, variables: &[(&str, &str)], stdin: &[u8]) -> Answer {
        let mut command = self.node.command(program.to_str().unwrap());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("CNI_PATH", PLUGINS_IN_FRONT);
        command.envs(variables.iter().copied());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.unwrap();
        // It need not read all of it.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let said = if output.stdout.is_empty() { Value::Null } else { parse(&output.stdout) };
        Answer { succeeded: output.status.success(), said }
    }

    /// ADD of a plugin of Debian's, then ours with its result, as a runtime does for a conflist.
    pub(crate) fn add_behind(&self, front: &Value, config: &Value, pod: &Pod) -> (Value, Answer) {
        let mut previous = self.in_front("ADD", front, pod).result();
        // Debian's speak 1.0.0 at most; a runtime converts what they say.
        previous["cniVersion"] = config["cniVersion"].clone();
        let answer = self.call("ADD", &with_previous(config, &previous), pod);
        (previous, answer)
    }

    pub(crate) fn in_front(&self, command: &str, front: &Value, pod: &Pod) -> Answer {
        let program = Path::new(PLUGINS_IN_FRONT).join(front["type"].as_str().unwrap());
        assert!(program.exists(), "{} is missing; install containernetworking-plugins", program.display());
        self.plugin(&program, command, front, pod)
    }

    /// A configuration for a plugin in front: `ptp` or `bridge`, with addresses of host-local.
    pub(crate) fn front(&self, kind: &str, version: &str) -> Value {
        let version = if version == "1.1.0" { "1.0.0" } else { version };
        json!({
            "cniVersion": version, "name": "net", "type": kind, "bridge": "cni0", "isGateway": true,
            "ipam": {
                "type": "host-local",
                "dataDir": self.folder.path().join("ipam"),
                "ranges": [[{ "subnet": "192.0.2.0/24" }], [{ "subnet": "2001:db8:1::/64" }]],
                "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }],
            },
        })
    }
}

pub(crate) fn with_previous(config: &Value, previous: &Value) -> Value {
    let mut config = config.clone();
    config["prevResult"] = previous.clone();
    config
}

fn parse(stdout: &[u8]) -> Value {
    serde_json::from_slice(stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(stdout));
    })
}
