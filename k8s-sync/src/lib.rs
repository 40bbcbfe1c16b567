//! Kubernetes in, intent out.
//!
//! [`api`] are our custom resources. [`world`] is what the API server says, as little of it as we need, in types of our own;
//! [`watch`] follows it, and [`snapshot`] keeps it on disk for a start without it.
//! [`render`] is pure: the world, the node's name and its attachments in, the node's intent and what is wrong out.
//! [`attachments`] is the agent's side of the CNI plugin: pods' interfaces on this node, and their addresses.
//! [`controller`] is elected: it allots locators and tells authors of objects what became of them. [`status`] is what a node's agent tells.

#[allow(unreachable_pub, reason = "KubeSchema makes a type of its own of each")]
#[allow(clippy::duplicated_attributes, reason = "a printer column each")]
pub mod api;
pub mod attachments;
mod connect;
pub mod controller;
mod crds;
pub mod render;
pub mod snapshot;
pub mod status;
mod version;
pub mod watch;
pub mod world;

pub use kube::Client;

pub use connect::{ConnectError, connect};
pub use crds::crds;
