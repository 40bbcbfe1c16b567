//! The CNI plugin `sixedge-cni` (specification 1.1.0), and what it and the agent of the node say to each other.

pub mod protocol;
