//! Figures against others that do the same: speakers, dataplanes and tables, each in turn in one run on one machine.
//! `make bench` runs all of it.

mod dataplane;
mod folder;
mod load;
mod namespace;
mod speaker;
mod statistics;

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};
use folder::Folder;

/// Measures sixedge beside BIRD, FRR and the kernel.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Loads one BGP speaker that runs already, and prints its figures as JSON.
    Load(load::Options),
    /// Our speaker beside BIRD and FRR.
    Speaker(speaker::Options),
    /// Our programs beside the kernel: encapsulation and decapsulation of one route.
    Dataplane(dataplane::Options),
    /// The same with many routes, and how long they take to load.
    Fib(dataplane::Options),
    /// TCP through two provider edges.
    Tcp(dataplane::TcpOptions),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Load(options) => {
            let figures = load::run(&options)?;
            println!("{}", serde_json::json!(figures));
            if figures.complete() { Ok(()) } else { Err("the table did not come through completely".into()) }
        }
        Command::Speaker(options) => Ok(speaker::run(&options, &Folder::new()?)?),
        Command::Dataplane(options) => Ok(dataplane::run(&options, &Folder::new()?)?),
        Command::Fib(options) => Ok(dataplane::run_fib(&options, &Folder::new()?)?),
        Command::Tcp(options) => Ok(dataplane::run_tcp(&options, &Folder::new()?)?),
    }
}
