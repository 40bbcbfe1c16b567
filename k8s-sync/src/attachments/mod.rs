//! Pods' interfaces on this node: which there are, whose addresses are given to whom, and what the CNI plugin is answered.
//!
//! [`decide`] is the whole of it, and does nothing but change [`Attachments`], which are on disk before it returns. The agent's
//! node task does what the [`Step`] says; [`Server`] brings it the plugin's questions. Before the first one it must
//! [`Attachments::sweep`]: what a DEL without an agent has left would stand in the way.

mod decide;
mod folder;
mod ipam;
mod membership;
mod refusal;
mod server;
mod store;
#[cfg(test)]
mod tests;

pub use decide::{Circuit, Readiness, Seen, Step, decide, not_held};
pub use ipam::gateway;
pub use server::{BindError, Question, Server};
pub use store::{Attachments, Loaded, Reserved, StoreError};
