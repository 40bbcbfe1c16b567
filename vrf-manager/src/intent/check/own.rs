use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use super::{Faults, circuit::domain_met, is_no_host};
use crate::intent::{Intent, Vrf};

/// Addresses of a VRF that are this node's to answer, each with its place.
pub(super) struct Own {
    pub(super) gateways: BTreeMap<IpAddr, String>,
    pub(super) vips: BTreeMap<IpAddr, String>,
    pub(super) egress: BTreeMap<IpAddr, String>,
}

impl Own {
    pub(super) fn of(vrf: &Vrf, path: &str) -> Self {
        let mut own = Self { gateways: BTreeMap::new(), vips: BTreeMap::new(), egress: BTreeMap::new() };
        for (j, circuit) in vrf.circuits.iter().enumerate() {
            let gateways = circuit.addresses.iter().map(IpNet::addr);
            note(&mut own.gateways, gateways, &format!("{path}.attachmentCircuits[{j}].addresses"));
        }
        for (j, policy) in vrf.egress.iter().enumerate() {
            let addresses = policy.addresses.iter().copied();
            note(&mut own.egress, addresses, &format!("{path}.egress[{j}].addresses"));
        }
        for (j, service) in vrf.services.iter().enumerate() {
            let path = format!("{path}.services[{j}]");
            note(&mut own.vips, service.addresses.iter().copied(), &format!("{path}.addresses"));
            let translated = service.translated().iter().copied();
            note(&mut own.egress, translated, &format!("{path}.remoteBackends.translateTo"));
        }
        own
    }

    /// The place of an address that is ours.
    pub(super) fn place(&self, address: IpAddr) -> Option<&String> {
        self.gateways.get(&address).or(self.vips.get(&address)).or(self.egress.get(&address))
    }
}

/// The first place counts.
fn note(places: &mut BTreeMap<IpAddr, String>, addresses: impl Iterator<Item = IpAddr>, path: &str) {
    for (k, address) in addresses.enumerate() {
        places.entry(address).or_insert_with(|| format!("{path}[{k}]"));
    }
}

/// Whether an address can be advertised as a route of its own; `what` is to have it.
pub(super) fn unicast(address: IpAddr, what: &str, intent: &Intent, place: &str, faults: &mut Faults) {
    let of_a_link = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if is_no_host(address) || address.is_loopback() || of_a_link {
        let remedy = "write a unicast address that the tenant routes, such as 10.100.0.1";
        return faults.add(place, format!("{address} cannot be {what}"), remedy);
    }
    if let Some(domain) = domain_met(address.into(), intent) {
        let problem =
            format!("{address} lies in the SRv6 domain {domain}, which tenants must not reach (RFC 8754)");
        faults.add(place, problem, "take an address from outside of the locator block");
    }
}
