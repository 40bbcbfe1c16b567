//! What long-running verbs log: to stderr, from `info` on, or what `SIXEDGE_LOG` says.

use std::io::IsTerminal;

use k8s_sync::watch::LOG_FILTER;
use tracing_subscriber::EnvFilter;

pub(crate) fn init() {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("SIXEDGE_LOG")
                .unwrap_or_else(|_| EnvFilter::new(format!("info,{LOG_FILTER}"))),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
