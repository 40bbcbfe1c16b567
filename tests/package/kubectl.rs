//! kubectl: what overlays render to, and what an API server makes of it.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use testapi::ApiServer;

/// Root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The objects of a folder below `deploy/`; `None`, and why on stderr, where there is no kubectl.
pub(crate) fn rendered(folder: &str) -> Option<Vec<Value>> {
    let kubectl = testapi::kubectl()?;
    let rendered =
        Command::new(kubectl).arg("kustomize").arg(root().join("deploy").join(folder)).output().unwrap();
    Some(serde_saphyr::from_multiple(&said(rendered)).unwrap())
}

/// Standard output of what succeeded.
#[track_caller]
pub(crate) fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The administrator of an API server.
pub(crate) struct Kubectl {
    command: Vec<String>,
}

impl Kubectl {
    pub(crate) fn of(server: &ApiServer) -> Option<Self> {
        let [program, kubeconfig] =
            [testapi::kubectl()?, server.kubeconfig()].map(|path| path.display().to_string());
        Some(Self { command: vec![program, "--kubeconfig".into(), kubeconfig] })
    }

    /// In a network namespace.
    pub(crate) fn inside(mut self, netns: &str) -> Self {
        self.command.splice(0..0, ["ip", "netns", "exec", netns].map(str::to_owned));
        self
    }

    /// kubectl with these words, and this on its standard input.
    pub(crate) fn run(&self, words: &str, input: &str) -> Output {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(words.split_whitespace()).current_dir(root());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut kubectl = command.spawn().unwrap();
        kubectl.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        kubectl.wait_with_output().unwrap()
    }

    /// Installs an overlay, its definitions first.
    pub(crate) fn install(&self, overlay: &str) {
        said(self.run("apply --server-side -k deploy/crds", ""));
        said(self.run("wait --for=condition=Established crd --all --timeout=60s", ""));
        said(self.run(&format!("apply --server-side -k deploy/overlays/{overlay}"), ""));
    }
}

/// What stands at a path of keys and numbers, as `spec/template/spec/containers/0`.
pub(crate) fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    object.pointer(&format!("/{path}")).unwrap_or(&Value::Null)
}

/// The one object of a kind and name.
#[track_caller]
pub(crate) fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is_it).unwrap_or_else(|| panic!("there is no {kind} {name}"))
}
