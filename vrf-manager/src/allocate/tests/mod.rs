mod roles;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use srv6_dp::State;
use srv6_types::Locator;

use super::*;
use crate::{
    plan::Links,
    testing::{gateway, intent, links, locator, replan, service, vrf},
};

fn intent_of(names: &[&str]) -> Intent {
    intent(names.iter().map(|name| vrf(name)).collect())
}

fn settled(intent: &Intent) -> Allocations {
    let mut allocations = Allocations::default();
    assert_eq!(allocations.settle(intent), []);
    allocations
}

#[test]
fn numbers_are_dense_from_one() {
    let allocations = settled(&intent_of(&["red", "blue"]));
    assert_eq!(allocations.vrf("red"), Some(VrfId(1)));
    assert_eq!(allocations.vrf("blue"), Some(VrfId(2)));
    assert_eq!(allocations.function("main", "red", SidPurpose::Dt46), Some(1));
    assert_eq!(allocations.function("main", "blue", SidPurpose::Dt46), Some(2));
}

#[test]
fn a_vrf_that_comes_back_has_its_numbers_again() {
    let mut allocations = settled(&intent_of(&["red", "blue"]));
    allocations.settle(&intent_of(&["blue"]));
    allocations.settle(&intent_of(&["blue", "green"]));
    assert_eq!(allocations.vrf("green"), Some(VrfId(3)), "a freed id is used last");
    allocations.settle(&intent_of(&["blue", "green", "red"]));
    assert_eq!(allocations.vrf("red"), Some(VrfId(1)));
}

/// A locator of two function bits has functions 1 to 3.
fn small_locator(names: &[&str]) -> Intent {
    let mut intent = intent_of(names);
    intent.srv6.locators = vec![locator("tiny", "fc00:0:1::", [32, 16, 2, 0])];
    intent
}

#[test]
fn an_exhausted_locator_is_named_with_its_remedy() {
    let mut allocations = settled(&small_locator(&["a", "b", "c"]));
    let errors = allocations.settle(&small_locator(&["a", "b", "c", "d"]));
    let expected = AllocateError::Functions { vrf: "d".into(), locator: "tiny".into(), functions: 3 };
    assert_eq!(errors, [expected]);
    assert!(errors[0].to_string().contains("functionLength"));
    assert_eq!(allocations.function("tiny", "c", SidPurpose::Dt46), Some(3), "the others keep theirs");
}

#[test]
fn a_freed_function_is_not_reused_while_the_dataplane_may_hold_it() {
    let mut allocations = settled(&small_locator(&["a", "b", "c"]));
    let swapped = small_locator(&["a", "b", "d"]);
    assert_eq!(allocations.settle(&swapped).len(), 1, "c's function goes in this step, so d must wait");
    assert_eq!(allocations.settle(&swapped), []);
    assert_eq!(allocations.function("tiny", "d", SidPurpose::Dt46), Some(3));
}

#[test]
fn vrf_ids_end_where_the_dataplane_ends() {
    let names: Vec<String> = (0..=MAX_VRF).map(|n| format!("t{n}")).collect();
    let mut all = intent_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    all.srv6.locators.clear();
    let errors = Allocations::default().settle(&all);
    assert_eq!(errors, [AllocateError::Vrfs { vrf: format!("t{MAX_VRF}") }]);
}

#[test]
fn an_automatic_distinguisher_evades_a_configured_one() {
    let mut intent = intent_of(&["red", "blue"]);
    intent.vrfs[1].rd = Some("10.255.0.1:1".parse().unwrap());
    let allocations = settled(&intent);
    let rd = |vrf| allocations.distinguisher(intent.router.router_id, vrf).unwrap().to_string();
    assert_eq!(rd(&intent.vrfs[0]), "10.255.0.1:2");
    assert_eq!(rd(&intent.vrfs[1]), "10.255.0.1:1");
}

