//! Makes a node's namespaces. A process enters a new PID namespace only by being born in it, so this takes two
//! processes: one unshares that namespace, starts the init and goes; the init unshares the others.
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use crate::LabError;

/// `lab internal-node DIR`: starts the node's init.
pub(crate) fn create(dir: &Path) -> Result<(), LabError> {
    unshare(CloneFlags::CLONE_NEWPID).map_err(LabError::sys("create a PID namespace for", dir))?;
    let exe = Path::new("/proc/self/exe");
    // A group of its own: ctrl-c in the user's terminal must not reach the nodes.
    let mut init = Command::new(exe);
    init.arg0("lab-init").arg("internal-init").arg(dir).process_group(0);
    init.spawn().map(drop).map_err(LabError::io("start", exe))
}

/// For the init: all but the PID namespace.
pub(super) fn separate(dir: &Path) -> Result<(), LabError> {
    let flags = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(flags).map_err(LabError::sys("create namespaces for", dir))
}
