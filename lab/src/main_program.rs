//! A node's main program from the outside: start, signal, state. Init in the node does the work and writes what
//! happened; see `node::events`.
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::LabError;
use crate::node::events::{self, Event};
use crate::process::Process;
use crate::progress::Progress;
use crate::state::State;

const START_LIMIT: Duration = Duration::from_secs(60);
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Starts it and waits until its init says that it is started.
pub(crate) fn start(state: &State, node: &str, progress: &Progress) -> Result<(), LabError> {
    let fail = |problem: String| LabError::Main { node: node.to_owned(), problem };
    if !state.node(node)?.has_main {
        return Err(fail("has no main program; run commands with lab exec".into()));
    }
    let dir = state.node_dir(node);
    let before = events::read(&dir).len();
    init(state, node)?.signal(Signal::SIGUSR1)?;
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        let news = events::read(&dir).split_off(before);
        let outcome = news.into_iter().find_map(|event| match event {
            Event::Ready => Some(Ok(())),
            Event::Failed { reason } => Some(Err(fail(format!("cannot start: {reason}")))),
            Event::Started { .. } | Event::Exited { .. } => None,
        });
        if let Some(outcome) = outcome {
            return outcome;
        }
        progress.check()?;
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(fail("the main program did not start in time; see lab logs".into()))
}

/// Signals every process of it; after KILL waits until they are gone.
pub(crate) fn signal(state: &State, node: &str, signal: Signal) -> Result<(), LabError> {
    let processes = processes(state, node)?;
    if processes.is_empty() {
        return Err(LabError::Main {
            node: node.to_owned(),
            problem: "the main program does not run".into(),
        });
    }
    processes.iter().try_for_each(|(_, process)| process.signal(signal))?;
    let dir = state.node_dir(node);
    let deadline = Instant::now() + KILL_LIMIT;
    while signal == Signal::SIGKILL
        && !events::running(&events::read(&dir)).is_empty()
        && Instant::now() < deadline
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Its running programs with their processes.
pub(crate) fn processes(state: &State, node: &str) -> Result<Vec<(String, Process)>, LabError> {
    state.node(node)?;
    let Ok(init) = init(state, node) else { return Ok(Vec::new()) };
    let running = events::running(&events::read(&state.node_dir(node)));
    Ok(running.into_iter().filter_map(|(name, pid)| Some((name, init.child_numbered(pid)?))).collect())
}

/// How it ended last, if it does not run now.
pub(crate) fn ending(state: &State, node: &str) -> Option<String> {
    let events = events::read(&state.node_dir(node));
    let last = events.iter().rev().find(|event| !matches!(event, Event::Ready))?;
    match last {
        Event::Exited { program, outcome, .. } => Some(format!("{program} {outcome}")),
        Event::Failed { reason } => Some(reason.clone()),
        Event::Started { .. } | Event::Ready => None,
    }
}

fn init(state: &State, node: &str) -> Result<Process, LabError> {
    Process::read(&state.node_dir(node)).filter(|init| init.alive()).ok_or_else(|| LabError::Main {
        node: node.to_owned(),
        problem: "the node does not run any more; take the lab down and up again".into(),
    })
}
