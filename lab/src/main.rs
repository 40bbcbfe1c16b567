//! `lab`: containerlab topologies in network namespaces. See `docs/lab.md`.
mod cli;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let result = cli::run(cli::Arguments::parse());
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
