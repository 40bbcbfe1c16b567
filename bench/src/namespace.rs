//! Network namespaces of the benchmark: named `bench-...`, gone with their owner, and by `scripts/bench.sh` at the
//! latest.

use std::{
    fs::File,
    io,
    process::{Child, Command, Output, Stdio},
    thread,
};

use nix::sched::{CloneFlags, setns};

/// A command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{line}: {source}; is it installed? `make setup` does it")]
    Start { line: String, source: io::Error },
    #[error("{line}: {said}")]
    Failed { line: String, said: String },
    #[error("entering the network namespace {name}: {source}; the benchmark needs root")]
    Enter { name: String, source: io::Error },
}

/// A network namespace with its loopback up.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn new(name: &str) -> Result<Self, CommandError> {
        let name = format!("bench-{name}");
        // One of a run that was killed may still be there.
        let _absent = run(&mut command("ip", &format!("netns del {name}")));
        run(&mut command("ip", &format!("netns add {name}")))?;
        let namespace = Self { name };
        namespace.run("ip link set lo up")?;
        Ok(namespace)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `line`, to run in here. The mounts stay those of the machine, with its bpffs.
    fn command(&self, line: &str) -> Command {
        command("nsenter", &format!("--net=/run/netns/{} {line}", self.name))
    }

    /// Starts `line` in here; it ends with the thread that has started it, however that one ends.
    pub(crate) fn daemon(&self, line: &str) -> Result<Daemon, CommandError> {
        let mut command = self.command(&format!("setpriv --pdeathsig KILL {line}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        child.map(Daemon).map_err(|source| CommandError::Start { line: words(&command), source })
    }

    /// Runs `line`; what it prints.
    pub(crate) fn run(&self, line: &str) -> Result<String, CommandError> {
        run(&mut self.command(line))
    }

    /// Runs several lines, in order.
    pub(crate) fn script(&self, lines: &str) -> Result<(), CommandError> {
        lines.lines().map(str::trim).filter(|line| !line.is_empty()).try_for_each(|line| {
            self.run(line)?;
            Ok(())
        })
    }

    /// Runs `inside` on a thread of its own that is in here.
    pub(crate) fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> Result<T, CommandError> {
        let wrong = |source| CommandError::Enter { name: self.name.clone(), source };
        let here = File::open(format!("/run/netns/{}", self.name)).map_err(wrong)?;
        thread::scope(|scope| {
            let entered = scope.spawn(move || {
                setns(here, CloneFlags::CLONE_NEWNET)?;
                Ok(inside())
            });
            match entered.join() {
                Ok(result) => result.map_err(|errno: nix::Error| wrong(errno.into())),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _gone_already = run(&mut command("ip", &format!("netns del {}", self.name)));
    }
}

/// A process of the benchmark, ended with its owner.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _waited = self.0.wait();
    }
}

fn command(program: &str, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace());
    command
}

/// Runs a command that has to succeed; what it prints.
pub(crate) fn run(command: &mut Command) -> Result<String, CommandError> {
    let output = command.output().map_err(|source| CommandError::Start { line: words(command), source })?;
    let Output { status, stdout, stderr } = output;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(CommandError::Failed { line: words(command), said })
}

fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
