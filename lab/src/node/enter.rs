//! Runs a command in a node. Entering the PID namespace takes a birth, so `lab internal-enter` enters that one
//! and starts `lab internal-join`, which enters the others and becomes the command.
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use nix::sched::{CloneFlags, setns};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, chdir};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::NodeSpec;
use crate::LabError;
use crate::process::Process;

/// The command that runs `words` in the node with this state folder.
pub(crate) fn command(
    lab: &Path,
    dir: &Path,
    words: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
) -> Command {
    let mut command = Command::new(lab);
    command.arg("internal-enter").arg(dir).arg("--").args(words);
    command
}

/// `lab internal-enter DIR -- COMMAND`: the command's exit status, 128 + signal as a shell has it.
pub(crate) fn enter(dir: &Path, words: &[String]) -> Result<i32, LabError> {
    let init = Process::read(dir).filter(|init| init.alive()).ok_or_else(|| dead(dir))?;
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT])
        .map_err(LabError::io("handle signals for", dir))?;
    join(init, "pid", CloneFlags::CLONE_NEWPID)?;
    let exe = Path::new("/proc/self/exe");
    let mut command = Command::new(exe);
    command.arg("internal-join").arg(init.pid.to_string()).arg(dir).arg("--").args(words);
    let mut child = command.spawn().map_err(LabError::io("start", exe))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    for signal in signals.forever() {
        match signal {
            SIGTERM => drop(kill(pid, Signal::SIGTERM)),
            SIGHUP => drop(kill(pid, Signal::SIGHUP)),
            // The terminal sends these to the command as well.
            SIGINT | SIGQUIT => (),
            _ => {
                if let Some(status) =
                    child.try_wait().map_err(LabError::io("wait for the command in", dir))?
                {
                    return Ok(shell_status(status));
                }
            }
        }
    }
    Ok(1)
}

fn dead(dir: &Path) -> LabError {
    let node = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    LabError::Main { node, problem: "the node does not run any more; take the lab down and up again".into() }
}

fn shell_status(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

/// `lab internal-join PID DIR -- COMMAND`: returns only if the command could not be started.
pub(crate) fn become_command(init: u32, dir: &Path, words: &[String]) -> Result<(), LabError> {
    // Whoever ends `lab exec` by KILL means the command.
    set_pdeathsig(Signal::SIGKILL).map_err(LabError::sys("tie the command to", dir))?;
    let spec = NodeSpec::read(dir)?;
    let init = Process::of(init)?;
    let namespaces = [
        ("net", CloneFlags::CLONE_NEWNET),
        ("uts", CloneFlags::CLONE_NEWUTS),
        ("ipc", CloneFlags::CLONE_NEWIPC),
        ("mnt", CloneFlags::CLONE_NEWNS),
    ];
    for (name, flag) in namespaces {
        join(init, name, flag)?;
    }
    chdir("/").map_err(LabError::sys("enter", "/"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| LabError::Main {
        node: spec.hostname.clone(),
        problem: "no command; write lab exec FILE NODE -- COMMAND".into(),
    })?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "TERM"));
    let error = command.envs(spec.environment()).exec();
    Err(LabError::io("run", &PathBuf::from(program))(error))
}

fn join(init: Process, name: &str, flag: CloneFlags) -> Result<(), LabError> {
    let path = PathBuf::from(format!("/proc/{}/ns/{name}", init.pid));
    let namespace = File::open(&path).map_err(LabError::io("open", &path))?;
    setns(namespace, flag).map_err(LabError::sys("enter", &path))
}
