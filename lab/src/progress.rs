//! What the user sees while a lab comes up, and how ctrl-c is noticed between and during steps.
use std::io::{IsTerminal, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::LabError;

const POLL: Duration = Duration::from_millis(10);

/// A reporter of steps.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    lines: bool,
    colour: bool,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// Says nothing and is never interrupted: for tests.
    pub fn silent() -> Self {
        Self::default()
    }

    /// One line per step on standard error, in colour on a terminal; ctrl-c, TERM and HUP interrupt.
    pub fn terminal() -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if let Err(error) = signal_hook::flag::register(signal, Arc::clone(&interrupted)) {
                eprintln!("warning: signal {signal} will not clean up: {error}");
            }
        }
        Self { lines: true, colour, interrupted }
    }

    /// Says what is being done.
    pub fn step(&self, text: &str) {
        self.line("32", "*", text);
    }

    /// Says what the user should know though it goes on.
    pub fn warn(&self, text: &str) {
        self.line("33", "warning:", text);
    }

    fn line(&self, colour: &str, mark: &str, text: &str) {
        match (self.lines, self.colour) {
            (false, _) => (),
            (true, true) => eprintln!("\x1b[{colour}m{mark}\x1b[0m {text}"),
            (true, false) => eprintln!("{mark} {text}"),
        }
    }

    /// An error if the user wants to stop.
    pub(crate) fn check(&self) -> Result<(), LabError> {
        match self.interrupted.load(Ordering::Relaxed) {
            true => Err(LabError::Interrupted),
            false => Ok(()),
        }
    }

    /// Runs a command to its end, or kills it when interrupted.
    pub(crate) fn interruptible(&self, command: &mut Command) -> Result<Output, LabError> {
        self.check()?;
        let program = std::path::PathBuf::from(command.get_program());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(LabError::io("run", &program))?;
        let stdout = reader(child.stdout.take());
        let stderr = reader(child.stderr.take());
        let status = loop {
            if let Some(status) = child.try_wait().map_err(LabError::io("wait for", &program))? {
                break status;
            }
            self.check().inspect_err(|_| end(&mut child))?;
            thread::sleep(POLL);
        };
        Ok(Output { status, stdout: collect(stdout), stderr: collect(stderr) })
    }
}

/// A program left in the background may hold the pipe open for ever; its output is then given up.
fn collect(reader: thread::JoinHandle<Vec<u8>>) -> Vec<u8> {
    let mut polls = 0..50;
    while !reader.is_finished() && polls.next().is_some() {
        thread::sleep(POLL);
    }
    if reader.is_finished() { reader.join().unwrap_or_default() } else { Vec::new() }
}

/// Ends a child and its own children: gently, so that they may clean up, and then surely.
fn end(child: &mut Child) {
    let group = Pid::from_raw(child.id().cast_signed());
    let _ = killpg(group, Signal::SIGTERM);
    wait_while(|| child.try_wait().is_ok_and(|status| status.is_none()));
    let _ = killpg(group, Signal::SIGKILL);
    let _ = child.wait();
    wait_while(|| killpg(group, None).is_ok());
}

/// For at most three seconds.
fn wait_while(mut condition: impl FnMut() -> bool) {
    let mut polls = 0..300;
    while condition() && polls.next().is_some() {
        thread::sleep(POLL);
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}
