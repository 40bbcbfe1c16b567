//! Figures against others that do the same: speakers, dataplanes and tables, each in turn in one run on one machine.
//! `make bench` runs all of it.

mod dataplane;
mod folder;
mod kubernetes;
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
    /// Services beside netfilter's DNAT, with 1 to 10,000 of them.
    Services(dataplane::Options),
    /// Flow tables beside netfilter's conntrack, with 1 and 100,000 flows.
    Flows(dataplane::Options),
    /// Egress addresses beside netfilter's source NAT.
    Egress(dataplane::Options),
    /// Filters beside netfilter's chains and sets, with 1 to 10,000 rules.
    Filters(dataplane::Options),
    /// From everything that Kubernetes says to what one node is to do.
    Kubernetes(kubernetes::Options),
    /// TCP through two provider edges.
    Tcp(dataplane::tcp::Options),
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
    let on_one_core = |contest, options: &_| Ok(dataplane::on_one_core(contest, options, &Folder::new()?)?);
    match command {
        Command::Load(options) => {
            let figures = load::run(&options)?;
            println!("{}", serde_json::json!(figures));
            if figures.complete() { Ok(()) } else { Err("the table did not come through completely".into()) }
        }
        Command::Speaker(options) => Ok(speaker::run(&options, &Folder::new()?)?),
        Command::Dataplane(options) => on_one_core(dataplane::subjects::run, &options),
        Command::Fib(options) => on_one_core(dataplane::fib::run, &options),
        Command::Services(options) => on_one_core(dataplane::services::run, &options),
        Command::Flows(options) => on_one_core(dataplane::flows::run, &options),
        Command::Egress(options) => on_one_core(dataplane::egress::run, &options),
        Command::Filters(options) => on_one_core(dataplane::filters::run, &options),
        Command::Kubernetes(options) => kubernetes::run(&options),
        Command::Tcp(options) => Ok(dataplane::tcp::run(&options, &Folder::new()?)?),
    }
}
