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

    /// The index of an egress address, for what translates to it.
    pub(super) fn egress_index(&self, vrf: VrfId, address: IpAddr) -> Result<u32, EbpfError> {
        Err(EbpfError::NoEgressAddress { vrf, address })
    }

    /// The egress address of an index; `None` where there is none.
    pub(super) fn egress_address(&self, _index: u32) -> Result<Option<IpAddr>, EbpfError> {
        Ok(None)
    }

    pub(super) fn egress_policies(&self) -> Result<BTreeMap<(VrfId, String), EgressPolicy>, EbpfError> {
        Ok(BTreeMap::new())
    }
}
