//! What happened to a node's main program: one JSON line per event, written by the node's init alone.
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::LabError;

/// An event; process ids are as numbered within the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub(crate) enum Event {
    /// A program runs.
    Started { program: String, pid: i32 },
    /// Everything that belongs to the start is done.
    Ready,
    /// The start went wrong.
    Failed { reason: String },
    /// A program ended.
    Exited { program: String, pid: i32, outcome: String },
}

/// The writing end, kept open by init after the host's file system is out of its sight.
#[derive(Debug)]
pub(crate) struct EventLog(File);

const FILE: &str = "events";

impl EventLog {
    pub(crate) fn open(dir: &Path) -> Result<Self, LabError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.map(Self).map_err(LabError::io("open", &path))
    }

    /// Init has nobody to tell if its log cannot be written: the reader's wait will time out.
    pub(crate) fn write(&mut self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            let _ = self.0.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// All events so far; a line that is still being written is left for the next time.
pub(crate) fn read(dir: &Path) -> Vec<Event> {
    let text = fs::read_to_string(dir.join(FILE)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Programs that were started and did not end yet, with their ids.
pub(crate) fn running(events: &[Event]) -> Vec<(String, i32)> {
    let mut running: Vec<(String, i32)> = Vec::new();
    for event in events {
        match event {
            Event::Started { program, pid } => running.push((program.clone(), *pid)),
            Event::Exited { pid, .. } => running.retain(|(_, running)| running != pid),
            Event::Ready | Event::Failed { .. } => (),
        }
    }
    running
}

#[cfg(test)]
mod tests {
    use super::{Event, running};

    #[test]
    fn what_started_and_did_not_exit_is_running() {
        let started = |program: &str, pid| Event::Started { program: program.into(), pid };
        let exited = Event::Exited { program: "a".into(), pid: 2, outcome: "signal: 9".into() };
        let events = [started("a", 2), started("b", 3), Event::Ready, exited, started("a", 9)];
        assert_eq!(running(&events), [("b".to_owned(), 3), ("a".to_owned(), 9)]);
    }
}
