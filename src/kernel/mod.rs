//! The kernel's routing netlink: which interfaces there are, the underlay routes that this agent installs, and the
//! policy rules that keep outsiders out of the SRv6 domain.
//!
//! The only netlink client of the agent. Tenants' routes never come here: they live in the dataplane's maps.

mod links;
mod routes;
mod rules;

pub(crate) use routes::{KernelRoute, Origin};
use rtnetlink::Handle;
use tokio::sync::mpsc;

/// A netlink request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KernelError {
    /// The socket could not be opened.
    #[error("cannot open a netlink socket: {0}")]
    Socket(#[from] std::io::Error),
    /// The kernel refused.
    #[error("{what}: {source}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The kernel's answer.
        #[source]
        source: Box<rtnetlink::Error>,
    },
}

impl KernelError {
    fn refused(what: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> Self {
        move |source| Self::Refused { what: what.into(), source: Box::new(source) }
    }
}

/// The agent's connection to the kernel.
#[derive(Clone)]
pub(crate) struct Kernel {
    handle: Handle,
}

impl Kernel {
    /// Opens the socket; its driver runs as a task for as long as the process does.
    pub(crate) fn connect() -> Result<Self, KernelError> {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// Tells, without saying what, that an interface, an address or a route has changed. A burst is one message.
    pub(crate) fn watch() -> Result<mpsc::Receiver<()>, KernelError> {
        links::watch()
    }
}
