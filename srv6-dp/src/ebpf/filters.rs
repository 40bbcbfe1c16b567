//! Filters: rules, and the lookups that they are compiled to.

use std::collections::BTreeMap;

use super::{EbpfDataplane, error::EbpfError};
use crate::model::{Change, Filter, FilterId};

impl EbpfDataplane {
    pub(super) fn change_filters(&mut self, _change: &Change) -> Result<(), EbpfError> {
        Ok(())
    }

    pub(super) fn filters(&self) -> Result<BTreeMap<FilterId, Filter>, EbpfError> {
        Ok(BTreeMap::new())
    }
}
