//! The numbers that were allotted to VRFs: in memory, in the state file, and, when that is lost, in the dataplane.

use srv6_dp::State;
use tracing::warn;
use vrf_manager::{Allocations, Links, intent::Intent};

use super::state_file::{StateFile, StateFileError};

/// Numbers are written down before anything uses them.
pub(super) struct Numbers {
    file: StateFile,
    allocations: Allocations,
}

impl Numbers {
    /// Those of the state file; without one, those that the dataplane tells of.
    pub(super) fn start(
        file: StateFile,
        intent: &Intent,
        links: &Links,
        observed: &State,
    ) -> Result<Self, StateFileError> {
        let adopted = || {
            let mut allocations = Allocations::default();
            allocations.adopt(intent, links, observed);
            allocations
        };
        let allocations = file.read()?.unwrap_or_else(adopted);
        let mut numbers = Self { file, allocations };
        numbers.settle(intent)?;
        Ok(numbers)
    }

    /// Gives what `intent` needs a number to, and keeps the others'. What cannot be written is not used.
    pub(super) fn settle(&mut self, intent: &Intent) -> Result<(), StateFileError> {
        // The file is not read again: it may be gone, but who runs keeps his numbers.
        let mut allocations = self.allocations.clone();
        for error in allocations.settle(intent) {
            warn!("{error}");
        }
        self.file.write(&allocations)?;
        self.allocations = allocations;
        Ok(())
    }

    pub(super) const fn allocations(&self) -> &Allocations {
        &self.allocations
    }
}
