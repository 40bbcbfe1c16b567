//! Services: their Maglev tables, their backends and their counters.

use std::collections::BTreeMap;

use super::{EbpfDataplane, error::EbpfError};
use crate::model::{Change, Service, ServiceId};

impl EbpfDataplane {
    /// Services that are set or removed.
    pub(super) fn change_services(&mut self, _changes: &[Change]) -> Result<(), EbpfError> {
        Ok(())
    }

    pub(super) fn services(&self) -> Result<BTreeMap<ServiceId, Service>, EbpfError> {
        Ok(BTreeMap::new())
    }
}
