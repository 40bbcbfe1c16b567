//! Egress addresses and policies.

use std::{collections::BTreeMap, net::IpAddr};

use srv6_types::VrfId;

use super::{EbpfDataplane, error::EbpfError};
use crate::model::{Change, EgressAddress, EgressPolicy};

impl EbpfDataplane {
    pub(super) fn change_egress(&mut self, _change: &Change) -> Result<(), EbpfError> {
        Ok(())
    }

    pub(super) fn egress_addresses(&self) -> Result<BTreeMap<(VrfId, IpAddr), EgressAddress>, EbpfError> {
        Ok(BTreeMap::new())
    }

    pub(super) fn egress_policies(&self) -> Result<BTreeMap<(VrfId, String), EgressPolicy>, EbpfError> {
        Ok(BTreeMap::new())
    }
}
