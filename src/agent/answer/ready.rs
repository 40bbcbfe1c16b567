//! Whether the node serves: what a readiness probe asks.

use super::Refusal;
use crate::agent::{chain, node::Node};

impl Node {
    /// The dataplane is as it should be, and a peer is there where one is configured. Else what is missing.
    pub(super) async fn ready(&mut self) -> Result<&'static str, Refusal> {
        if !self.in_step() {
            return Err("the dataplane does not hold all that it should; see the agent's log".to_owned());
        }
        let faults = self.faults().map_err(|error| chain(&error))?;
        if let Some(fault) = faults.first() {
            return Err(format!("the dataplane is not as this version would have it: {fault}"));
        }
        let neighbors = self.neighbors().await?;
        let down = neighbors.iter().all(|neighbor| neighbor.state != "Established");
        if down && !neighbors.is_empty() {
            return Err("no BGP session is established; see sixedge show bgp summary".to_owned());
        }
        Ok("ready")
    }
}
