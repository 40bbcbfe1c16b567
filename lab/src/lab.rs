//! A lab as a value. [`Lab`] is for tests and takes the lab down when dropped; [`Running`] is any lab that is up.
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::inspect::{self, NodeReport};
use crate::node::{enter, init};
use crate::process::Process;
use crate::progress::Progress;
use crate::state::State;
use crate::up::{self, UpOptions};
use crate::{LabError, binary, down, main_program};

/// A lab that is up and stays up when this value goes.
#[derive(Debug)]
pub struct Running {
    state: State,
    binary: PathBuf,
}

impl Running {
    /// Brings a lab up.
    pub fn up(file: &Path, options: UpOptions, progress: &Progress) -> Result<Self, LabError> {
        want_root()?;
        Ok(Self { binary: binary::lab()?, state: up::up(file, options, progress)? })
    }

    /// Finds the lab that was brought up from `file`, or the one called `name`.
    pub fn find(file: &Path, name: Option<&str>) -> Result<Self, LabError> {
        want_root()?;
        Ok(Self { binary: binary::lab()?, state: State::find(file, name)? })
    }

    /// Takes it down.
    pub fn down(&self, progress: &Progress) -> Result<(), LabError> {
        down::down(&self.state, progress)
    }

    /// The lab's name.
    pub fn name(&self) -> &str {
        &self.state.lab
    }

    /// What is up.
    pub fn inspect(&self) -> Result<Vec<NodeReport>, LabError> {
        inspect::report(&self.state)
    }

    /// A node by its name in the topology.
    pub fn try_node(&self, name: &str) -> Result<Node<'_>, LabError> {
        Ok(Node { lab: self, name: self.state.node(name)?.name.clone() })
    }
}

fn want_root() -> Result<(), LabError> {
    match nix::unistd::geteuid().is_root() {
        true => Ok(()),
        false => Err(LabError::NotRoot),
    }
}

/// A lab that lives as long as this value: for tests. It is taken down also by a panic, and where even that did
/// not happen (the test was killed) by the next `up` of the same lab.
#[derive(Debug)]
pub struct Lab(Running);

impl Lab {
    /// Brings up the topology in `file`, under the name that it gives itself.
    pub fn up(file: impl AsRef<Path>) -> Result<Self, LabError> {
        Self::start(file.as_ref(), None)
    }

    /// The same under another name, so that tests can use one file at the same time.
    pub fn up_as(file: impl AsRef<Path>, name: &str) -> Result<Self, LabError> {
        Self::start(file.as_ref(), Some(name.to_owned()))
    }

    fn start(file: &Path, name: Option<String>) -> Result<Self, LabError> {
        Running::up(file, UpOptions { name, owned: true }, &Progress::silent()).map(Self)
    }

    /// A node by its name in the topology.
    ///
    /// # Panics
    /// If there is no such node: the test is wrong.
    #[track_caller]
    pub fn node(&self, name: &str) -> Node<'_> {
        self.0.try_node(name).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl std::ops::Deref for Lab {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.0
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = self.0.down(&Progress::silent()) {
            eprintln!("lab {} is not wholly taken down: {error}", self.0.name());
        }
    }
}

/// A node of a lab that is up.
#[derive(Debug)]
pub struct Node<'a> {
    lab: &'a Running,
    name: String,
}

impl Node<'_> {
    /// A command that will run in the node, with the node's environment; input and output are the caller's to set.
    /// Killing its process kills the command in the node.
    pub fn command(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        enter::command(&self.lab.binary, &self.dir(), words)
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// If the lab binary cannot be run. The command's own failure is in the output.
    #[track_caller]
    pub fn run(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        let output = self.command(words).stdin(Stdio::null()).output();
        output.unwrap_or_else(|error| panic!("cannot run {}: {error}", self.lab.binary.display()))
    }

    /// Runs a command that must succeed; its standard output.
    ///
    /// # Panics
    /// If the command fails, with what it said.
    #[track_caller]
    pub fn check(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let output = self.run(words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "in {}: {}\n{}{}",
            self.name,
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Starts a command in the background with its output in pipes.
    pub fn spawn(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> std::io::Result<Child> {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }

    /// Starts the main program again after it ended.
    pub fn start_main(&self) -> Result<(), LabError> {
        main_program::start(&self.lab.state, &self.name, &Progress::silent())
    }

    /// Signals the main program; after KILL it is gone when this returns.
    pub fn kill_main(&self, signal: Signal) -> Result<(), LabError> {
        main_program::signal(&self.lab.state, &self.name, signal)
    }

    /// Process ids of the main program as the machine numbers them; none if it does not run.
    pub fn main_pids(&self) -> Vec<u32> {
        let processes = main_program::processes(&self.lab.state, &self.name).unwrap_or_default();
        processes.into_iter().map(|(_, process)| process.pid).collect()
    }

    /// Process id of the node's init, as the machine numbers it.
    pub fn pid(&self) -> Option<u32> {
        Process::read(&self.dir()).filter(|init| init.alive()).map(|init| init.pid)
    }

    /// What the main program wrote so far.
    pub fn logs(&self) -> String {
        fs::read(self.log_path())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The file that the main program writes to.
    pub fn log_path(&self) -> PathBuf {
        self.dir().join(init::LOG)
    }

    /// The node's state folder on the machine.
    pub fn dir(&self) -> PathBuf {
        self.lab.state.node_dir(&self.name)
    }
}

/// Asks again and again until `condition` holds or `limit` has passed; whether it held.
#[must_use]
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}
