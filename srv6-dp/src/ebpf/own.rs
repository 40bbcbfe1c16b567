//! VIPs and egress addresses by themselves, beside their routes in the tries.

use std::{collections::BTreeMap, path::Path};

use aya::maps::MapData;
use ipnet::IpNet;
use srv6_types::{VrfId, maps::HostKey};

use super::{bulk::Bulk, codec, error::EbpfError, maps::Spec};

type Route = (VrfId, IpNet);

/// The index of each one's next hop.
pub(super) struct Own {
    map: Bulk<HostKey, u32>,
    held: BTreeMap<Route, u32>,
}

impl Own {
    pub(super) fn open(pin: &Path, spec: Spec) -> Result<Self, EbpfError> {
        let map = MapData::from_pin(pin).map_err(|source| spec.error(source))?;
        let map: Bulk<HostKey, u32> = Bulk::new(map, spec);
        let mut held = BTreeMap::new();
        for entry in map.read() {
            let (key, index) = entry?;
            if let Some((vrf, address)) = codec::decode_host_key(&key) {
                held.insert((vrf, IpNet::from(address)), index);
            }
        }
        Ok(Self { map, held })
    }

    /// Makes the table of `wanted`, whatever a process before this one left half done.
    pub(super) fn adopt(&mut self, wanted: &BTreeMap<Route, u32>) -> Result<(), EbpfError> {
        let stale: Vec<Route> =
            self.held.keys().filter(|route| !wanted.contains_key(route)).copied().collect();
        self.remove(&stale)?;
        self.set(&wanted.iter().map(|(route, index)| (*route, *index)).collect::<Vec<_>>())
    }

    /// After the routes are set.
    pub(super) fn set(&mut self, routes: &[(Route, u32)]) -> Result<(), EbpfError> {
        let new: Vec<_> =
            routes.iter().filter(|(route, index)| self.held.get(route) != Some(index)).collect();
        let keys: Vec<_> = new.iter().map(|((vrf, net), _)| codec::host_key((*vrf, net.addr()))).collect();
        let indices: Vec<_> = new.iter().map(|(_, index)| *index).collect();
        let written = self.map.write(&keys, &indices);
        let done = written.as_ref().map_or_else(|(done, _)| *done, |()| new.len());
        self.held.extend(new.into_iter().take(done).copied());
        written.map_err(|(_, error)| error)
    }

    /// Before the routes are removed; those that are not here are passed over.
    pub(super) fn remove(&mut self, routes: &[Route]) -> Result<(), EbpfError> {
        for route @ (vrf, net) in routes {
            if self.held.contains_key(route) {
                self.map.remove(&codec::host_key((*vrf, net.addr())))?;
                self.held.remove(route);
            }
        }
        Ok(())
    }
}
