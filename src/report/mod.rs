//! What the agent answers to `sixedge show`: one serde type per question, printed as JSON or as a table for people.
//!
//! The field names are the CLI's `--json` contract (docs/cli.md).

mod bgp;
mod dataplane;
mod egress;
mod filter;
mod flow;
mod service;
mod table;
#[cfg(test)]
mod tests;
mod vrf;

pub(crate) use bgp::{BgpRoute, BgpRoutes, BgpSummary, FamilyCounts, Neighbor, Neighbors};
pub(crate) use dataplane::{Counters, Drop, DroppedPacket, Drops, Sid, Sids, VrfCounters};
pub(crate) use egress::{Egress, EgressAddress, EgressPolicy};
pub(crate) use filter::{Filter, Filters, Rule};
pub(crate) use flow::{Flow, FlowKind, Flows};
pub(crate) use service::{Service, ServiceCounters, Services};
pub(crate) use vrf::{VrfRoutes, Vrfs};

/// A report that people read.
pub(crate) trait Render {
    /// The text, without a newline at the end.
    fn render(&self) -> String;
}
