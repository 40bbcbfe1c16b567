//! What a packet costs, in nanoseconds of CPU on one core: our programs beside the kernel's seg6, its plain forwarding and
//! the bare redirect, and our services, egress addresses and filters beside netfilter, in turn.

mod contest;
mod device;
pub(crate) mod egress;
mod error;
pub(crate) mod fib;
pub(crate) mod filters;
pub(crate) mod flows;
mod frames;
mod generator;
mod grid;
mod netfilter;
pub(crate) mod services;
mod sites;
pub(crate) mod subjects;
mod tables;
pub(crate) mod tcp;

pub(crate) use error::DataplaneBenchError;

use crate::folder::Folder;

/// Options.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each subject is measured.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Packets of one measurement.
    #[arg(long, default_value_t = 500_000)]
    packets: u32,
}

impl Options {
    /// For packets that cost much more; enough for one to every size of everything.
    fn fewer(&self) -> Self {
        Self { packets: (self.packets / 10).max(20_000), ..self.clone() }
    }
}

/// Runs a contest whose subjects share one core.
pub(crate) fn on_one_core(
    contest: fn(&Options, &Folder) -> Result<(), DataplaneBenchError>,
    options: &Options,
    folder: &Folder,
) -> Result<(), DataplaneBenchError> {
    generator::pin()?;
    contest(options, folder)
}
