use bgp_wire::nlri::RouteDistinguisher;

use super::{Faults, Seen, circuit, egress, filter, route, service};
use crate::{
    allocate::locator_of,
    intent::{Intent, Vrf},
};

pub(super) fn check(intent: &Intent, faults: &mut Faults) {
    let mut names = Seen::new();
    let mut distinguishers = Seen::new();
    let mut interfaces = circuit::interfaces_of_core(intent);
    for (i, vrf) in intent.vrfs.iter().enumerate() {
        let path = format!("vrfs[{i}]");
        name(vrf, &mut names, &path, faults);
        distinguisher(vrf, &mut distinguishers, &path, faults);
        locator(vrf, intent, &path, faults);
        circuit::check(vrf, intent, &mut interfaces, &path, faults);
        route::check(vrf, &path, faults);
        service::check(vrf, intent, &path, faults);
        egress::check(vrf, intent, &path, faults);
        filter::check(vrf, &path, faults);
    }
}

fn name<'a>(vrf: &'a Vrf, seen: &mut Seen<&'a str>, path: &str, faults: &mut Faults) {
    let place = format!("{path}.name");
    faults.add_if(vrf.name.is_empty(), &place, "the name is empty", "give the VRF a name");
    if let Some(first) = seen.before(&vrf.name, path) {
        let problem = format!("the name {} is that of {first} already", vrf.name);
        faults.add(place, problem, "give each VRF its own name");
    }
}

/// Routes of two VRFs with one distinguisher would be the same route to every other speaker.
fn distinguisher(vrf: &Vrf, seen: &mut Seen<RouteDistinguisher>, path: &str, faults: &mut Faults) {
    let Some(rd) = vrf.rd else { return };
    if let Some(first) = seen.before(rd, path) {
        let problem = format!("{rd} is the route distinguisher of {first} already");
        faults.add(format!("{path}.rd"), problem, "give each VRF its own, or write rd: auto");
    }
}

fn locator(vrf: &Vrf, intent: &Intent, path: &str, faults: &mut Faults) {
    if locator_of(intent, vrf).is_some() {
        return;
    }
    let problem = match &vrf.locator {
        Some(name) => format!("there is no locator {name}"),
        None => "there is no locator to take SIDs from".to_owned(),
    };
    let names: Vec<&str> = intent.srv6.locators.iter().map(|locator| locator.name.as_str()).collect();
    let remedy = match names[..] {
        [] => "add one to srv6.locators".to_owned(),
        _ => format!("write one of {}, or add it to srv6.locators", names.join(", ")),
    };
    faults.add(format!("{path}.locator"), problem, remedy);
}
