use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use vrf_manager::intent::{EgressGateway, EgressPolicy, OwnedAddress};

use super::{
    attributes,
    kind::{ADDRESS, BOOL, INTERFACE, PORTS, SHORT_NAME, number, prefix},
    list::{some, unique},
    reader::At,
};

const KEYS: &[&str] = &["name", "sources", "circuits", "destinations", "except", "addresses", "gateway"];
const KEYS_OF_GATEWAY: &[&str] =
    &["addresses", "localPreference", "communities", "color", "ports", "portBlock", "gracefulShutdown"];

pub(super) fn read(at: &At<'_>) -> Option<EgressPolicy> {
    let policy = at.fields(KEYS)?;
    let name = policy.required("name", "name: internet", SHORT_NAME);
    let sources = policy.or("sources", Vec::new(), unique(prefix));
    let circuits = policy.or("circuits", Vec::new(), unique(INTERFACE));
    let destinations = policy.maybe("destinations", some(unique(prefix), "prefixes, or leave the key out"));
    let except = policy.or("except", Vec::new(), unique(prefix));
    let addresses = policy.required(
        "addresses",
        "addresses: [192.0.2.7]",
        some(unique(ADDRESS), "one egress address or more: [192.0.2.7]"),
    );
    // Read also where the addresses are wrong, for the mistakes in it.
    let written = addresses.clone().unwrap_or_default();
    let gateway = policy.maybe("gateway", |at: &At<'_>| gateway(at, &written));
    let addresses = addresses?;
    Some(EgressPolicy {
        name: name?,
        sources: sources?,
        circuits: circuits?,
        destinations: destinations?.unwrap_or_else(|| everywhere(&addresses)),
        except: except?,
        addresses,
        gateway: gateway?,
    })
}

/// All of the families that there is an address of.
fn everywhere(addresses: &[IpAddr]) -> Vec<IpNet> {
    let ipv4 = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into();
    let ipv6 = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into();
    let spoken = |all: &IpNet| addresses.iter().any(|address| all.contains(address));
    [ipv4, ipv6].into_iter().filter(spoken).collect()
}

fn gateway(at: &At<'_>, of_policy: &[IpAddr]) -> Option<EgressGateway> {
    let gateway = at.fields(KEYS_OF_GATEWAY)?;
    let addresses = gateway.or(
        "addresses",
        of_policy.to_vec(),
        some(unique(ADDRESS), "those of the policy's addresses that this node has, or leave the key out"),
    );
    let attributes = attributes::among(&gateway);
    let default = OwnedAddress::default();
    let ports = gateway.or("ports", default.ports, PORTS);
    let port_block = gateway.or("portBlock", default.port_block, number("a number of ports", 1..=1024));
    let graceful_shutdown = gateway.or("gracefulShutdown", false, BOOL);
    Some(EgressGateway {
        addresses: addresses?,
        attributes: attributes?,
        ports: ports?,
        port_block: port_block?,
        graceful_shutdown: graceful_shutdown?,
    })
}
