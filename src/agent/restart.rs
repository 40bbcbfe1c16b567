//! What peers are told of our start.

use std::collections::BTreeSet;

use bgp_core::config::SpeakerConfig;
use srv6_dp::{
    EbpfDataplane,
    ebpf::{Fault, Opened},
    model::IfIndex,
};
use tracing::warn;

use super::AgentError;

/// RFC 4724 section 3.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restart {
    pub(super) restarted: bool,
    forwarding_kept: bool,
}

impl Restart {
    /// We have restarted where an earlier life left its maps; forwarding was kept only where they are verified.
    pub(super) fn found(dataplane: &mut EbpfDataplane, core: &BTreeSet<IfIndex>) -> Result<Self, AgentError> {
        let faults = match dataplane.opened() {
            Opened::Fresh => return Ok(Self::default()),
            Opened::Adopted | Opened::Staged { .. } => dataplane.verify(core)?,
        };
        // Maps of another layout forward by the old programs until ours are filled and put in force.
        let kept = faults.iter().all(|fault| matches!(fault, Fault::Staged));
        for fault in &faults {
            warn!(%fault, "the pinned dataplane is not as this version would have it");
        }
        Ok(Self { restarted: true, forwarding_kept: kept })
    }

    pub(super) fn tell(self, speaker: &mut SpeakerConfig) {
        if let Some(graceful) = &mut speaker.graceful_restart {
            graceful.restarted = self.restarted;
            graceful.forwarding_kept = self.forwarding_kept;
        }
    }
}
