//! `sixedge ready`: a readiness probe for where there is no shell.

use std::{path::PathBuf, process::ExitCode};

use crate::control::{self, Request};

/// Ends with success while the node serves: the dataplane verified, and BGP up where it has peers.
#[derive(clap::Args)]
pub(crate) struct Ready {
    /// Socket of the agent.
    #[arg(long, value_name = "FILE", default_value = control::DEFAULT_PATH)]
    socket: PathBuf,
}

impl Ready {
    pub(crate) fn run(&self) -> ExitCode {
        match control::call(&self.socket, &Request::Ready) {
            Ok(_) => {
                println!("ready");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("sixedge ready: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
