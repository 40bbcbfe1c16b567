//! Subcommands and what they call.
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lab::{LabError, Progress, Running, Signal, UpOptions, image, internal};

use crate::table;

/// Runs containerlab topologies in network namespaces on this machine, with no container engine.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args)]
struct Target {
    /// Topology file (containerlab's format)
    file: PathBuf,
    /// Lab name in place of the one in the file
    #[arg(long)]
    name: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring a lab up
    Up(Target),
    /// Take a lab down, also after a crash or a change of the file
    Down(Target),
    /// Run a command in a node; its exit status is ours
    Exec {
        #[command(flatten)]
        target: Target,
        /// Name of the node
        node: String,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Show nodes, programs, interfaces and addresses
    Inspect {
        #[command(flatten)]
        target: Target,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Start a node's main program again after it ended
    Start {
        #[command(flatten)]
        target: Target,
        /// Name of the node
        node: String,
    },
    /// Send a signal to a node's main program; the node itself stays
    Kill {
        #[command(flatten)]
        target: Target,
        /// Name of the node
        node: String,
        /// KILL, TERM, HUP, ...
        #[arg(long, default_value = "KILL")]
        signal: String,
    },
    /// Print what a node's main program wrote
    Logs {
        #[command(flatten)]
        target: Target,
        /// Name of the node
        node: String,
    },
    /// Manage what stands in for container images
    Image {
        #[command(subcommand)]
        verb: ImageVerb,
    },
    #[command(hide = true)]
    InternalNode { dir: PathBuf },
    #[command(hide = true)]
    InternalInit { dir: PathBuf },
    #[command(hide = true)]
    InternalEnter {
        dir: PathBuf,
        #[arg(last = true)]
        command: Vec<String>,
    },
    #[command(hide = true)]
    InternalJoin {
        init: u32,
        dir: PathBuf,
        #[arg(last = true)]
        command: Vec<String>,
    },
}

#[derive(Subcommand)]
enum ImageVerb {
    /// Fetch an image's root file system now (frr:10.3); `up` does it on first use
    Pull {
        /// Image name as in a topology
        image: String,
    },
}

impl Target {
    fn find(&self) -> Result<Running, LabError> {
        Running::find(&self.file, self.name.as_deref())
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, LabError> {
    match arguments.verb {
        Verb::Up(target) => up(target)?,
        Verb::Down(target) => target.find()?.down(&Progress::terminal())?,
        Verb::Exec { target, node, command } => return exec(&target, &node, &command),
        Verb::Inspect { target, json } => inspect(&target, json)?,
        Verb::Start { target, node } => target.find()?.try_node(&node)?.start_main()?,
        Verb::Kill { target, node, signal } => {
            target.find()?.try_node(&node)?.kill_main(parse_signal(&signal)?)?
        }
        Verb::Logs { target, node } => print(&target.find()?.try_node(&node)?.logs())?,
        Verb::Image { verb: ImageVerb::Pull { image } } => pull(&image)?,
        Verb::InternalNode { dir } => internal::create_node(&dir)?,
        Verb::InternalInit { dir } => internal::init(&dir)?,
        Verb::InternalEnter { dir, command } => return internal::enter(&dir, &command).map(exit_code),
        Verb::InternalJoin { init, dir, command } => internal::join(init, &dir, &command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn up(target: Target) -> Result<(), LabError> {
    let progress = Progress::terminal();
    let lab = Running::up(&target.file, UpOptions::named(target.name), &progress)?;
    progress.step(&format!("lab {} is up", lab.name()));
    Ok(())
}

/// Becomes the entering process itself, so that signals and the exit status need no relay here.
fn exec(target: &Target, node: &str, command: &[String]) -> Result<ExitCode, LabError> {
    let lab = target.find()?;
    internal::enter(&lab.try_node(node)?.dir(), command).map(exit_code)
}

fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}

fn inspect(target: &Target, json: bool) -> Result<(), LabError> {
    let nodes = target.find()?.inspect()?;
    match json {
        false => print(&table::nodes(&nodes)),
        true => {
            let text = serde_json::to_string_pretty(&nodes).map_err(io::Error::from);
            print(&(text.map_err(output_error)? + "\n"))
        }
    }
}

fn parse_signal(name: &str) -> Result<Signal, LabError> {
    let upper = name.to_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    full.parse().map_err(|_| LabError::Topology {
        place: "--signal".into(),
        problem: format!("{name} is not a signal; write a name like KILL, TERM or HUP"),
    })
}

fn pull(image: &str) -> Result<(), LabError> {
    let root = image::pull(image, &Progress::terminal())?;
    print(&format!("{image}: {}\n", root.display()))
}

fn print(text: &str) -> Result<(), LabError> {
    match io::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough, as in `lab logs ... | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(output_error),
    }
}

fn output_error(source: io::Error) -> LabError {
    LabError::Io { action: "write to", path: "standard output".into(), source }
}
