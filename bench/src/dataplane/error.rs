//! Why there are no figures.

use crate::namespace::CommandError;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataplaneBenchError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("{0}")]
    Ebpf(Box<dyn std::error::Error + Send + Sync>),
    #[error("{0} is not there; is the kernel older than 5.18, or built without it?")]
    Missing(&'static str),
    #[error("{subject}: {delivered} of {sent} packets came out; {why}")]
    Lost { subject: String, sent: u64, delivered: u64, why: String },
    #[error("iperf3 printed no throughput: {0}")]
    Iperf(String),
}

impl DataplaneBenchError {
    pub(crate) fn ebpf(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Ebpf(error.into())
    }
}
