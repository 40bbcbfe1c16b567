use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use vrf_manager::intent::{Circuit, Encapsulation, RouteAttributes, SidMode, Source, Vrf};

use super::{
    administered::{route_distinguisher, route_target},
    attributes, egress, filter,
    kind::{INTERFACE, INTERFACE_ADDRESS, Kind, NAME, number, word},
    list::{list, set, unique},
    reader::{At, Read},
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
    let everything = [Source::Connected, Source::Static].map(|source| (source, RouteAttributes::default()));
    let redistribute = vrf.or("redistribute", everything.into(), redistribute);
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
        redistribute: redistribute?,
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

/// Kinds of route, each with or without attributes.
fn redistribute(at: &At<'_>) -> Option<BTreeMap<Source, RouteAttributes>> {
    let (mut sources, mut whole) = (BTreeMap::new(), true);
    for at in at.items()? {
        match redistributed(&at) {
            Some((source, _)) if sources.contains_key(&source) => {
                whole = at.refuse("is in the list already; leave one out").unwrap_or(false);
            }
            Some((source, attributes)) => drop(sources.insert(source, attributes)),
            None => whole = false,
        }
    }
    whole.then_some(sources)
}

fn redistributed(at: &At<'_>) -> Option<(Source, RouteAttributes)> {
    if !at.is_mapping() {
        return SOURCE.read(at).map(|source| (source, RouteAttributes::default()));
    }
    let entry = at.fields(&["source", "communities", "color", "localPreference"])?;
    let source = entry.required("source", "source: connected", SOURCE);
    let attributes = attributes::among(&entry);
    Some((source?, attributes?))
}

const SOURCE: Kind<Source> = word("a kind of route", "connected or static", source);

fn source(text: &str) -> Option<Source> {
    match text {
        "connected" => Some(Source::Connected),
        "static" => Some(Source::Static),
        _ => None,
    }
}

fn circuit(at: &At<'_>) -> Option<Circuit> {
    let circuit = at.fields(&["interface", "addresses", "filter"])?;
    let interface = circuit.required("interface", "interface: eth1", INTERFACE);
    let addresses = circuit.or("addresses", Vec::new(), unique(INTERFACE_ADDRESS));
    let filter = circuit.or("filter", Vec::new(), list(filter::rule));
    Some(Circuit {
        interface: interface?,
        addresses: addresses?,
        hosts: Vec::new(),
        proxy: false,
        probes: false,
        filter: filter?,
    })
}
