//! Processes by id and start time, so that a recycled id is never taken for the process that was.
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::LabError;

/// A process of this machine, as numbered outside of all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks since boot.
    start_time: u64,
}

const FILE: &str = "init.json";

impl Process {
    pub(crate) fn of(pid: u32) -> Result<Self, LabError> {
        let path = format!("/proc/{pid}/stat");
        let start_time = stat(pid).map(|stat| stat.start_time).ok_or_else(|| {
            LabError::io("read", Path::new(&path))(std::io::Error::from(std::io::ErrorKind::NotFound))
        })?;
        Ok(Self { pid, start_time })
    }

    /// Asks `/proc` for the id: a node's init that asked the kernel would be told 1.
    pub(crate) fn this() -> Result<Self, LabError> {
        let path = Path::new("/proc/self");
        let link = fs::read_link(path).map_err(LabError::io("read", path))?;
        let pid = link.to_str().and_then(|pid| pid.parse().ok());
        Self::of(pid.ok_or_else(|| LabError::io("understand", path)(std::io::ErrorKind::InvalidData.into()))?)
    }

    /// Still the same process, and not a zombie.
    pub(crate) fn alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.start_time == self.start_time && stat.state != "Z")
    }

    /// Sends a signal if the process is still there.
    pub(crate) fn signal(self, signal: Signal) -> Result<(), LabError> {
        if !self.alive() {
            return Ok(());
        }
        let pid = Pid::from_raw(self.pid.cast_signed());
        match kill(pid, signal) {
            Err(nix::Error::ESRCH) => Ok(()),
            other => other.map_err(LabError::sys("signal", format!("/proc/{}", self.pid))),
        }
    }

    /// Whether the process was gone before the time was up.
    pub(crate) fn wait_gone(self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.alive() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    pub(crate) fn read(dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(dir.join(FILE)).ok()?).ok()
    }

    pub(crate) fn write(self, dir: &Path) -> Result<(), LabError> {
        let path = dir.join(FILE);
        let text = format!("{{\"pid\":{},\"startTime\":{}}}", self.pid, self.start_time);
        fs::write(&path, text).map_err(LabError::io("write", &path))
    }

    /// The child that has this id within the node whose init `self` is.
    pub(crate) fn child_numbered(self, pid_in_node: i32) -> Option<Self> {
        let pid = self.pid;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        children
            .filter(|child| innermost_pid(*child) == Some(pid_in_node))
            .find_map(|child| Self::of(child).ok())
    }
}

struct Stat {
    state: String,
    start_time: u64,
}

/// Fields 3 and 22 of `/proc/PID/stat` (proc(5)); the command's name in parentheses may itself hold spaces.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat { state: (*fields.first()?).to_owned(), start_time: fields.get(19)?.parse().ok()? })
}

/// Last number of `NSpid`: the id in the innermost PID namespace.
fn innermost_pid(pid: u32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn another_process_of_the_same_id_is_not_this_one() {
        let this = Process::this().unwrap();
        assert!(this.alive());
        assert!(!Process { start_time: this.start_time + 1, ..this }.alive());
    }
}
