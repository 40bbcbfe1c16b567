//! The CNI plugin: what the runtime calls for each interface of each pod, and what puts it where the runtime looks.
//!
//! [`spec`] is what the specification says, [`agent`] asks the node's agent, [`link`] is the kernel's interfaces, [`command`] what
//! each command does with them, [`install`] the verbs for people.

mod agent;
mod command;
mod install;
mod link;
mod spec;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A runtime calls without arguments, people with them.
    if std::env::args_os().len() > 1 { install::run() } else { command::run() }
}
