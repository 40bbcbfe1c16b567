//! sixedge: one program that turns a Linux or Kubernetes node into an SRv6 L3VPN provider edge.

mod agent;
mod check;
mod cleanup;
mod clear;
mod config;
mod control;
mod controller;
mod crds;
mod decode;
mod kernel;
mod logs;
mod ready;
mod report;
mod show;

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
    Agent(agent::Agent),
    Controller(controller::Controller),
    Show(show::Show),
    Check(check::Check),
    Ready(ready::Ready),
    Clear(clear::Clear),
    Cleanup(cleanup::Cleanup),
    Decode(decode::Decode),
    Crds(crds::Crds),
    /// Prints the version.
    Version,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Agent(agent) => agent.run(),
        Command::Controller(controller) => controller.run(),
        Command::Show(show) => show.run(),
        Command::Check(check) => check.run(),
        Command::Ready(ready) => ready.run(),
        Command::Clear(clear) => clear.run(),
        Command::Cleanup(cleanup) => cleanup.run(),
        Command::Decode(decode) => decode.run(),
        Command::Crds(crds) => crds.run(),
        Command::Version => {
            println!("sixedge {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
    }
}
