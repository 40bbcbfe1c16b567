//! What a tenant must not notice: agents that die, come back, or are told to be something else. Needs root and Debian's
//! frr and iperf3; `cargo build -p lab` first.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails at that place")]

mod agent_restart;
mod circuits;
mod config;
mod flood;
mod many_tenants;
mod net;
mod reload;
