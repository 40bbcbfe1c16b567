//! Services and backends as map entries and back.

use std::time::Duration;

use srv6_types::{
    VrfId,
    maps::{BackendEntry, MaglevTable, ServiceEntry, ServiceKey, backend_flag, service_flag},
};

use super::{
    super::codec::{address, encode_address},
    At,
};
use crate::model::{Backend, Reach, Service, ServiceId, Transport};

pub(super) fn encode_id(id: ServiceId) -> ServiceKey {
    let (family, address) = encode_address(id.address);
    ServiceKey {
        vrf: id.vrf.0,
        address,
        port: id.port.to_be_bytes(),
        protocol: id.transport.number(),
        family: family as u8,
    }
}

/// `None` for what no version of sixedge writes.
pub(super) fn decode_id(key: &ServiceKey) -> Option<ServiceId> {
    Some(ServiceId {
        vrf: VrfId(key.vrf),
        address: address(key.family.into(), key.address)?,
        transport: Transport::from_number(key.protocol)?,
        port: u16::from_be_bytes(key.port),
    })
}

pub(super) fn encode_service(
    service: &Service,
    counter: u32,
    all: MaglevTable,
    here: MaglevTable,
) -> ServiceEntry {
    ServiceEntry {
        counter,
        flags: if service.local { service_flag::LOCAL } else { 0 },
        affinity: service.affinity.map_or(0, |time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
        reserved: 0,
        all,
        here,
    }
}

/// But for the backends.
pub(super) fn decode_service(entry: &ServiceEntry) -> Service {
    Service { local: entry.flags & service_flag::LOCAL != 0, affinity: affinity(entry), ..Service::default() }
}

pub(super) fn affinity(entry: &ServiceEntry) -> Option<Duration> {
    Some(Duration::from_secs(entry.affinity.into())).filter(|time| !time.is_zero())
}

/// `source` is the index of the egress address of [`Reach::Translated`].
pub(super) fn encode_backend(
    (at, port): At,
    backend: &Backend,
    service: u16,
    generation: u32,
    source: Option<u32>,
) -> BackendEntry {
    let (family, address) = encode_address(at);
    let direct = if backend.reach == Reach::Direct { backend_flag::DIRECT } else { 0 };
    BackendEntry {
        address,
        port: port.to_be_bytes(),
        family: family as u8,
        flags: backend_flag::LIVE | direct,
        generation,
        source: source.map_or(0, |index| index + 1),
        weight: backend.weight,
        service,
    }
}

/// The slot of a backend that has gone.
pub(super) const fn no_backend(generation: u32) -> BackendEntry {
    BackendEntry {
        address: [0; 16],
        port: [0; 2],
        family: 0,
        flags: 0,
        generation,
        source: 0,
        weight: 0,
        service: 0,
    }
}

/// `None` in a slot that has none.
pub(super) fn decode_at(entry: &BackendEntry) -> Option<At> {
    let live = entry.flags & backend_flag::LIVE != 0;
    Some((address(entry.family.into(), entry.address).filter(|_| live)?, u16::from_be_bytes(entry.port)))
}

/// `source` finds the egress address of an index; `None` where it finds none.
pub(super) fn decode_backend<E>(
    entry: &BackendEntry,
    source: impl FnOnce(u32) -> Result<Option<std::net::IpAddr>, E>,
) -> Result<Option<Backend>, E> {
    let reach = match entry.source.checked_sub(1) {
        Some(index) => source(index)?.map(Reach::Translated),
        None if entry.flags & backend_flag::DIRECT != 0 => Some(Reach::Direct),
        None => Some(Reach::Here),
    };
    Ok(reach.map(|reach| Backend { weight: entry.weight, reach }))
}
