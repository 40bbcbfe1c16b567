//! The first process of a node. It sets the node up, then only starts the main program when told to (USR1) and
//! reaps whatever ends. When it is killed the kernel ends all processes of the node and drops its mounts.
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::Command;

use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, sethostname};
use signal_hook::consts::{SIGCHLD, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use super::events::EventLog;
use super::main_program::MainProgram;
use super::{NodeSpec, mounts, namespaces};
use crate::LabError;
use crate::process::Process;

/// Name of the main program's log in the node's state folder.
pub(crate) const LOG: &str = "main.log";

/// `lab internal-init DIR`: returns only with an error, or when told to end.
pub(crate) fn run(dir: &Path) -> Result<(), LabError> {
    // First of all, so that whatever happens from here on, `down` finds this process.
    Process::this()?.write(dir)?;
    let spec = NodeSpec::read(dir)?;
    let mut signals =
        Signals::new([SIGCHLD, SIGUSR1, SIGTERM]).map_err(LabError::io("handle signals for", dir))?;
    let events = EventLog::open(dir)?;
    let log_path = dir.join(LOG);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(LabError::io("open", &log_path))?;
    namespaces::separate(dir)?;
    sethostname(&spec.hostname).map_err(LabError::sys("set the host name of", dir))?;
    mounts::enter_root(dir, &spec)?;
    network(&spec)?;
    leave_callers_stdio(&log)?;
    let mut main = MainProgram::new(spec, events, log);
    for signal in signals.forever() {
        match signal {
            SIGUSR1 => main.start(),
            SIGCHLD => main.reap(),
            _ => break,
        }
    }
    Ok(())
}

/// `lab up` reads our standard error to its end: closing it says that the node is ready.
fn leave_callers_stdio(log: &File) -> Result<(), LabError> {
    let null = File::open("/dev/null").map_err(LabError::io("open", "/dev/null".as_ref()))?;
    let moved = dup2_stdin(&null).and_then(|()| dup2_stdout(log)).and_then(|()| dup2_stderr(log));
    moved.map_err(LabError::sys("redirect the output to", LOG))
}

/// Loopback up, IPv6 on, and no wait for duplicate address detection: addresses are usable at once.
fn network(spec: &NodeSpec) -> Result<(), LabError> {
    let defaults = [
        ("net.ipv6.conf.all.disable_ipv6", "0"),
        ("net.ipv6.conf.default.disable_ipv6", "0"),
        ("net.ipv6.conf.all.accept_dad", "0"),
        ("net.ipv6.conf.default.accept_dad", "0"),
    ];
    let asked = spec.sysctls.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in defaults.into_iter().chain(asked) {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        fs::write(&path, value).map_err(LabError::io("set the sysctl", &path))?;
    }
    let mut ip = Command::new("ip");
    crate::links::succeed(ip.args(["link", "set", "lo", "up"]), "loopback")
}
