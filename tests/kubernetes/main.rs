//! A Kubernetes cluster of two nodes with the pods of two tenants: `containerlab/kubernetes.clab.yml`, with a real API server.
//! Needs root; skipped, and said so, where `make testapi` could not build the API server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/hosts.rs"]
mod hosts;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/wire.rs"]
mod wire;

mod cluster;
mod deletion;
mod outages;
mod pods;
mod tenants;
