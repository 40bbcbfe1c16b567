//! What a packet costs, in nanoseconds of CPU on one core: our programs beside the kernel's seg6, its plain forwarding and
//! the bare redirect, in turn.

mod contest;
mod device;
mod error;
mod fib;
mod frames;
mod generator;
mod subjects;
mod tables;
mod tcp;

pub(crate) use error::DataplaneBenchError;
pub(crate) use tcp::Options as TcpOptions;

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

/// One route: encapsulation and decapsulation.
pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), DataplaneBenchError> {
    generator::pin()?;
    subjects::run(options, folder)
}

/// Many routes.
pub(crate) fn run_fib(options: &Options, folder: &Folder) -> Result<(), DataplaneBenchError> {
    generator::pin()?;
    fib::run(options, folder)
}

/// TCP with segmentation offload; on all cores.
pub(crate) fn run_tcp(options: &TcpOptions, folder: &Folder) -> Result<(), DataplaneBenchError> {
    tcp::run(options, folder)
}
