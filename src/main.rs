//! sixedge: one program that turns a Linux or Kubernetes node into an SRv6 L3VPN provider edge.

mod check;
mod config;
#[allow(dead_code, unused_imports, reason = "the agent and the verbs of the CLI that ask it come next")]
mod control;
mod kernel;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Turns a Linux or Kubernetes node into an SRv6 L3VPN provider edge.
#[derive(Parser)]
#[command(name = "sixedge", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    /// Prints the version.
    Version,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(check) => check.run(),
        Command::Version => {
            println!("sixedge {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
    }
}
