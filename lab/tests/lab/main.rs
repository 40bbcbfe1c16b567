//! Labs for real: namespaces, links, FRR. Needs root, iproute2 and FRR.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails at that place")]
mod common;
mod frr;
mod l3vpn;
mod lifecycle;
mod nodes;
