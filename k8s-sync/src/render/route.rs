//! Static routes of a VRF.

use ipnet::IpNet;
use srv6_types::maps::MAX_SEGMENTS;
use vrf_manager::intent::{Circuit, StaticRoute, Via};

use super::{
    Problem, Reason,
    draft::Origin,
    parse::{ADDRESS, IPV6, Reader},
};
use crate::{api, world::ObjectRef};

/// Those that mean something, each with its number.
pub(super) fn read(
    vrf: &ObjectRef,
    routes: &[api::StaticRoute],
    problems: &mut Vec<Problem>,
) -> Vec<(Origin, StaticRoute)> {
    let mut reader = Reader::new(vrf.clone(), problems);
    let read = |(i, route)| {
        let path = format!("spec.staticRoutes[{i}]");
        let route = one(route, &path, &mut reader)?;
        Some((Origin::new(vrf.clone(), path), route))
    };
    routes.iter().enumerate().filter_map(read).collect()
}

fn one(route: &api::StaticRoute, path: &str, reader: &mut Reader<'_>) -> Option<StaticRoute> {
    let prefix = reader.prefix(format_args!("{path}.prefix"), &route.prefix);
    let via = match route {
        api::StaticRoute { via: Some(via), segments, blackhole: false, .. } if segments.is_empty() => {
            reader.read(&ADDRESS, format_args!("{path}.via"), via).map(Via::Address)
        }
        api::StaticRoute { via: None, segments: list, blackhole: false, .. } if !list.is_empty() => {
            segments(list, &format!("{path}.segments"), reader).map(Via::Segments)
        }
        api::StaticRoute { via: None, segments, blackhole: true, .. } if segments.is_empty() => {
            Some(Via::Blackhole)
        }
        _ => {
            reader.tell(Reason::Invalid, path, "write one of via, segments and blackhole: true");
            None
        }
    };
    Some(StaticRoute { prefix: prefix?, via: via? })
}

/// A list with a part left out would be another way.
fn segments(texts: &[String], path: &str, reader: &mut Reader<'_>) -> Option<Vec<std::net::Ipv6Addr>> {
    let segments: Vec<_> = reader.list(&IPV6, path, texts);
    if texts.len() > MAX_SEGMENTS {
        reader.tell(
            Reason::Invalid,
            path,
            format_args!("has {} segments; write 1 to {MAX_SEGMENTS}", texts.len()),
        );
    }
    (segments.len() == texts.len() && texts.len() <= MAX_SEGMENTS).then_some(segments)
}

/// Whether a node with these circuits can have the route: a neighbour's is for the nodes alone that it is behind.
pub(super) fn leads_somewhere(route: &StaticRoute, circuits: &[Circuit]) -> bool {
    let Via::Address(via) = route.via else { return true };
    circuits.iter().flat_map(|circuit| &circuit.addresses).any(|subnet: &IpNet| subnet.contains(&via))
}
