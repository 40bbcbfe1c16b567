//! The plugin, called as a container runtime calls it: environment, stdin, real network namespaces, an agent at the socket.
//!
//! Needs root. Plugins in front are Debian's (containernetworking-plugins).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod chained;
mod commands;
mod hostile;
mod install;
mod standalone;
mod support;
