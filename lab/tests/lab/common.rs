//! Topologies written for one test, and the search for what a lab left behind.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const LAB: &str = env!("CARGO_BIN_EXE_lab");

/// A topology file in a folder of its own; both go with the value.
pub(crate) struct Topology {
    dir: PathBuf,
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

impl Topology {
    /// Two plain nodes a and b with a link; `keys_of_a` is put into node a.
    pub(crate) fn pair(name: &str, keys_of_a: &str) -> Self {
        Self::write(
            name,
            &format!(
                "  nodes:\n    a: {{ {keys_of_a} }}\n    b: {{ exec: [ip address add fd00::2/64 dev eth1] }}\n"
            ),
        )
    }

    fn write(name: &str, nodes: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let links = "  links:\n    - { endpoints: [\"a:eth1\", \"b:eth1\"], mtu: 1500 }\n";
        let head = format!("name: {name}\ntopology:\n  defaults: {{ kind: linux, image: alpine }}\n");
        let file = dir.join("t.clab.yml");
        fs::write(&file, head + nodes + links).unwrap();
        Self { dir, name: name.to_owned(), file }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn lab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(LAB);
        command.arg(words[0]).arg(&self.file).args(&words[1..]);
        command
    }

    /// Runs `lab VERB FILE ...`.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.lab(words).output().unwrap()
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        self.run(&["down"]);
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Namespaces, state and processes of a lab.
pub(crate) fn traces(lab: &str) -> Vec<String> {
    let mut traces = Vec::new();
    let prefix = format!("clab-{lab}-");
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    traces.extend(
        names.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.starts_with(&prefix)),
    );
    let state = Path::new("/run/sixedge-lab").join(lab);
    if state.exists() {
        traces.push(state.display().to_string());
    }
    let argument = format!("{}/nodes/", state.display());
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&argument) {
            traces.push(line);
        }
    }
    traces
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
