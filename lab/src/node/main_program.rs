//! Starts and watches a node's main program: one process, or the daemons of FRR.
use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::User;

use super::NodeSpec;
use super::events::{Event, EventLog};
use crate::image::{Main, frr};

const FRR_START_LIMIT: Duration = Duration::from_secs(20);

/// The main program as its init sees it.
#[derive(Debug)]
pub(super) struct MainProgram {
    spec: NodeSpec,
    events: EventLog,
    log: File,
    running: Vec<(String, i32)>,
}

impl MainProgram {
    pub(super) fn new(spec: NodeSpec, events: EventLog, log: File) -> Self {
        Self { spec, events, log, running: Vec::new() }
    }

    pub(super) fn start(&mut self) {
        self.reap();
        let started = match self.spec.main.clone() {
            _ if !self.running.is_empty() => Err("it runs already".to_owned()),
            None => Err("the node has no main program".to_owned()),
            Some(Main::Command(words)) => self.spawn(program_name(&words), &words),
            Some(Main::Frr) => self.start_frr(),
        };
        self.events.write(&match started {
            Ok(()) => Event::Ready,
            Err(reason) => Event::Failed { reason },
        });
    }

    /// Collects every child that ended, the main program's and those left behind by others.
    pub(super) fn reap(&mut self) {
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            let (pid, outcome) = match status {
                WaitStatus::Exited(pid, code) => (pid, format!("exited with status {code}")),
                WaitStatus::Signaled(pid, signal, _) => (pid, format!("was killed by {signal}")),
                WaitStatus::StillAlive => return,
                _ => continue,
            };
            if let Some(at) = self.running.iter().position(|(_, running)| *running == pid.as_raw()) {
                let (program, pid) = self.running.swap_remove(at);
                self.events.write(&Event::Exited { program, pid, outcome });
            }
        }
    }

    fn spawn(&mut self, name: &str, words: &[String]) -> Result<(), String> {
        let child = self.command(words)?.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        let pid = child.id().cast_signed();
        self.running.push((name.to_owned(), pid));
        self.events.write(&Event::Started { program: name.to_owned(), pid });
        Ok(())
    }

    fn command(&self, words: &[String]) -> Result<Command, String> {
        let (program, arguments) = words.split_first().ok_or("the command is empty")?;
        let log = || self.log.try_clone().map_err(|error| format!("cannot share the log: {error}"));
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.spec.environment()).current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        Ok(command)
    }

    fn start_frr(&mut self) -> Result<(), String> {
        prepare_frr_dirs().map_err(|error| format!("cannot prepare /run/frr: {error}"))?;
        let text = std::fs::read_to_string("/etc/frr/daemons").unwrap_or_default();
        for daemon in frr::daemons(&text, Path::exists) {
            self.spawn(daemon.name, &daemon.command)?;
            self.wait_for(&daemon)?;
        }
        let output =
            Command::new("vtysh").arg("-b").output().map_err(|error| format!("cannot run vtysh: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "vtysh -b did not take /etc/frr/frr.conf ({}):\n{}{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    fn wait_for(&mut self, daemon: &frr::Daemon) -> Result<(), String> {
        let deadline = Instant::now() + FRR_START_LIMIT;
        while UnixStream::connect(daemon.vty()).is_err() {
            self.reap();
            if !self.running.iter().any(|(name, _)| name == daemon.name) {
                return Err(format!("{} ended at once; see its log", daemon.name));
            }
            if Instant::now() > deadline {
                return Err(format!("{} did not open {} in time", daemon.name, daemon.vty().display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn program_name(words: &[String]) -> &str {
    words.first().and_then(|word| word.rsplit('/').next()).unwrap_or("main")
}

/// The daemons run as the user frr and keep their sockets and state here.
fn prepare_frr_dirs() -> std::io::Result<()> {
    let user = User::from_name("frr")?.ok_or_else(|| std::io::Error::other("there is no user frr"))?;
    for dir in ["/run/frr", "/var/tmp/frr", "/var/lib/frr"] {
        std::fs::create_dir_all(dir)?;
        chown(dir, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    Ok(())
}
