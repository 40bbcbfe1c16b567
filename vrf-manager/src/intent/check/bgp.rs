use std::{ops::RangeInclusive, time::Duration};

use super::{
    Faults, Seen, is_no_host, is_reserved_as,
    node::{ONLY_SIDS, own_locator},
};
use crate::intent::{Bgp, Intent, Neighbor};

/// RFC 4724 section 3: the field has 12 bits.
const MAX_RESTART_TIME: Duration = Duration::from_secs(4095);
/// What Linux takes as a key.
const PASSWORD_OCTETS: RangeInclusive<usize> = 1..=80;

pub(super) fn check(intent: &Intent, faults: &mut Faults) {
    speaker(&intent.bgp, faults);
    listening(&intent.bgp, faults);
    networks(&intent.bgp, faults);
    let mut seen = Seen::new();
    for (i, neighbor) in intent.bgp.neighbors.iter().enumerate() {
        let path = format!("bgp.neighbors[{i}]");
        if let Some(first) = seen.before(neighbor.address, &path) {
            let problem = format!("{} is {first} already", neighbor.address);
            faults.add(format!("{path}.address"), problem, "remove one of the two");
        }
        addresses(neighbor, intent, &path, faults);
        timers(neighbor, &path, faults);
        role(neighbor, intent, &path, faults);
        transport(neighbor, intent, &path, faults);
        families(neighbor, intent, &path, faults);
    }
}

fn speaker(bgp: &Bgp, faults: &mut Faults) {
    faults.add_if(
        bgp.listen_port == 0,
        "bgp.listenPort",
        "0 is no port",
        "write 179, or leave it away for that",
    );
    faults.add_if(
        bgp.cluster_id.is_some_and(|id| id.is_unspecified()),
        "bgp.clusterId",
        "0.0.0.0 is no cluster id",
        "leave it away: it is the router id then",
    );
    if let Some(time) = bgp.restart_time.filter(|time| *time > MAX_RESTART_TIME) {
        let problem = format!("{} s do not fit in the 12 bits of RFC 4724", time.as_secs());
        faults.add("bgp.gracefulRestart.restartTime", problem, "write at most 4095 s; 120 s is usual");
    }
}

fn listening(bgp: &Bgp, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (i, address) in bgp.listen_addresses.iter().enumerate() {
        let path = format!("bgp.listenAddresses[{i}]");
        if let Some(first) = seen.before(address, &path) {
            faults.add(path, format!("{address} stands at {first} already"), "remove one of the two");
        } else if address.is_multicast() {
            let remedy = "write addresses of this node, or leave it away to listen at all";
            faults.add(path, format!("{address} is multicast"), remedy);
        }
    }
}

fn networks(bgp: &Bgp, faults: &mut Faults) {
    let mut seen = Seen::new();
    for (i, network) in bgp.networks.iter().enumerate() {
        let path = format!("bgp.networks[{i}]");
        if let Some(first) = seen.before(network.prefix.trunc(), &path) {
            faults.add(
                path,
                format!("{} stands at {first} already", network.prefix),
                "remove one of the two",
            );
        }
    }
}

fn addresses(neighbor: &Neighbor, intent: &Intent, path: &str, faults: &mut Faults) {
    let address = neighbor.address;
    faults.add_if(
        is_no_host(address),
        format!("{path}.address"),
        &format!("{address} is no host's address"),
        "write the address that the peer speaks BGP from",
    );
    faults.add_if(
        neighbor.port == 0,
        format!("{path}.port"),
        "0 is no port",
        "write 179, or leave it away for that",
    );
    let Some(local) = neighbor.local_address else { return };
    faults.add_if(
        local.is_ipv4() != address.is_ipv4(),
        format!("{path}.localAddress"),
        &format!("{local} and {address} are of different families"),
        "write an address of this node in the neighbor's family",
    );
    faults.add_if(
        is_no_host(local) || local == address,
        format!("{path}.localAddress"),
        &format!("{local} cannot be our own address towards {address}"),
        "write an address of this node, or leave it away",
    );
    if let Some(locator) = own_locator(intent, local) {
        let problem = format!("{local} lies in {locator}, {ONLY_SIDS}");
        faults.add(format!("{path}.localAddress"), problem, "take an address outside of the locators");
    }
}

fn timers(neighbor: &Neighbor, path: &str, faults: &mut Faults) {
    let (hold, keepalive) = (neighbor.hold_time, neighbor.keepalive);
    let seconds = hold.as_secs_f64();
    faults.add_if(
        (!hold.is_zero() && hold < Duration::from_secs(3)) || hold > Duration::from_secs(65535),
        format!("{path}.holdTime"),
        &format!("{seconds} s is no hold time (RFC 4271 section 4.2)"),
        "write 0 to do without keepalives, or 3 to 65535 s; 90 s is usual",
    );
    faults.add_if(
        !hold.is_zero() && (keepalive.is_zero() || keepalive >= hold),
        format!("{path}.keepalive"),
        &format!("{} s would let the hold time of {seconds} s run out", keepalive.as_secs_f64()),
        "write a third of the hold time",
    );
    faults.add_if(
        neighbor.connect_retry.is_zero(),
        format!("{path}.connectRetry"),
        "0 would try to connect without a pause",
        "write at least 1 s; 5 s is usual in a lab, 120 s elsewhere",
    );
}

fn role(neighbor: &Neighbor, intent: &Intent, path: &str, faults: &mut Faults) {
    faults.add_if(
        is_reserved_as(neighbor.asn),
        format!("{path}.asn"),
        &format!("{} is reserved and no AS's number", neighbor.asn),
        "write the number of the neighbor's AS",
    );
    faults.add_if(
        neighbor.route_reflector_client && neighbor.asn != intent.router.asn,
        format!("{path}.routeReflectorClient"),
        "a neighbor in another AS is no client of a route reflector (RFC 4456)",
        "remove routeReflectorClient, or correct asn",
    );
}

fn transport(neighbor: &Neighbor, intent: &Intent, path: &str, faults: &mut Faults) {
    faults.add_if(
        neighbor.password.as_ref().is_some_and(|password| !PASSWORD_OCTETS.contains(&password.0.len())),
        format!("{path}.password"),
        "the password does not have 1 to 80 octets (RFC 2385)",
        "choose one that does, at both ends",
    );
    faults.add_if(
        neighbor.multihop.is_some_and(|hops| hops < 2),
        format!("{path}.multihop"),
        "a neighbor on the link is one hop away",
        "write 2 to 255, or leave it away",
    );
    faults.add_if(
        neighbor.multihop.is_some() && !neighbor.is_external(intent),
        format!("{path}.multihop"),
        "a neighbor in our own AS may be any number of hops away",
        "remove multihop, or correct asn",
    );
}

/// A pure route reflector passes VPN routes on with their own next hops, so it needs no SRv6 source.
fn families(neighbor: &Neighbor, intent: &Intent, path: &str, faults: &mut Faults) {
    faults.add_if(
        neighbor.families.is_empty(),
        format!("{path}.families"),
        "no family is spoken with this neighbor",
        "name at least one of ipv4-unicast, ipv6-unicast, vpnv4, vpnv6",
    );
    faults.add_if(
        neighbor.families.iter().any(|family| family.is_vpn())
            && intent.srv6.source.is_unspecified()
            && !(intent.vrfs.is_empty() && neighbor.asn == intent.router.asn),
        format!("{path}.families"),
        "VPN routes need an IPv6 next hop, and srv6.source is not set",
        "set srv6.source",
    );
}
