use srv6_dp::model::{Action, Filter, FilterId};

use super::*;
use crate::{intent::FilterRule, testing::drops};

/// Three circuits, of which the second has a rule of its own.
fn red() -> Vrf {
    let mut red = vrf("red").circuit("eth1", &[]).circuit("eth2", &[]).circuit("eth3", &[]);
    red.circuits[1].filter = vec![FilterRule { prefix: Some(net("10.0.2.0/24")), ..drops("own") }];
    red.rule(FilterRule { action: Action::Accept, ..drops("all") })
}

fn names(filter: &Filter) -> Vec<(&str, String)> {
    filter.rules.iter().map(|rule| (rule.name.as_str(), rule.prefix.to_string())).collect()
}

#[test]
fn a_circuits_own_rules_go_before_those_that_all_share() {
    let desired = planned(vec![red()], &["eth1", "eth2", "eth3"]);
    let of = |index| desired.dataplane.circuits[&IfIndex(index)].filter.unwrap();
    assert_eq!(of(2), of(4), "one filter for all circuits without rules of their own");
    assert_eq!(desired.dataplane.filters.len(), 2);
    let all = [("all", "0.0.0.0/0".to_owned()), ("all", "::/0".to_owned())];
    assert_eq!(names(&desired.dataplane.filters[&of(2)]), all, "a rule for each family");
    let own = [vec![("own", "10.0.2.0/24".to_owned())], all.to_vec()].concat();
    assert_eq!(names(&desired.dataplane.filters[&of(3)]), own);
    assert_eq!(desired.dataplane.vrfs[&RED].flows, Some(65_536), "answers are remembered");
}

#[test]
fn a_filter_keeps_its_number_whatever_comes_and_goes() {
    let ids = |vrfs: Vec<Vrf>, interfaces: &[&str]| {
        let circuits = planned(vrfs, interfaces).dataplane.circuits;
        circuits.into_iter().map(|(interface, circuit)| (interface, circuit.filter)).collect::<Vec<_>>()
    };
    let before = ids(vec![red(), vrf("blue")], &["eth1", "eth2", "eth3"]);
    let mut green = vrf("green").circuit("eth4", &[]).rule(drops("all"));
    green.circuits[0].filter = vec![drops("own")];
    let after = ids(vec![red(), vrf("blue"), green], &["eth1", "eth2", "eth3", "eth4"]);
    assert_eq!(after[..3], before);
    assert_ne!(before[1].1, after[3].1);
}

#[test]
fn filters_of_tenants_and_circuits_never_have_the_same_number() {
    let tenant = |name: &str, interface: &str, own: bool| {
        let mut vrf = vrf(name).circuit(interface, &[]).rule(drops("all"));
        vrf.circuits[0].filter.extend(own.then(|| drops("own")));
        vrf
    };
    // VRF 2 and interface 2 meet on purpose.
    let desired =
        planned(vec![tenant("red", "eth1", true), tenant("blue", "eth2", false)], &["eth1", "eth2"]);
    let ids: Vec<FilterId> = desired.dataplane.filters.keys().copied().collect();
    assert_eq!(ids, [FilterId(2), FilterId(0x8000_0002)]);
}

#[test]
fn without_rules_there_is_no_filter() {
    let desired = planned(vec![vrf("red").circuit("eth1", &[])], &["eth1"]);
    assert_eq!((desired.dataplane.filters.len(), desired.dataplane.circuits[&IfIndex(2)].filter), (0, None));
}
