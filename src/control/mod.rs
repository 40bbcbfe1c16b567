//! How the CLI asks the running agent: JSON, one line each way, over a Unix stream socket.
//!
//! The agent binds a [`Server`]; the verbs of the CLI [`call`] it. The words on the wire are those of `docs/cli.md`.

mod client;
mod request;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    client::{CallError, call},
    request::{Request, Response},
    server::{BindError, Server},
};

/// Where the agent listens unless it is told otherwise.
pub(crate) const DEFAULT_PATH: &str = "/run/sixedge/sixedge.sock";
