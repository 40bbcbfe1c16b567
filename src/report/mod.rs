//! What the agent answers to `sixedge show`: one serde type per question, printed as JSON or as a table for people.
//!
//! The field names are the CLI's `--json` contract (docs/cli.md).

mod bgp;
mod dataplane;
mod table;
mod vrf;

pub(crate) use bgp::{BgpRoute, BgpRoutes, BgpSummary, FamilyCounts, Neighbor, Neighbors};
pub(crate) use dataplane::{Counters, Drop, DroppedPacket, Drops, Sid, Sids, VrfCounters};
pub(crate) use vrf::{VrfRoutes, Vrfs};

/// A report that people read.
pub(crate) trait Render {
    /// The text, without a newline at the end.
    fn render(&self) -> String;
}
