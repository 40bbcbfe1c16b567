//! Services: where their backends are, the routes of the VIPs, and whether these are advertised.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use srv6_dp::model::{Backend as BackendEntry, NextHop, Reach, Service as ServiceEntry, ServiceId, SidRole};
use srv6_types::VrfId;

use super::{Advertised, CircuitState, Desired, PlannedRoute, PlannedVrf, Problem, RouteSource, Withheld};
use crate::intent::{Backend, BackendState, Service, TrafficPolicy, Vrf};

/// A service as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedService {
    /// As it is wanted.
    pub wanted: Service,
    /// How its backends are reached, in their order.
    pub reach: Vec<Result<Reach, NoWay>>,
    /// Its VIPs, and with what each is advertised.
    pub vips: BTreeMap<IpAddr, Advertised>,
}

/// Why no packet can get to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// It is in the subnet of a circuit that is not up.
    #[error("its circuit is not up")]
    Circuit,
    /// Its route leads to this node itself, or drops.
    #[error("its route leads to no host")]
    NoHost,
    /// It is remote, and clients are to be translated to an address of its family, but there is none.
    #[error("translateTo has no address of its family")]
    NoTranslation,
}

/// VIPs are routed whether they have a backend or not: clients are told that there is none.
pub(super) fn add_routes(vrf: &Vrf, planned: &mut PlannedVrf) {
    for vip in vrf.services.iter().flat_map(|service| &service.addresses) {
        let route = PlannedRoute { source: RouteSource::Service, next_hop: NextHop::Service };
        planned.routes.entry(IpNet::from(*vip)).or_insert(route);
    }
}

/// All other routes of the VRF are planned.
pub(super) fn plan(vrf: &Vrf, id: VrfId, planned: &mut PlannedVrf, desired: &mut Desired) {
    let ways = Ways::new(planned);
    let services: Vec<_> = vrf
        .services
        .iter()
        .map(|service| {
            let reach = service.backends.iter().map(|backend| ways.reach(backend, service)).collect();
            PlannedService { wanted: service.clone(), reach, vips: BTreeMap::new() }
        })
        .collect();
    for mut service in services {
        desired.problems.extend(service.problems(&planned.name));
        desired.dataplane.services.extend(service.entries(id));
        let vips = service.wanted.addresses.iter();
        service.vips = vips.map(|vip| (*vip, service.advertised(*vip, planned))).collect();
        planned.services.push(service);
    }
}

impl PlannedService {
    /// Backends that take packets to a VIP.
    fn backends_of(&self, vip: IpAddr) -> impl Iterator<Item = (&Backend, Reach)> {
        let reached = self.wanted.backends.iter().zip(&self.reach);
        let there = reached.filter_map(|(backend, reach)| Some((backend, (*reach).ok()?)));
        there.filter(move |(backend, _)| {
            backend.address.is_ipv4() == vip.is_ipv4() && backend.state != BackendState::Down
        })
    }

    fn entries(&self, vrf: VrfId) -> impl Iterator<Item = (ServiceId, ServiceEntry)> {
        let Service { addresses, ports, .. } = &self.wanted;
        addresses.iter().flat_map(move |vip| {
            ports.iter().map(move |port| {
                let id = ServiceId { vrf, address: *vip, transport: port.transport, port: port.port };
                (id, self.entry(*vip, port.target_port))
            })
        })
    }

    fn entry(&self, vip: IpAddr, target_port: u16) -> ServiceEntry {
        let entry = |(backend, reach): (&Backend, Reach)| {
            let weight = if backend.state == BackendState::Ready { backend.weight } else { 0 };
            ((backend.address, target_port), BackendEntry { weight, reach })
        };
        ServiceEntry {
            local: self.wanted.traffic_policy == TrafficPolicy::Local,
            affinity: self.wanted.affinity,
            backends: self.backends_of(vip).map(entry).collect(),
        }
    }

    fn advertised(&self, vip: IpAddr, planned: &PlannedVrf) -> Advertised {
        if self.wanted.advertise.is_none() {
            return Err(Withheld::NotWanted);
        }
        let ready = |(backend, _): &(&Backend, Reach)| backend.state == BackendState::Ready;
        let mut ready = self.backends_of(vip).filter(ready).peekable();
        if ready.peek().is_none() {
            return Err(Withheld::NoBackend);
        }
        let role = match self.wanted.traffic_policy {
            TrafficPolicy::Cluster => SidRole::Balance,
            TrafficPolicy::Local if ready.any(|(_, reach)| reach == Reach::Here) => SidRole::Deliver,
            TrafficPolicy::Local => return Err(Withheld::NoBackendHere),
        };
        planned.advertised_with(vip.into(), role)
    }

    fn problems(&self, vrf: &str) -> Vec<Problem> {
        let name = |text: &str| text.to_owned();
        let (vrf, service) = (name(vrf), self.wanted.name.clone());
        let lost = self.wanted.backends.iter().zip(&self.reach).filter_map(|(backend, reach)| {
            let (vrf, service) = (vrf.clone(), service.clone());
            let reason = (*reach).err().filter(|_| backend.state != BackendState::Down)?;
            Some(Problem::NoWayToBackend { vrf, service, backend: backend.address, reason })
        });
        let mut problems: Vec<_> = lost.collect();
        let ready = |vip: &IpAddr| self.backends_of(*vip).any(|(b, _)| b.state == BackendState::Ready);
        if !self.wanted.addresses.iter().any(ready) {
            problems.push(Problem::NoReadyBackend { vrf, service });
        }
        problems
    }
}

/// The ways out of a VRF, as far as they are planned. Lengths of prefixes are few, however many routes there are.
struct Ways<'a> {
    planned: &'a PlannedVrf,
    lengths: BTreeSet<u8>,
}

impl<'a> Ways<'a> {
    fn new(planned: &'a PlannedVrf) -> Self {
        Self { planned, lengths: planned.routes.keys().map(IpNet::prefix_len).collect() }
    }

    fn reach(&self, backend: &Backend, service: &Service) -> Result<Reach, NoWay> {
        match self.longest_match(backend.address) {
            Some(NextHop::Connected { .. } | NextHop::Gateway { .. }) => Ok(Reach::Here),
            Some(NextHop::Encapsulate { .. } | NextHop::Vrf(_)) | None => self.remote(backend, service),
            Some(_) => Err(NoWay::NoHost),
        }
    }

    /// Behind another PE, unless it is of a circuit here.
    fn remote(&self, backend: &Backend, service: &Service) -> Result<Reach, NoWay> {
        let away = self.planned.circuits.iter().filter(|circuit| circuit.state != CircuitState::Up);
        if away.flat_map(|circuit| &circuit.addresses).any(|subnet| subnet.contains(&backend.address)) {
            return Err(NoWay::Circuit);
        }
        match service.translated() {
            [] => Ok(Reach::Direct),
            addresses => {
                let fits = |address: &&IpAddr| address.is_ipv4() == backend.address.is_ipv4();
                let address = addresses.iter().find(fits).ok_or(NoWay::NoTranslation)?;
                Ok(Reach::Translated(*address))
            }
        }
    }

    fn longest_match(&self, address: IpAddr) -> Option<&'a NextHop> {
        self.lengths.iter().rev().find_map(|len| {
            let prefix = IpNet::new(address, *len).ok()?.trunc();
            self.planned.routes.get(&prefix).map(|route| &route.next_hop)
        })
    }
}
