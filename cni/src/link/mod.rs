//! The kernel's interfaces, addresses and routes, in the node's network namespace and in containers'.

mod address;
mod interface;
mod netns;
mod route;
mod veth;

use std::{io, path::PathBuf};

use rtnetlink::Handle;
use tokio::runtime::Runtime;

pub(crate) use self::{interface::Interface, netns::Netns, route::Hop, veth::Veth};

/// What the kernel did not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("CNI_NETNS: {}: {problem}; it must be the path of the container's network namespace", path.display())]
    Netns { path: PathBuf, problem: String },
    #[error("cannot ask the kernel for interfaces: {0}")]
    Socket(#[from] io::Error),
    #[error("{what}: {source}")]
    Refused {
        what: String,
        #[source]
        source: Box<rtnetlink::Error>,
    },
    #[error("there is no interface {0} in the container; the plugin in front must make it")]
    NoInterface(String),
    #[error(
        "{0} is not one end of a veth pair whose other end is on the node; sixedge-cni goes behind plugins that make one (ptp, bridge, Calico, Cilium)"
    )]
    NoVeth(String),
}

impl LinkError {
    fn refused(what: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> Self {
        move |source| Self::Refused { what: what.into(), source: Box::new(source) }
    }
}

/// One network namespace's interfaces.
pub(crate) struct Links {
    /// Drives the socket, whose requests it waits for.
    runtime: Runtime,
    handle: Handle,
}

impl Links {
    /// Of the node: the network namespace that the runtime calls the plugin in.
    pub(crate) fn of_node() -> Result<Self, LinkError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = {
            let _within = runtime.enter();
            let (connection, handle, _) = rtnetlink::new_connection()?;
            tokio::spawn(connection);
            handle
        };
        Ok(Self { runtime, handle })
    }

    /// Of a container: a socket stays in the network namespace that it was opened in.
    pub(crate) fn of_container(netns: &Netns) -> Result<Self, LinkError> {
        netns.inside(Self::of_node)?
    }
}
