//! Egress addresses of two tenants with the same pods, the same egress addresses and the same outside:
//! `containerlab/egress.clab.yml`. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/hosts.rs"]
mod hosts;
#[path = "../support/packet.rs"]
mod packet;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/wire.rs"]
mod wire;

mod gateways;
mod net;
mod ports;
mod sources;
