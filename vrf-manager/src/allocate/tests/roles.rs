//! SIDs that do more than deliver.

use super::*;

#[test]
fn a_state_file_of_an_older_version_reads_and_its_numbers_stay() {
    let old = r#"{"vrfs":{"used":[["red",7]],"retired":[["gone",3]]},"distinguishers":{"used":[["red",7]],"retired":[]},
        "functions":{"main":{"used":[[{"vrf":"red","service":"dt46"},5]],"retired":[[{"vrf":"gone","service":"dt4"},2]]}}}"#;
    let mut allocations: Allocations = serde_json::from_str(old).unwrap();
    assert_eq!(allocations.settle(&with_services()), []);
    assert_eq!(allocations.vrf("red"), Some(VrfId(7)));
    assert_eq!(allocations.function("main", "red", SidPurpose::Dt46), Some(5));
    assert_eq!(allocations.function("main", "red", SidPurpose::Balance), Some(1), "a new number");
}

/// Red, with a service and an egress address.
fn with_services() -> Intent {
    let red = vrf("red").service(service("web", &["10.100.0.1"], &[]));
    intent(vec![red.egress(gateway("internet", &["192.0.2.7", "2001:db8::7"]))])
}

#[test]
fn sids_of_services_and_egress_addresses_never_move() {
    let egress = |text: &str| SidPurpose::Egress(text.parse().unwrap());
    let functions = |allocations: &Allocations| {
        [SidPurpose::Dt46, SidPurpose::Balance, egress("192.0.2.7"), egress("2001:db8::7")]
            .map(|purpose| allocations.function("main", "red", purpose))
    };
    let mut allocations = settled(&with_services());
    let before = functions(&allocations);
    assert_eq!(before, [Some(1), Some(2), Some(3), Some(4)]);
    allocations.settle(&intent_of(&["red"]));
    assert_eq!(functions(&allocations), [Some(1), None, None, None]);
    let text = serde_json::to_string(&allocations).unwrap();
    let mut allocations: Allocations = serde_json::from_str(&text).unwrap();
    let mut other = with_services();
    other.vrfs[0].egress[0].addresses.insert(0, "192.0.2.6".parse().unwrap());
    other.vrfs[0].egress[0].gateway.as_mut().unwrap().addresses.insert(0, "192.0.2.6".parse().unwrap());
    allocations.settle(&other);
    assert_eq!(functions(&allocations), before, "they have theirs again, another before them or not");
}

#[test]
fn roles_are_adopted_from_the_maps() {
    let (intent, links) = (with_services_on("eth1"), links(&["eth1"]));
    let mut before = Allocations::default();
    before.settle(&intent_of(&["another"]));
    let observed = replan(&intent, &links, &mut before).dataplane;
    let mut adopted = Allocations::default();
    adopted.adopt(&intent, &links, &observed);
    adopted.settle(&intent);
    for purpose in SidPurpose::of(&intent.vrfs[0]) {
        let function = |allocations: &Allocations| allocations.function("main", "red", purpose);
        assert_eq!(function(&adopted), function(&before), "{purpose:?}");
    }
}

fn with_services_on(interface: &str) -> Intent {
    let mut intent = with_services();
    intent.vrfs[0] = intent.vrfs[0].clone().circuit(interface, &["10.0.0.1/24"]);
    intent
}
