//! `sixedge clear`: has the agent begin something anew.

use std::{net::IpAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use crate::control::{self, Request};

/// Resets what the running agent holds.
#[derive(Args)]
pub(crate) struct Clear {
    /// Socket of the agent.
    #[arg(long, global = true, value_name = "FILE", default_value = control::DEFAULT_PATH)]
    socket: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Ends the session with a neighbor (Cease, administrative reset); it comes up again by itself.
    Bgp {
        /// Address of the neighbor.
        neighbor: IpAddr,
    },
}

impl Clear {
    pub(crate) fn run(&self) -> ExitCode {
        let What::Bgp { neighbor } = self.what;
        match control::call(&self.socket, &Request::ClearBgp { neighbor }) {
            Ok(answer) => {
                println!("{}", answer.as_str().unwrap_or_default());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("sixedge clear: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