#[test]
fn an_automatic_distinguisher_gives_way_to_one_configured_later() {
    let mut intent = intent_of(&["red", "blue"]);
    let mut allocations = settled(&intent);
    intent.vrfs[1].rd = Some("10.255.0.1:1".parse().unwrap());
    allocations.settle(&intent);
    let rd = |vrf| allocations.distinguisher(intent.router.router_id, vrf).unwrap();
    assert_ne!(rd(&intent.vrfs[0]), rd(&intent.vrfs[1]));
}

#[test]
fn a_locator_that_comes_back_has_its_functions_again() {
    let both = || {
        let mut intent = intent_of(&["red", "blue"]);
        intent.srv6.locators.push(locator("second", "fc00:0:2::", [32, 16, 16, 0]));
        intent.vrfs[1].locator = Some("second".into());
        intent
    };
    let before = settled(&both());
    let mut allocations = before.clone();
    allocations.settle(&intent_of(&["red", "blue"]));
    allocations.settle(&both());
    assert_eq!(allocations.function("second", "blue", SidPurpose::Dt46), Some(1));
    assert_eq!(before.function("second", "blue", SidPurpose::Dt46), Some(1));
}

#[test]
fn the_state_file_reads_back_and_a_torn_one_is_refused() {
    let mut allocations = settled(&intent_of(&["red", "blue"]));
    allocations.settle(&intent_of(&["blue"]));
    let text = serde_json::to_string(&allocations).unwrap();
    assert_eq!(serde_json::from_str::<Allocations>(&text).unwrap(), allocations);
    let torn = r#"{"vrfs":{"used":[["a",1],["b",1]],"retired":[]},"distinguishers":{"used":[],"retired":[]},"functions":{}}"#;
    let error = serde_json::from_str::<Allocations>(torn).unwrap_err();
    assert!(error.to_string().contains("given out twice"), "{error}");
}

/// Three VRFs of which the first is gone, so that ids are not those of a fresh start.
fn running() -> (Intent, Links, State, Allocations) {
    let three = || {
        let vrfs = [("gone", "eth0"), ("red", "eth1"), ("blue", "eth2")];
        vrfs.map(|(name, interface)| vrf(name).circuit(interface, &["10.0.0.1/24"]))
    };
    let links = links(&["eth0", "eth1", "eth2"]);
    let mut allocations = Allocations::default();
    replan(&intent(three().to_vec()), &links, &mut allocations);
    let intent = intent(three()[1..].to_vec());
    let observed = replan(&intent, &links, &mut allocations).dataplane;
    (intent, links, observed, allocations)
}

#[test]
fn a_lost_state_file_is_made_up_for_by_the_maps() {
    let (intent, links, observed, before) = running();
    let mut adopted = Allocations::default();
    adopted.adopt(&intent, &links, &observed);
    adopted.settle(&intent);
    for name in ["red", "blue"] {
        assert_eq!(adopted.vrf(name), before.vrf(name));
        let function = |allocations: &Allocations| allocations.function("main", name, SidPurpose::Dt46);
        assert_eq!(function(&adopted), function(&before));
    }
    let rd = |a: &Allocations| a.distinguisher(intent.router.router_id, &intent.vrfs[0]);
    assert_eq!(rd(&adopted), rd(&before));
}

#[test]
fn numbers_of_an_unknown_vrf_in_the_maps_are_not_given_to_another() {
    let (mut intent, links, observed, _) = running();
    intent.vrfs[0].circuits.clear();
    let mut adopted = Allocations::default();
    adopted.adopt(&intent, &links, &observed);
    adopted.settle(&intent);
    assert_eq!(adopted.vrf("blue"), Some(VrfId(3)));
    assert_eq!(adopted.vrf("red"), Some(VrfId(1)), "2 may still hold another tenant's routes");
    assert_eq!(adopted.function("main", "red", SidPurpose::Dt46), Some(1));
}

