//! Filters are replaced as a whole, outlive the process, and leave nothing behind. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/customer.rs"]
mod customer;
#[path = "common/lab.rs"]
mod lab;
#[path = "common/namespace.rs"]
mod namespace;

use aya::maps::{HashMap, LpmTrie, Map, MapData, lpm_trie::Key};
use customer::Customer;
use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    model::{Action, Direction, Filter, FilterId, Rule, Vrf},
};
use srv6_types::{
    VrfId,
    maps::{
        FilterClass, FilterKey4, FilterKey6, FilterPortKey, FilterRuleEntry, FilterRuleKey, FilterVerdict,
    },
};

const RED: VrfId = VrfId(1);
const ID: FilterId = FilterId(7);

fn rule(name: &str, direction: Direction, prefix: &str, port: Option<u16>, action: Action) -> Rule {
    let (protocol, ports) = (port.map(|_| 6), port.map(|port| (port, port)));
    Rule { name: name.to_owned(), direction, prefix: prefix.parse().unwrap(), protocol, ports, action }
}

/// `filler` rules that match nothing, then one against customer 3.
fn against_three(name: &str, filler: u16) -> Filter {
    let filler =
        (1..=filler).map(|port| rule("filler", Direction::Out, "10.0.0.0/8", Some(port), Action::Drop));
    let against = rule(name, Direction::Out, "10.3.0.0/16", None, Action::Drop);
    Filter { rules: filler.chain([against]).collect() }
}

/// Customers 1 to 3 in one VRF, the first behind `filter`.
fn customers(lab: &Lab, filter: Filter) -> (State, [Customer; 3]) {
    let customers = [1, 2, 3].map(|number| Customer::new(lab, number));
    let mut state = State::default();
    state.vrfs.insert(RED, Vrf { flows: Some(1024), ..Vrf::default() });
    state.filters.insert(ID, filter);
    for customer in &customers {
        customer.add_to(&mut state, RED);
    }
    let circuit = state.circuits.get_mut(&customers[0].circuit_interface()).unwrap();
    circuit.filter = Some(ID);
    (state, customers)
}

fn reach(dataplane: &mut EbpfDataplane, wanted: &State) {
    let changes = Change::between(&dataplane.observe().unwrap(), wanted);
    dataplane.apply_all(&changes).unwrap();
    assert_eq!(dataplane.observe().unwrap(), *wanted);
}

fn open(lab: &Lab) -> EbpfDataplane {
    EbpfDataplane::open(&lab.options()).unwrap()
}

fn pinned(lab: &Lab, map: &str) -> MapData {
    MapData::from_pin(lab.options().pin_dir.join("maps").join(map)).unwrap()
}

/// Entries of every map that filters are written to.
fn entries(lab: &Lab) -> [usize; 4] {
    let rules = Map::HashMap(pinned(lab, "FILTER_RULES"));
    let classes4 = Map::LpmTrie(pinned(lab, "FILTER_CLASSES4"));
    let classes6 = Map::LpmTrie(pinned(lab, "FILTER_CLASSES6"));
    let ports = Map::LpmTrie(pinned(lab, "FILTER_PORTS"));
    [
        HashMap::<_, FilterRuleKey, FilterRuleEntry>::try_from(rules).unwrap().keys().count(),
        LpmTrie::<_, FilterKey4, FilterClass>::try_from(classes4).unwrap().keys().count(),
        LpmTrie::<_, FilterKey6, FilterClass>::try_from(classes6).unwrap().keys().count(),
        LpmTrie::<_, FilterPortKey, FilterVerdict>::try_from(ports).unwrap().keys().count(),
    ]
}

/// Between two filters that agree on who may talk to whom, no packet meets a third.
#[test]
fn a_filter_that_is_replaced_under_traffic_holds_all_the_time() {
    let lab = Lab::new();
    let (mut state, [one, two, three]) = customers(&lab, against_three("first", 300));
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &state);
    let (may, may_not) = (one.flood(two.address()), three.flood(one.address()));
    for round in 0..100 {
        let filter = against_three(if round % 2 == 0 { "second" } else { "first" }, 200 + round);
        state.filters.insert(ID, filter.clone());
        dataplane.apply(&Change::SetFilter(ID, filter)).unwrap();
    }
    let (may, may_not) = (may.stop(), may_not.stop());
    println!("100 filters of 200 to 300 rules under {may:?} and, denied, {may_not:?}");
    may.assert_nothing_lost();
    assert!(may_not.sent > 100 && may_not.answered == 0, "{may_not:?}");
    assert_eq!(dataplane.observe().unwrap(), state);
    assert_eq!(entries(&lab), [300, 2, 0, 600], "of the last filter alone");
}

