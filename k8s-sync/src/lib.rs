//! Kubernetes in, intent out.
//!
//! [`api`] are our custom resources. [`world`] is what the API server says, as little of it as we need, in types of our own.
//! [`render`] is pure: the world, the node's name and its attachments in, the node's intent and what is wrong out.
//! [`attachments`] is the agent's side of the CNI plugin: pods' interfaces on this node, and their addresses.

#[allow(unreachable_pub, reason = "KubeSchema makes a type of its own of each")]
#[allow(clippy::duplicated_attributes, reason = "printer columns are all of one type")]
pub mod api;
pub mod attachments;
mod crds;
pub mod render;
pub mod world;

pub use crds::crds;