const EGRESS: SidPurpose = SidPurpose::Egress(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

/// VRF and what the number is for.
type Key = (String, &'static str);

/// All numbers that an intent's VRFs have.
fn numbers(allocations: &Allocations, intent: &Intent) -> BTreeMap<Key, u32> {
    let mut all = BTreeMap::new();
    for vrf in &intent.vrfs {
        let mut add = |what, number: Option<u32>| {
            if let Some(number) = number {
                all.insert((vrf.name.clone(), what), number);
            }
        };
        add("id", allocations.vrf(&vrf.name).map(|id| id.0));
        add("dt4", allocations.function("tiny", &vrf.name, SidPurpose::Dt4));
        add("dt6", allocations.function("tiny", &vrf.name, SidPurpose::Dt6));
        add("dt46", allocations.function("tiny", &vrf.name, SidPurpose::Dt46));
        add("dtb", allocations.function("tiny", &vrf.name, SidPurpose::Balance));
        add("dte", allocations.function("tiny", &vrf.name, EGRESS));
        add("rd", allocations.distinguishers.get(&vrf.name));
    }
    all
}

/// Of eight tenants, who is there, who has a SID per family, and who has one for services or an egress address. 15 functions, so that they run out.
fn intents() -> impl Strategy<Value = Intent> {
    proptest::collection::vec((0u8..3, any::<bool>(), 0u8..8), 8).prop_map(|tenants| {
        let mut vrfs = Vec::new();
        for (n, (mode, _, more)) in tenants.iter().enumerate().filter(|(_, (_, there, _))| *there) {
            let mut tenant = vrf(&format!("t{n}"));
            tenant.services.extend((*more == 0).then(|| service("web", &["10.100.0.1"], &[])));
            tenant.egress.extend((*more == 1).then(|| gateway("internet", &["192.0.2.7"])));
            tenant.sid_mode = if *mode == 0 { SidMode::PerFamily } else { SidMode::PerVrf };
            vrfs.push(tenant);
        }
        let mut intent = intent(vrfs);
        intent.srv6.locators = vec![locator("tiny", "fc00:0:1::", [32, 16, 3, 0])];
        intent
    })
}

proptest! {
    #[test]
    fn what_stays_never_moves_and_no_number_is_given_twice(steps in proptest::collection::vec(intents(), 1..20)) {
        let mut allocations = Allocations::default();
        let mut before = BTreeMap::new();
        for step in &steps {
            allocations.settle(step);
            let text = serde_json::to_string(&allocations).unwrap();
            allocations = serde_json::from_str(&text).unwrap();
            let now = numbers(&allocations, step);
            let kept = before.iter().filter(|(key, _)| now.contains_key(key));
            for (key, number) in kept {
                prop_assert_eq!(now[key], *number, "{:?} moved", key);
            }
            let given: BTreeSet<(&str, u32)> = now.iter().map(|(key, n)| (group(key.1), *n)).collect();
            prop_assert_eq!(given.len(), now.len(), "a number has two owners: {:?}", now);
            prop_assert!(now.values().all(|number| *number >= 1));
            // Nor to someone else in the step in which it was freed.
            for (key, number) in &now {
                let same = |(k, n): &(&Key, &u32)| **n == *number && group(k.1) == group(key.1);
                let other = before.iter().filter(same).find(|(k, _)| *k != key);
                prop_assert!(other.is_none(), "{:?} took {:?}", key, other);
            }
            let mut again = allocations.clone();
            again.settle(step);
            let numbers_again = numbers(&again, step);
            prop_assert!(now.iter().all(|(key, number)| numbers_again.get(key) == Some(number)));
            before = now;
        }
    }

    #[test]
    fn every_function_given_makes_a_sid(steps in proptest::collection::vec(intents(), 1..10)) {
        let mut allocations = Allocations::default();
        for step in &steps {
            allocations.settle(step);
            let locator: Locator = step.srv6.locators[0].locator;
            for ((_, kind), number) in numbers(&allocations, step) {
                prop_assert!(group(kind) != "function" || locator.sid(number).is_some());
            }
        }
    }
}

fn group(kind: &str) -> &str {
    if kind.starts_with("dt") { "function" } else { kind }
}
