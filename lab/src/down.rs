//! Takes a lab down from what was recorded of it. Goes on after an error, and can be called again.
use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::process::Process;
use crate::progress::Progress;
use crate::state::State;
use crate::{LabError, links};

const END_LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn down(state: &State, progress: &Progress) -> Result<(), LabError> {
    let mut first_error = Ok(());
    for node in &state.nodes {
        progress.step(&format!("removing node {}", node.name));
        let removed = end_node(state, &node.name).and(links::forget_namespace(&node.namespace));
        first_error = first_error.and(removed);
    }
    // Without its state the lab could not be taken down again.
    first_error?;
    match fs::remove_dir_all(state.dir()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(LabError::io("remove", &state.dir())(error)),
        _ => Ok(()),
    }
}

fn end_node(state: &State, name: &str) -> Result<(), LabError> {
    let Some(init) = Process::read(&state.node_dir(name)) else { return Ok(()) };
    init.signal(Signal::SIGKILL)?;
    match init.wait_gone(END_LIMIT) {
        true => Ok(()),
        false => Err(LabError::Main {
            node: name.to_owned(),
            problem: format!(
                "process {} does not end; look for one in state D, then run lab down again",
                init.pid
            ),
        }),
    }
}
