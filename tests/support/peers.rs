//! What the tests with speakers of others share: a lab whose files the test may change, what sixedge and FRR say, waiting.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test uses a part of it")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use lab::{Lab, Node, Signal, wait_until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);

/// A lab of `tests/topologies/NAME`, run from a copy of that folder. Says what its nodes wrote if the test fails.
pub(crate) struct Network {
    lab: Lab,
    folder: Copied,
    agents: &'static [&'static str],
}

/// Goes with the lab, after it.
struct Copied(PathBuf);

impl Copied {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("{name}-{}", std::process::id())))
    }

    /// Takes the files of a folder of the project into one of its own; `words` are replaced in every file.
    fn take(&self, source: &str, folder: &str, words: &[(&str, &str)]) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        let target = self.0.join(folder);
        fs::create_dir_all(&target).unwrap();
        let files = fs::read_dir(source).unwrap().map(Result::unwrap);
        for file in files.filter(|file| file.path().is_file()) {
            let text = fs::read_to_string(file.path()).unwrap();
            let text = words.iter().fold(text, |text, (word, value)| text.replace(word, value));
            let copy = target.join(file.file_name());
            fs::write(&copy, text).unwrap();
            fs::set_permissions(copy, file.metadata().unwrap().permissions()).unwrap();
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Network {
    /// `name` is the lab's own on this machine; `words` are replaced in every file; `agents` are the nodes that run sixedge.
    #[track_caller]
    pub(crate) fn up(
        topology: &str,
        name: &str,
        agents: &'static [&'static str],
        words: &[(&str, &str)],
    ) -> Self {
        let folder = Copied::new(name);
        folder.take(&format!("tests/topologies/{topology}"), "", words);
        Self::start(folder, "topology.clab.yml", name, agents)
    }

    /// The same of `containerlab/TOPOLOGY.clab.yml`.
    #[track_caller]
    pub(crate) fn of(topology: &str, name: &str, agents: &'static [&'static str]) -> Self {
        Self::of_folders(topology, &[topology], name, agents, &[])
    }

    /// The same with all that these folders of `containerlab` have.
    #[track_caller]
    pub(crate) fn of_folders(
        topology: &str,
        folders: &[&str],
        name: &str,
        agents: &'static [&'static str],
        words: &[(&str, &str)],
    ) -> Self {
        let folder = Copied::new(name);
        folder.take("containerlab", "", words);
        for part in folders {
            folder.take(&format!("containerlab/{part}"), part, words);
        }
        Self::start(folder, &format!("{topology}.clab.yml"), name, agents)
    }

    #[track_caller]
    fn start(folder: Copied, file: &str, name: &str, agents: &'static [&'static str]) -> Self {
        let lab = Lab::up_as(folder.0.join(file), name).unwrap_or_else(|error| panic!("{error}"));
        Self { lab, folder, agents }
    }

    pub(crate) fn node(&self, name: &str) -> Node<'_> {
        self.lab.node(name)
    }

    pub(crate) fn pe(&self, name: &str) -> Pe<'_> {
        Pe(self.lab.node(name))
    }

    /// Changes a file that nodes have bound; in place, for a bind holds on to the file and not to its name.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Changes what a file says of one VRF.
    #[track_caller]
    pub(crate) fn edit_vrf(&self, file: &str, vrf: &str, change: impl Fn(&str) -> String) {
        let path = self.folder.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let start = text.find(&format!("  - name: {vrf}\n")).unwrap();
        let (before, rest) = text.split_at(start);
        let behind = rest.find("\n  - name: ").or_else(|| rest.find("\nunderlayRoutes"));
        let (vrf, after) = rest.split_at(behind.unwrap() + 1);
        let changed = change(vrf);
        assert_ne!(vrf, changed, "nothing to change");
        fs::write(&path, format!("{before}{changed}{after}")).unwrap();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for name in self.agents {
            let pe = self.pe(name);
            eprintln!("---- {name} wrote:\n{}", pe.0.logs());
            for words in [&["bgp", "summary"][..], &["vrf"], &["drops"]] {
                let output = pe.0.run([&["sixedge", "show"], words].concat());
                eprintln!("---- {name} show {}:\n{}", words.join(" "), text(&output.stdout));
            }
        }
    }
}

/// A node that runs sixedge.
pub(crate) struct Pe<'a>(pub(crate) Node<'a>);

