//! Loads a BGP speaker with routes through one session and times until another session holds every one of them.
//!
//! The speaker under test is a route reflector of AS 65000 for both sessions. What arrives is accounted per route, so a
//! figure stands for a table that was really there.

mod measure;
mod process;
mod routes;
mod session;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::Parser;

/// Options.
#[derive(Parser)]
struct Options {
    /// The speaker under test.
    #[arg(long)]
    target: SocketAddr,
    /// Address that the sending session comes from.
    #[arg(long)]
    sender: std::net::IpAddr,
    /// Address that the receiving session comes from.
    #[arg(long)]
    receiver: std::net::IpAddr,
    /// Tables to load, as FAMILY=COUNT; several are loaded together.
    #[arg(long, required = true)]
    routes: Vec<routes::Load>,
    /// Routes that share one attribute set.
    #[arg(long, default_value_t = 10)]
    per_set: usize,
    /// Process under test, for its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 120)]
    timeout: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match measure::run(&options, Duration::from_secs(options.timeout)) {
        Ok(figures) => {
            println!("{}", serde_json::json!(figures));
            if figures.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
