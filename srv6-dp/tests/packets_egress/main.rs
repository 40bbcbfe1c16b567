//! Packets of hosts under egress addresses, as tables: what goes out, what comes back, and what is refused. Needs root.
#![allow(missing_docs, unreachable_pub, reason = "no interface")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bijection;
mod cost;
mod gateways;
mod lab;
mod mappings;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod ways;
