//! Makes a node's namespaces. A process enters a new PID namespace only by being born in it, so this is two
//! processes: this one unshares, starts the init and goes.
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use crate::LabError;
use crate::process::Process;

/// Namespaces that a node has of its own.
pub(super) const ALL: CloneFlags = CloneFlags::CLONE_NEWNET
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWPID);

/// `lab internal-node DIR`: starts the node's init and writes down its process id.
pub(crate) fn create(dir: &Path) -> Result<(), LabError> {
    unshare(ALL).map_err(LabError::sys("create namespaces for", dir))?;
    let exe = Path::new("/proc/self/exe");
    // A group of its own: ctrl-c in the user's terminal must not reach the nodes.
    let mut init = Command::new(exe);
    init.arg0("lab-init").arg("internal-init").arg(dir).process_group(0);
    let child = init.spawn().map_err(LabError::io("start", exe))?;
    Process::of(child.id())?.write(dir)
}
