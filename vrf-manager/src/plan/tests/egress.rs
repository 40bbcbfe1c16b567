use srv6_dp::model::{EgressAddress, SidRole};

use super::*;
use crate::{
    intent::EgressGateway,
    testing::{addresses, gateway, policy},
};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24"])
}

fn own(vrf: &mut Vrf) -> &mut EgressGateway {
    vrf.egress[0].gateway.as_mut().unwrap()
}

/// How the /32 of red's egress address is told, with LOCAL_PREF.
fn told(desired: &Desired) -> Option<(String, Option<u32>, Vec<Community>)> {
    let route = desired.advertise.iter().find(|route| route.prefix.to_string() == "192.0.2.7/32")?;
    Some((route.sid?.sid.to_string(), route.local_pref, route.communities.clone()))
}

#[test]
fn a_gateway_has_the_address_its_route_and_a_sid_that_translates_to_it() {
    let desired = planned(vec![red().egress(gateway("internet", &["192.0.2.7"]))], &["eth1"]);
    let address = "192.0.2.7".parse().unwrap();
    let ports = EgressAddress { first_port: 1024, block_size: 128, blocks: 504 };
    assert_eq!(desired.dataplane.egress_addresses, BTreeMap::from([((RED, address), ports)]));
    assert_eq!(desired.dataplane.routes[&(RED, net("192.0.2.7/32"))], NextHop::Egress);
    let entry = SidEntry { behavior: Behavior::END_DT46, vrf: RED, role: SidRole::Egress(address) };
    assert_eq!(desired.dataplane.sids[&sid("fc00:0:1:2::")], entry);
    assert_eq!(told(&desired), Some(("fc00:0:1:2::".into(), Some(100), vec![])));
    let vrf = &desired.dataplane.vrfs[&RED];
    assert_eq!((vrf.flows, vrf.services, vrf.egress), (Some(65_536), false, true));
}

#[test]
fn who_is_no_gateway_has_the_policy_and_nothing_else() {
    let desired = planned(vec![red().egress(policy("internet", &["192.0.2.7", "192.0.2.8"]))], &["eth1"]);
    assert!(desired.dataplane.egress_addresses.is_empty());
    assert_eq!((desired.dataplane.sids.len(), told(&desired)), (1, None));
    let entry = &desired.dataplane.egress_policies[&(RED, "internet".into())];
    assert_eq!(entry.addresses, addresses(&["192.0.2.7", "192.0.2.8"]), "in the order of preference");
    assert_eq!(entry.sources, BTreeSet::from([net("10.0.0.0/24")]));
    assert_eq!(entry.destinations, BTreeSet::from([net("0.0.0.0/0")]));
}

#[test]
fn policies_go_by_their_order_and_by_the_circuits_that_there_are() {
    let mut by_circuit = policy("second", &["192.0.2.8"]);
    by_circuit.sources.clear();
    by_circuit.circuits = vec!["eth1".into(), "eth7".into()];
    let mut nobodys = policy("third", &["192.0.2.8"]);
    nobodys.sources.clear();
    nobodys.circuits = vec!["eth7".into()];
    let red = red().circuit("eth7", &[]).egress(policy("first", &["192.0.2.7"]));
    let desired = planned(vec![red.egress(by_circuit).egress(nobodys)], &["eth1"]);
    let policies = &desired.dataplane.egress_policies;
    let ranks: Vec<_> = policies.iter().map(|((_, name), policy)| (name.as_str(), policy.rank)).collect();
    assert_eq!(ranks, [("first", 0), ("second", 1)], "the third is for no host now");
    assert_eq!(policies[&(RED, "second".into())].circuits, BTreeSet::from([IfIndex(2)]));
    assert_eq!(desired.vrfs[&RED].egress.len(), 3);
}

#[test]
fn the_preference_of_a_gateway_is_its_local_pref() {
    let told_with = |change: fn(&mut EgressGateway)| {
        let mut red = red().egress(gateway("internet", &["192.0.2.7"]));
        change(own(&mut red));
        let (_, local_pref, communities) = told(&planned(vec![red], &["eth1"])).unwrap();
        (local_pref, communities)
    };
    assert_eq!(told_with(|gateway| gateway.attributes.local_preference = Some(200)), (Some(200), vec![]));
    let marked = |gateway: &mut EgressGateway| {
        gateway.attributes.communities = [Community::NO_EXPORT].into();
    };
    assert_eq!(told_with(marked), (Some(100), vec![Community::NO_EXPORT]));
    let leaving = |gateway: &mut EgressGateway| {
        (gateway.attributes.local_preference, gateway.graceful_shutdown) = (Some(200), true);
    };
    assert_eq!(told_with(leaving), (Some(0), vec![Community::GRACEFUL_SHUTDOWN]), "RFC 8326 section 4");
}

#[test]
fn ports_are_whole_blocks() {
    let table = [
        ((1024, 65535), 128, 504),
        ((1024, 65535), 1024, 63),
        ((60_000, 60_127), 128, 1),
        ((60_000, 60_200), 128, 1),
        ((1, 65535), 1, 65_535),
    ];
    for (range, block, blocks) in table {
        let mut red = red().egress(gateway("internet", &["192.0.2.7"]));
        (own(&mut red).ports, own(&mut red).port_block) = (range, block);
        let desired = planned(vec![red], &["eth1"]);
        let expected = EgressAddress { first_port: range.0, block_size: block, blocks };
        assert_eq!(desired.dataplane.egress_addresses.values().collect::<Vec<_>>(), [&expected]);
    }
}

#[test]
fn an_address_that_no_one_can_import_needs_no_sid() {
    let mut red = red().egress(gateway("internet", &["192.0.2.7"]));
    red.export_route_targets.clear();
    let desired = planned(vec![red], &["eth1"]);
    assert_eq!((desired.dataplane.sids.len(), told(&desired)), (1, None));
    assert_eq!(desired.dataplane.egress_addresses.len(), 1, "hosts of this node leave by it");
}
