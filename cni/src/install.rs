//! Verbs for people, and for the container that brings the plugin to a node: there is no shell beside it.

mod chain;
mod place;

use std::{io, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// The CNI plugin of sixedge: container runtimes call it, with CNI_COMMAND in the environment and no arguments.
#[derive(Parser)]
#[command(name = "sixedge-cni", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Copies this program to where the runtime looks for plugins, in one step.
    Install {
        /// Folder, as /opt/cni/bin.
        folder: PathBuf,
        /// Also put sixedge-cni behind the plugins of this network configuration list, once.
        #[arg(long, value_name = "CONFLIST")]
        chain_into: Option<PathBuf>,
    },
    /// Takes back what install did; no error where it did nothing.
    Uninstall {
        /// Folder, as /opt/cni/bin.
        folder: PathBuf,
        /// Also take sixedge-cni out of this network configuration list.
        #[arg(long, value_name = "CONFLIST")]
        chain_into: Option<PathBuf>,
    },
}

/// What could not be put where it belongs.
#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("{}: {source}; the folder must be there, and be written by whoever runs this", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}: {problem}", path.display())]
    Conflist { path: PathBuf, problem: String },
}

/// Does what the arguments say.
pub(crate) fn run() -> ExitCode {
    // The plugin in place before it is called, and called no more before it goes.
    let done = match Arguments::parse().verb {
        Verb::Install { folder, chain_into } => {
            place::install(&folder).and_then(|()| chain_into.as_deref().map_or(Ok(()), chain::into))
        }
        Verb::Uninstall { folder, chain_into } => {
            chain_into.as_deref().map_or(Ok(()), chain::out_of).and_then(|()| place::uninstall(&folder))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sixedge-cni: {error}");
            ExitCode::FAILURE
        }
    }
}
