//! What can go wrong with a lab, each with its place and, where there is one, the remedy.
use std::io;
use std::path::{Path, PathBuf};

/// An error of a lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Namespaces, mounts and links want root.
    #[error("lab needs root for namespaces, mounts and links; run it with sudo")]
    NotRoot,
    /// The topology file is wrong at a known place.
    #[error("{place}: {problem}")]
    Topology {
        /// `file:line:column`, as exact as is known.
        place: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The lab runs already.
    #[error("lab {lab} is already up (state in {}); take it down first: lab down {}", state.display(), topology.display())]
    AlreadyUp {
        /// The lab's name.
        lab: String,
        /// Where its state is.
        state: PathBuf,
        /// The topology file to give to `lab down`.
        topology: PathBuf,
    },
    /// The lab does not run.
    #[error("no lab of {what} is up; start it first: lab up FILE")]
    NotUp {
        /// The file or lab name that was looked for.
        what: String,
    },
    /// The lab has no such node.
    #[error("lab {lab} has no node {node}; its nodes are {known}")]
    NoSuchNode {
        /// The lab's name.
        lab: String,
        /// The name that was asked for.
        node: String,
        /// The names there are.
        known: String,
    },
    /// A node has nothing that could be started, or its main program is in the wrong state.
    #[error("{node}: {problem}")]
    Main {
        /// The node.
        node: String,
        /// What is wrong.
        problem: String,
    },
    /// A program that the lab stands on is missing.
    #[error("{program} was not found; {remedy}")]
    Missing {
        /// The program.
        program: String,
        /// How to get it.
        remedy: String,
    },
    /// A command that the lab ran did not succeed.
    #[error("{what}: {outcome}{}", indented(output))]
    Command {
        /// What was run and for which node.
        what: String,
        /// How it ended.
        outcome: String,
        /// What it said.
        output: String,
    },
    /// An operation on a path failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Ctrl-C or a termination signal.
    #[error("interrupted")]
    Interrupted,
}

impl LabError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// For system calls by `nix`.
    pub(crate) fn sys(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(nix::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |errno| Self::Io { action, path, source: errno.into() }
    }
}

fn indented(output: &str) -> String {
    output.trim_end().lines().map(|line| format!("\n    {line}")).collect()
}
