//! One BGP speaker under load: a table goes in through one session and is timed until another session holds every
//! route of it, then the same for its withdrawal.
//!
//! The speaker is a route reflector of AS 65000 for both sessions. What arrives is accounted per route, so a figure
//! stands for a table that was really there.

mod measure;
pub(crate) mod process;
mod routes;
mod session;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

pub(crate) use measure::Figures;
pub(crate) use routes::Load;
pub(crate) use session::SessionError;

/// What is loaded, and into whom.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The speaker under test.
    #[arg(long)]
    pub(crate) target: SocketAddr,
    /// Address that the sending session comes from.
    #[arg(long)]
    pub(crate) sender: IpAddr,
    /// Address that the receiving session comes from.
    #[arg(long)]
    pub(crate) receiver: IpAddr,
    /// Tables to load, as FAMILY=COUNT; several are loaded together.
    #[arg(long, required = true)]
    pub(crate) routes: Vec<Load>,
    /// Routes that share one attribute set.
    #[arg(long, default_value_t = 10)]
    pub(crate) per_set: usize,
    /// Process under test, for its CPU time and memory.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Give up after so many seconds without the whole table.
    #[arg(long, default_value_t = 120)]
    pub(crate) timeout: u64,
}

/// Loads the tables and withdraws them again.
pub(crate) fn run(options: &Options) -> Result<Figures, SessionError> {
    measure::run(options, Duration::from_secs(options.timeout))
}
