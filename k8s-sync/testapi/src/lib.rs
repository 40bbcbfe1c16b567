//! A Kubernetes API server of their own for tests, from `build.sh` beside this crate; see its `main.go` for what it is and is not.
//!
//! Tests that would do with any cluster ask [`Cluster::find`]: where `KUBECONFIG` is set, that is the cluster it names. Those that
//! stop the server or read its audit log start an [`ApiServer`]. Where neither is to be had they are told why, on stderr, and skip.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod audit;
mod cluster;
mod server;

pub use audit::Request;
pub use cluster::{Cluster, install};
pub use server::{ADMIN, ApiServer, Options, kubectl};
