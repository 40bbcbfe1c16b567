use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use srv6_dp::model::Transport;

use super::{
    Faults, Seen,
    own::{Own, unicast},
};
use crate::intent::{Backend, Intent, Service, ServicePort, Vrf};

/// A day.
const MAX_AFFINITY: Duration = Duration::from_secs(86_400);
const WEIGHTS: std::ops::RangeInclusive<u16> = 1..=256;

pub(super) fn check(vrf: &Vrf, intent: &Intent, path: &str, faults: &mut Faults) {
    let own = Own::of(vrf, path);
    let mut names = Seen::new();
    let mut endpoints = Seen::new();
    let mut sharing = BTreeMap::new();
    for (j, service) in vrf.services.iter().enumerate() {
        let path = format!("{path}.services[{j}]");
        if let Some(first) = names.before(&service.name, &path) {
            let problem = format!("the name {} is that of {first} already", service.name);
            faults.add(format!("{path}.name"), problem, "give each service of a VRF its own name");
        }
        for (k, vip) in service.addresses.iter().enumerate() {
            let place = format!("{path}.addresses[{k}]");
            address(*vip, &own, intent, &place, faults);
            shared(*vip, service, &mut sharing, &place, faults);
        }
        ports(service, &mut endpoints, &path, faults);
        backends(service, &own, &path, faults);
        translation(service, &own, intent, &path, faults);
        faults.add_if(
            service.affinity.is_some_and(|time| time.as_secs() == 0 || time > MAX_AFFINITY),
            format!("{path}.sessionAffinity"),
            "session affinity lasts 1 s to 1 day",
            "write 3h, or leave it away to do without",
        );
    }
}

fn address(vip: IpAddr, own: &Own, intent: &Intent, place: &str, faults: &mut Faults) {
    unicast(vip, "a VIP", intent, place, faults);
    let taken = own.gateways.get(&vip).map(|first| (first, "gateway"));
    if let Some((first, kind)) = taken.or(own.egress.get(&vip).map(|first| (first, "egress"))) {
        let problem = format!("{vip} is the {kind} address {first} already");
        faults.add(place, problem, "give the service an address of its own");
    }
}

/// A VIP is one route, whichever of its services it is for.
fn shared<'a>(
    vip: IpAddr,
    service: &'a Service,
    sharing: &mut BTreeMap<IpAddr, Vec<&'a Service>>,
    place: &str,
    faults: &mut Faults,
) {
    let before = sharing.entry(vip).or_default();
    if let Some(first) = before.iter().find(|other| !agree(other, service)) {
        let problem = format!("{vip} is shared with service {}, and both are advertised as one", first.name);
        let remedy = "write the same externalTrafficPolicy, advertise and gracefulShutdown in both, or give each its \
                      own address";
        faults.add(place, problem, remedy);
    }
    before.push(service);
}

/// A service that is not to be advertised leaves the VIP to the other one.
fn agree(one: &Service, other: &Service) -> bool {
    let told = |service: &Service| (service.traffic_policy, service.graceful_shutdown);
    let both = one.advertise.as_ref().zip(other.advertise.as_ref());
    told(one) == told(other) && both.is_none_or(|(one, other)| one == other)
}

fn ports(service: &Service, seen: &mut Seen<(IpAddr, Transport, u16)>, path: &str, faults: &mut Faults) {
    faults.add_if(
        service.addresses.is_empty(),
        format!("{path}.addresses"),
        "the service has no address",
        "write one VIP or more",
    );
    faults.add_if(
        service.ports.is_empty(),
        format!("{path}.ports"),
        "the service has no port",
        "write one port or more",
    );
    for (m, port) in service.ports.iter().enumerate() {
        let path = format!("{path}.ports[{m}]");
        let ServicePort { transport, port, target_port } = *port;
        faults.add_if(port == 0, format!("{path}.port"), "0 is no port", "write 1 to 65535");
        faults.add_if(target_port == 0, format!("{path}.targetPort"), "0 is no port", "write 1 to 65535");
        // The checksum of SCTP covers the ports and the whole packet (RFC 9260 section 6.8).
        faults.add_if(
            transport == Transport::Sctp && target_port != port,
            format!("{path}.targetPort"),
            "ports of SCTP cannot be translated",
            &format!("write {port}, or leave it away"),
        );
        // Every address is noted, the first that is taken is told.
        let taken: Vec<_> = service
            .addresses
            .iter()
            .filter_map(|vip| Some((vip, seen.before((*vip, transport, port), &path)?)))
            .collect();
        if let Some((vip, first)) = taken.first() {
            let problem = format!("{transport} port {port} of {vip} is {first} already");
            faults.add(format!("{path}.port"), problem, "give each service its own address or port");
        }
    }
}

fn backends(service: &Service, own: &Own, path: &str, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (m, Backend { address, weight, .. }) in service.backends.iter().enumerate() {
        let path = format!("{path}.backends[{m}]");
        let place = format!("{path}.address");
        if let Some(first) = seen.before(*address, &path) {
            faults.add(&place, format!("{address} is {first} already"), "remove one of the two");
        }
        faults.add_if(
            super::is_no_host(*address) || address.is_loopback(),
            &place,
            &format!("{address} is no host's address"),
            "write the address of the backend in the VRF",
        );
        let ours = own.gateways.get(address).or(own.vips.get(address)).or(own.egress.get(address));
        if let Some(first) = ours {
            let problem = format!("{address} is this node's own address, {first}");
            faults.add(&place, problem, "write the address of the backend itself");
        }
        faults.add_if(
            !WEIGHTS.contains(weight),
            format!("{path}.weight"),
            &format!("{weight} is no weight"),
            "write 1 to 256; state: draining or down takes a backend out",
        );
    }
}

fn translation(service: &Service, own: &Own, intent: &Intent, path: &str, faults: &mut Faults) {
    let mut families = Seen::new();
    for (k, address) in service.translated().iter().enumerate() {
        let place = format!("{path}.remoteBackends.translateTo[{k}]");
        unicast(*address, "an egress address", intent, &place, faults);
        if let Some(first) = own.gateways.get(address) {
            let problem = format!("{address} is the gateway address {first} already");
            faults.add(&place, problem, "write an address that is no interface's");
        }
        if let Some(first) = families.before(address.is_ipv4(), &place) {
            let problem = format!("{address} is of the same family as {first}");
            faults.add(&place, problem, "write one address for each family at most");
        }
    }
}
