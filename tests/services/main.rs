//! Services of two tenants with the same clients, the same VIPs and the same backends: `containerlab/services.clab.yml`.
//! Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/hosts.rs"]
mod hosts;
#[path = "../support/packet.rs"]
mod packet;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/wire.rs"]
mod wire;

mod backends;
mod filters;
mod hostile;
mod net;
mod restart;
mod vips;
