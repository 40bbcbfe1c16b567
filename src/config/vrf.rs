use std::{collections::BTreeSet, ops::RangeInclusive};

use vrf_manager::intent::{Circuit, Encapsulation, RouteAttributes, SidMode, Source, Vrf};

use super::{
    administered::{route_distinguisher, route_target},
    egress, filter,
    kind::{ADDRESS, BOOL, INTERFACE, INTERFACE_ADDRESS, MAC_ADDRESS, NAME, number, word},
    list::{list, set, unique},
    reader::At,
    route, service,
};

const KEYS: &[&str] = &[
    "name",
    "rd",
    "importRouteTargets",
    "exportRouteTargets",
    "sidMode",
    "locator",
    "encapsulation",
    "attachmentCircuits",
    "staticRoutes",
    "redistribute",
    "services",
    "egress",
    "filter",
    "maxFlows",
];

/// What the flow table may hold: some 100 octets each.
const MAX_FLOWS: RangeInclusive<u64> = 1024..=4_194_304;
const FLOWS: u32 = 65_536;

pub(super) fn read(at: &At<'_>) -> Option<Vrf> {
    let vrf = at.fields(KEYS)?;
    let name = vrf.required("name", "name: red", NAME);
    let rd = vrf.or("rd", None, route_distinguisher);
    let import_route_targets = vrf.or("importRouteTargets", BTreeSet::new(), set(route_target));
    let export_route_targets = vrf.or("exportRouteTargets", BTreeSet::new(), set(route_target));
    let sid_mode =
        vrf.or("sidMode", SidMode::default(), word("a SID mode", "per-vrf or per-family", sid_mode));
    let locator = vrf.maybe("locator", NAME);
    let encapsulation = vrf.or(
        "encapsulation",
        Encapsulation::default(),
        word("an encapsulation", "reduced or full", encapsulation),
    );
    let circuits = vrf.or("attachmentCircuits", Vec::new(), list(circuit));
    let static_routes = vrf.or("staticRoutes", Vec::new(), list(route::static_route));
    let everything = BTreeSet::from([Source::Connected, Source::Static]);
    let redistribute = vrf.or(
        "redistribute",
        everything,
        set(word("a kind of route", "connected, static or hosts", source)),
    );
    let plainly =
        |sources: BTreeSet<Source>| sources.into_iter().map(|s| (s, RouteAttributes::default())).collect();
    let services = vrf.or("services", Vec::new(), list(service::read));
    let egress = vrf.or("egress", Vec::new(), list(egress::read));
    let filter = vrf.or("filter", Vec::new(), list(filter::rule));
    let max_flows = vrf.or("maxFlows", FLOWS, number("a number of flows", MAX_FLOWS));
    Some(Vrf {
        name: name?,
        rd: rd?,
        import_route_targets: import_route_targets?,
        export_route_targets: export_route_targets?,
        sid_mode: sid_mode?,
        locator: locator?,
        encapsulation: encapsulation?,
        circuits: circuits?,
        static_routes: static_routes?,
        redistribute: redistribute.map(plainly)?,
        services: services?,
        egress: egress?,
        filter: filter?,
        max_flows: max_flows?,
    })
}

fn sid_mode(text: &str) -> Option<SidMode> {
    match text {
        "per-vrf" => Some(SidMode::PerVrf),
        "per-family" => Some(SidMode::PerFamily),
        _ => None,
    }
}

fn encapsulation(text: &str) -> Option<Encapsulation> {
    match text {
        "reduced" => Some(Encapsulation::Reduced),
        "full" => Some(Encapsulation::Full),
        _ => None,
    }
}

fn source(text: &str) -> Option<Source> {
    match text {
        "connected" => Some(Source::Connected),
        "static" => Some(Source::Static),
        "hosts" => Some(Source::Host),
        _ => None,
    }
}

fn circuit(at: &At<'_>) -> Option<Circuit> {
    let circuit = at.fields(&["interface", "addresses", "hosts", "hostMac", "proxy", "probes", "filter"])?;
    let interface = circuit.required("interface", "interface: eth1", INTERFACE);
    let addresses = circuit.or("addresses", Vec::new(), unique(INTERFACE_ADDRESS));
    let hosts = circuit.or("hosts", Vec::new(), unique(ADDRESS));
    let host_mac = circuit.maybe("hostMac", MAC_ADDRESS);
    let proxy = circuit.or("proxy", false, BOOL);
    let probes = circuit.or("probes", false, BOOL);
    let filter = circuit.or("filter", Vec::new(), list(filter::rule));
    Some(Circuit {
        interface: interface?,
        addresses: addresses?,
        hosts: hosts?,
        host_mac: host_mac?,
        proxy: proxy?,
        probes: probes?,
        filter: filter?,
    })
}
