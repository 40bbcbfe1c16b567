//! The hidden subcommands by which `lab` starts itself anew, one single-threaded process per step.
use std::path::Path;

use crate::LabError;
use crate::node;

/// Makes a node's namespaces and starts its init.
pub fn create_node(dir: &Path) -> Result<(), LabError> {
    node::create(dir)
}

/// Is a node's init.
pub fn init(dir: &Path) -> Result<(), LabError> {
    node::init::run(dir)
}

/// Runs a command in a node; its exit status.
pub fn enter(dir: &Path, words: &[String]) -> Result<i32, LabError> {
    node::enter::enter(dir, words)
}

/// Becomes a command in a node.
pub fn join(init: u32, dir: &Path, words: &[String]) -> Result<(), LabError> {
    node::enter::become_command(init, dir, words)
}