#[test]
fn counters_name_the_rules_and_outlive_changes_of_others() {
    let lab = Lab::new();
    let (state, [one, _, three]) = customers(&lab, against_three("no-three", 0));
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &state);
    let mut events = dataplane.events().unwrap().unwrap();
    three.pings(one.address(), 3);
    let of = |dataplane: &EbpfDataplane| dataplane.counters().unwrap().filters[&ID].clone();
    let counted = of(&dataplane);
    assert_eq!(counted.rules.len(), 1);
    let (name, tally) = &counted.rules[0];
    assert_eq!((name.as_str(), tally.packets, tally.bytes), ("no-three", 3, 3 * 84));
    assert!(events.all(|dropped| dropped.rule.as_deref() == Some("no-three")));

    let longer = against_three("no-three", 2);
    dataplane.apply(&Change::SetFilter(ID, longer)).unwrap();
    drop(dataplane);
    let mut dataplane = open(&lab);
    assert_eq!(of(&dataplane).rules[2], ("no-three".to_owned(), *tally), "the rule is the same");
    three.pings(one.address(), 1);
    assert_eq!(of(&dataplane).rules[2].1.packets, 4);
    dataplane.apply(&Change::SetFilter(ID, against_three("other", 0))).unwrap();
    assert_eq!(of(&dataplane).rules[0].1.packets, 0, "another rule begins at zero");
    one.pings(one.address(), 1);
}

#[test]
fn the_next_process_takes_filters_over_and_removes_what_no_filter_names() {
    let lab = Lab::new();
    let (state, [one, two, three]) = customers(&lab, against_three("no-three", 20));
    reach(&mut open(&lab), &state);
    let whole = entries(&lab);
    // As if the process had died while it wrote another set.
    let verdict = FilterVerdict::default();
    let mut rules =
        HashMap::<_, FilterRuleKey, FilterRuleEntry>::try_from(Map::HashMap(pinned(&lab, "FILTER_RULES")))
            .unwrap();
    let entry = rules.get(&FilterRuleKey { set: 1, rule: 0 }, 0).unwrap();
    rules.insert(FilterRuleKey { set: 2, rule: 0 }, entry, 0).unwrap();
    let mut classes =
        LpmTrie::<_, FilterKey4, FilterClass>::try_from(Map::LpmTrie(pinned(&lab, "FILTER_CLASSES4")))
            .unwrap();
    let key = FilterKey4 { side: srv6_types::maps::filter_side(2, 1), address: [10, 0, 0, 0] };
    classes.insert(&Key::new(40, key), FilterClass { class: 1, verdict }, 0).unwrap();
    let mut ports =
        LpmTrie::<_, FilterPortKey, FilterVerdict>::try_from(Map::LpmTrie(pinned(&lab, "FILTER_PORTS")))
            .unwrap();
    let key = FilterPortKey {
        set: 2_u32.to_be_bytes(),
        class: 1_u32.to_be_bytes(),
        protocol: 6,
        port: [0; 2],
        reserved: 0,
    };
    ports.insert(&Key::new(72, key), verdict, 0).unwrap();
    assert_ne!(entries(&lab), whole);

    let mut dataplane = open(&lab);
    assert_eq!(entries(&lab), whole);
    assert_eq!(dataplane.observe().unwrap(), state);
    three.pings(one.address(), 1);
    assert_eq!(dataplane.counters().unwrap().filters[&ID].rules[20].1.packets, 1, "it is in force still");
    assert_eq!(two.pings(one.address(), 1), 1);

    let mut gone = state.clone();
    gone.filters.clear();
    gone.circuits.values_mut().for_each(|circuit| circuit.filter = None);
    reach(&mut dataplane, &gone);
    assert_eq!(entries(&lab), [0; 4]);
    assert_eq!(three.pings(one.address(), 1), 1);
    reach(&mut dataplane, &state);
    reach(&mut dataplane, &State::default());
    assert_eq!(entries(&lab), [0; 4], "nor does a VRF that goes leave anything");
}

#[test]
fn a_filter_that_does_not_fit_leaves_the_old_one_in_force() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let small = against_three("no-three", 400);
    dataplane.apply(&Change::SetFilter(ID, small.clone())).unwrap();
    let whole = entries(&lab);
    for _ in 0..3 {
        let error =
            dataplane.apply(&Change::SetFilter(ID, against_three("x", 2000))).unwrap_err().to_string();
        assert!(error.contains("full at 1024 entries: raise sizes.filter_rules"), "{error}");
        assert_eq!(dataplane.observe().unwrap().filters[&ID], small);
        assert_eq!(entries(&lab), whole);
    }
    let long = against_three("a-name-of-more-than-31-octets-is-refused", 0);
    let error = dataplane.apply(&Change::SetFilter(ID, long)).unwrap_err().to_string();
    assert!(error.contains("keep to 31 octets"), "{error}");
    // Room is given back, again and again.
    for round in 0..10 {
        dataplane.apply(&Change::SetFilter(ID, against_three("no-three", 390 + round))).unwrap();
    }
}
