use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr};

use vrf_manager::intent::{Backend, BackendState};

use super::{Reader, Reason, Scope};
use crate::world::{Endpoint, EndpointSlice, Key, ServicePort};

/// Backends by address.
pub(super) type Backends = BTreeMap<IpAddr, BackendState>;

/// Of a Service, those that are pods of the VRF: each slice with its own.
pub(super) struct Endpoints<'a>(Vec<(&'a EndpointSlice, Backends)>);

impl<'a> Endpoints<'a> {
    pub(super) fn of(scope: &Scope<'_>, service: &Key, slices: Vec<&'a EndpointSlice>) -> Self {
        let of_vrf = |slice: &'a EndpointSlice| {
            let there = slice.endpoints.iter().filter_map(|endpoint| of_pod(scope, service, endpoint));
            (slice, there.collect::<Backends>())
        };
        Self(slices.into_iter().map(of_vrf).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, backends)| backends.is_empty())
    }

    /// The target port of a port of the Service, and who listens there. Pods may have different ones by the same name: what most
    /// have is taken, of two the lower one.
    pub(super) fn behind(&self, port: &ServicePort, reader: &mut Reader<'_>) -> (u16, Backends) {
        let mut targets = BTreeMap::<u16, Backends>::new();
        for (slice, backends) in &self.0 {
            let same = slice.ports.iter().filter(|p| p.name == port.name && p.protocol == port.protocol);
            for target in same.filter(|target| target.port != 0) {
                targets.entry(target.port).or_default().extend(backends);
            }
        }
        let most = targets.iter().max_by_key(|(target, backends)| (backends.len(), Reverse(**target)));
        let Some(chosen) = most.map(|(target, _)| *target) else { return (port.port, Backends::new()) };
        let backends = targets.remove(&chosen).unwrap_or_default();
        let elsewhere: usize = targets.values().map(BTreeMap::len).sum();
        if elsewhere != 0 {
            let problem = format_args!(
                "port {} leads to {chosen} at most pods, and elsewhere at {elsewhere}, which are left out; give the port \
                 of all pods the same number",
                port.port
            );
            reader.tell(Reason::Unsupported, "spec.ports", problem);
        }
        (chosen, backends)
    }
}

/// Of an endpoint only the first address has a meaning.
fn of_pod(scope: &Scope<'_>, service: &Key, endpoint: &Endpoint) -> Option<(IpAddr, BackendState)> {
    let address = endpoint.addresses.first()?;
    let pod = scope.pods.get(&Key::new(&service.namespace, endpoint.pod.as_deref()?))?;
    pod.addresses.contains(address).then(|| (*address, state(endpoint)))
}

fn state(endpoint: &Endpoint) -> BackendState {
    match endpoint {
        Endpoint { ready: true, .. } => BackendState::Ready,
        Endpoint { serving: true, terminating: true, .. } => BackendState::Draining,
        Endpoint { .. } => BackendState::Down,
    }
}

pub(super) fn backend((address, state): (&IpAddr, &BackendState)) -> Backend {
    Backend { address: *address, weight: 1, state: *state }
}