impl Pe<'_> {
    /// `sixedge show WORDS --json`; null while the agent does not answer.
    pub(crate) fn show(&self, words: &[&str]) -> Value {
        let output = self.0.run([&["sixedge", "show"], words, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// The neighbor as `show bgp summary` has it.
    pub(crate) fn neighbor(&self, address: &str) -> Value {
        let summary = self.show(&["bgp", "summary"]);
        items(&summary["neighbors"]).find(|peer| peer["address"] == address).cloned().unwrap_or_default()
    }

    pub(crate) fn established(&self, address: &str) -> bool {
        self.neighbor(address)["state"] == "Established"
    }

    /// Waits until the session is one that began after `before` was seen, and is up.
    #[track_caller]
    pub(crate) fn await_session(&self, address: &str) {
        eventually(&format!("the session with {address} is established"), || self.established(address));
    }

    /// Waits for the session of an agent that has just been started; loading its programs takes a while.
    #[track_caller]
    pub(crate) fn await_agent(&self, address: &str) {
        eventually(&format!("the session with {address} is established"), || {
            assert!(!self.0.main_pids().is_empty(), "the agent has ended: {}", self.0.logs());
            self.established(address)
        });
    }

    /// The route of a VRF that BGP brought and the dataplane holds.
    pub(crate) fn learnt(&self, vrf: &str, prefix: &str) -> Option<Value> {
        let table = self.show(&["vrf", vrf, "routes"]);
        let by_bgp = |route: &&Value| route["source"].as_str().is_some_and(|s| s.ends_with("Bgp"));
        items(&table["routes"])
            .filter(by_bgp)
            .find(|route| route["prefix"] == prefix && route["programmed"] == true)
            .cloned()
    }

    #[track_caller]
    pub(crate) fn await_learnt(&self, vrf: &str, prefix: &str) -> Value {
        let mut route = None;
        eventually(&format!("{vrf} has learnt {prefix}"), || {
            route = self.learnt(vrf, prefix);
            route.is_some()
        });
        route.unwrap()
    }

    #[track_caller]
    pub(crate) fn await_gone(&self, vrf: &str, prefix: &str) {
        eventually(&format!("{prefix} is gone from {vrf}"), || self.learnt(vrf, prefix).is_none());
    }

    /// Paths of a family for a prefix.
    pub(crate) fn paths(&self, family: &str, prefix: &str) -> Vec<Value> {
        items(&self.show(&["bgp", "routes", family, prefix])["routes"]).cloned().collect()
    }

    /// Our SID with a behaviour, such as End.DT46.
    pub(crate) fn sid(&self, behavior: &str) -> Option<String> {
        let sids = self.show(&["sids"]);
        items(&sids["sids"]).find(|sid| sid["behavior"] == behavior)?["sid"].as_str().map(str::to_owned)
    }

    /// Packets of a VRF that were dropped for a reason.
    pub(crate) fn dropped(&self, vrf: &str, reason: &str) -> u64 {
        let drops = self.show(&["drops"]);
        let of = |drop: &&Value| drop["vrf"] == vrf && drop["reason"] == reason;
        items(&drops["drops"]).filter(of).filter_map(|drop| drop["packets"].as_u64()).sum()
    }

    /// Packets of a VRF that came from its circuits.
    pub(crate) fn counted(&self, vrf: &str) -> u64 {
        let counters = self.show(&["counters"]);
        items(&counters["vrfs"])
            .filter(|of| of["vrf"] == vrf)
            .filter_map(|of| of["fromCircuit"].as_u64())
            .sum()
    }

    /// Takes a changed file over, and returns once that is done.
    #[track_caller]
    pub(crate) fn reload(&self) {
        let taken = || self.0.logs().matches("configuration taken over").count();
        let before = taken();
        self.0.kill_main(Signal::SIGHUP).unwrap();
        eventually("the configuration is taken over", || taken() > before);
    }
}

/// The items of a JSON list, or the values of a JSON object; none of anything else.
pub(crate) fn items(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// What a command of vtysh prints as JSON; null if it printed none.
pub(crate) fn vtysh(node: &Node<'_>, command: &str) -> Value {
    serde_json::from_slice(&node.run(["vtysh", "-c", command]).stdout).unwrap_or(Value::Null)
}

/// Runs commands of vtysh, each of which FRR must take.
#[track_caller]
pub(crate) fn configure(node: &Node<'_>, commands: &[&str]) {
    let words = commands.iter().flat_map(|command| ["-c", command]);
    let said = node.check(["vtysh", "-c", "configure terminal"].into_iter().chain(words));
    assert_eq!(said, "", "{commands:?}");
}

/// Waits, and panics with the claim if it does not come true.
#[track_caller]
pub(crate) fn eventually(claim: &str, condition: impl FnMut() -> bool) {
    assert!(wait_until(PATIENCE, condition), "not within {PATIENCE:?}: {claim}");
}

/// Pings until the first answer (neighbours are being resolved, routes programmed), then five times without a loss.
#[track_caller]
pub(crate) fn reaches(node: &Node<'_>, address: &str) {
    let once = || node.run(["ping", "-n", "-c1", "-W1", address]).status.success();
    eventually(&format!("{address} answers"), once);
    let said = node.check(["ping", "-n", "-c5", "-i0.05", "-W2", address]);
    assert!(said.contains(" 0% packet loss"), "{said}");
}

pub(crate) fn unreachable(node: &Node<'_>, address: &str) -> bool {
    !node.run(["ping", "-n", "-c1", "-W1", address]).status.success()
}

/// A stream of pings that runs while something happens.
pub(crate) struct Stream(Child);

impl Stream {
    /// A hundred pings per second, until standard input is closed.
    #[track_caller]
    pub(crate) fn start(node: &Node<'_>, address: &str) -> Self {
        Self::start_by(node, "ping", address)
    }

    /// The same by whatever runs ping where it is to run.
    #[track_caller]
    pub(crate) fn start_by(node: &Node<'_>, ping: &str, address: &str) -> Self {
        let script = format!("{ping} -n -q -i0.01 {address} & read -r _; kill -INT $!; wait $!");
        let mut command = node.command(["sh", "-c", &script]);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Ends it; how many were sent and how many answered.
    #[track_caller]
    pub(crate) fn stop(self) -> (u64, u64) {
        // Closes standard input first.
        let output = self.0.wait_with_output().unwrap();
        let said = text(&output.stdout);
        let number = |word: &str| {
            let part = said.split(['\n', ',']).find(|part| part.contains(word));
            part.and_then(|part| part.split_whitespace().next()?.parse().ok())
        };
        match (number("transmitted"), number("received")) {
            (Some(sent), Some(answered)) => (sent, answered),
            _ => panic!("ping said no numbers: {said}"),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
