use proptest::prelude::*;

use super::*;
use crate::{
    api::{LocatorStructure, NodeLocator},
    world::LocatorPool,
};

fn pool(prefix: &str, given: &[(&str, &str)]) -> LocatorPoolSpec {
    let nodes =
        given.iter().map(|(node, locator)| NodeLocator { node: (*node).into(), locator: (*locator).into() });
    LocatorPoolSpec {
        prefix: prefix.into(),
        structure: LocatorStructure::default(),
        node_selector: None,
        nodes: nodes.collect(),
    }
}

fn nodes(names: &[&str]) -> BTreeMap<String, Node> {
    names.iter().map(|name| ((*name).to_owned(), Node::default())).collect()
}

fn round(spec: &LocatorPoolSpec, held: &[Allocation], names: &[&str]) -> Allocated {
    allocate(spec, held, &nodes(names), &[])
}

fn told(allocated: &Allocated) -> Vec<(&str, &str, u32)> {
    allocated.allocations.iter().map(|held| (&*held.node, &*held.locator, held.index)).collect()
}

#[test]
fn new_nodes_are_numbered_by_name_from_one() {
    let given = round(&pool("fc00::/32", &[]), &[], &["pe2", "pe1"]);
    assert_eq!(told(&given), [("pe1", "fc00:0:1::/48", 1), ("pe2", "fc00:0:2::/48", 2)]);
    assert_eq!((given.faults, given.waiting), (vec![], vec![]));
}

#[test]
fn a_prefix_behind_the_block_starts_at_zero_as_the_nodes_number_is_not() {
    let given = round(&pool("fc00:0:100::/40", &[]), &[], &["pe1"]);
    assert_eq!(told(&given), [("pe1", "fc00:0:100::/48", 0)]);
}

#[test]
fn the_classic_structure_is_numbered_too() {
    let mut spec = pool("2001:db8::/40", &[]);
    spec.structure = LocatorStructure { block: 40, node: 24, function: 16, argument: 0 };
    assert_eq!(told(&round(&spec, &[], &["pe1"])), [("pe1", "2001:db8:0:1::/64", 1)]);
}

#[test]
fn a_node_that_was_away_has_its_locator_again_and_nobody_had_it_meanwhile() {
    let spec = pool("fc00::/32", &[]);
    let first = round(&spec, &[], &["pe1", "pe2"]);
    let away = round(&spec, &first.allocations, &["pe2", "pe3"]);
    assert_eq!(told(&away)[2], ("pe3", "fc00:0:3::/48", 3));
    let back = round(&spec, &away.allocations, &["pe1", "pe2", "pe3"]);
    assert_eq!(back, away);
}

#[test]
fn only_nodes_that_the_pool_selects_are_given_one_and_keep_it_when_their_labels_go() {
    let mut spec = pool("fc00::/32", &[]);
    spec.node_selector =
        serde_json::from_value(serde_json::json!({ "matchLabels": { "edge": "yes" } })).unwrap();
    let mut nodes = nodes(&["pe1", "pe2"]);
    nodes.get_mut("pe2").unwrap().labels.insert("edge".into(), "yes".into());
    let given = allocate(&spec, &[], &nodes, &[]);
    assert_eq!(told(&given), [("pe2", "fc00:0:1::/48", 1)]);
    nodes.get_mut("pe2").unwrap().labels.clear();
    assert_eq!(allocate(&spec, &given.allocations, &nodes, &[]), given);
}

#[test]
fn what_is_given_by_hand_is_kept_free_for_its_node() {
    let spec = pool("fc00::/32", &[("pe9", "fc00:0:1::/48")]);
    let before = round(&spec, &[], &["pe1"]);
    assert_eq!(told(&before), [("pe1", "fc00:0:2::/48", 2)]);
    let after = round(&spec, &before.allocations, &["pe1", "pe9"]);
    assert_eq!(told(&after)[1], ("pe9", "fc00:0:1::/48", 1));
}

#[test]
fn a_locator_from_elsewhere_takes_the_lowest_free_number_and_its_locator_is_nobodys() {
    let spec = pool("fc00::/32", &[("pe2", "fd00:0:7::/48")]);
    let given = round(&spec, &[], &["pe1", "pe2", "pe3"]);
    let expected = [("pe1", "fc00:0:1::/48", 1), ("pe2", "fd00:0:7::/48", 2), ("pe3", "fc00:0:3::/48", 3)];
    assert_eq!(told(&given), expected);
}

/// Each: what is given by hand, and the fault told; pe1 has fc00:0:1::/48 and pe2 fc00:0:2::/48 before.
#[test]
fn what_cannot_be_given_is_told_and_nobody_is_moved_for_it() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("pe3", "fc00::/32")], "spec.nodes[0].locator: fc00::/32 is not a locator of this pool"),
        (&[("pe3", "fc00:0:9::1/48")], "spec.nodes[0].locator: fc00:0:9::1/48 is not a locator of this pool"),
        (&[("pe3", "nine")], "spec.nodes[0].locator: \"nine\" is not an IPv6 prefix"),
        (&[("pe3", "fc00:0:1::/48")], "spec.nodes[0].locator: fc00:0:1::/48, or its number, is node pe1's"),
        (&[("pe1", "fc00:0:9::/48")], "spec.nodes[0].locator: node pe1 has fc00:0:1::/48, which stays"),
        (
            &[("pe3", "fc00:0:9::/48"), ("pe4", "fc00:0:9::/48")],
            "spec.nodes[1].locator: fc00:0:9::/48 is given to node pe3",
        ),
        (
            &[("pe3", "fc00:0:9::/48"), ("pe3", "fc00:0:8::/48")],
            "spec.nodes[1].locator: node pe3 stands here twice",
        ),
    ];
    let held = round(&pool("fc00::/32", &[]), &[], &["pe1", "pe2"]).allocations;
    for (by_hand, fault) in cases {
        let given = round(&pool("fc00::/32", by_hand), &held, &["pe1", "pe2", "pe3", "pe4"]);
        let messages: Vec<&String> = given.faults.iter().map(|fault| &fault.message).collect();
        assert!(messages.len() == 1 && messages[0].starts_with(fault), "{by_hand:?}: {messages:?}");
        assert_eq!(given.allocations[..2], held[..], "{by_hand:?}");
    }
}

#[test]
fn a_node_whose_locator_by_hand_is_refused_is_not_given_another_one_that_would_stay() {
    let given = round(&pool("fc00::/32", &[("pe1", "nine")]), &[], &["pe1", "pe2"]);
    assert_eq!(told(&given), [("pe2", "fc00:0:1::/48", 1)]);
}

/// A pool of three: node numbers 1 to 3 of a /46, 0 being reserved.
const SMALL: &str = "fc00::/46";

#[test]
fn when_none_is_left_nodes_wait_and_the_others_keep_theirs() {
    let spec = pool(SMALL, &[]);
    let given = round(&spec, &[], &["a", "b", "c", "d", "e"]);
    assert_eq!(given.allocations.len(), 3);
    assert_eq!(given.waiting, ["d", "e"]);
}

#[test]
fn a_deleted_nodes_number_is_given_away_only_when_none_is_left() {
    let spec = pool(SMALL, &[]);
    let two = round(&spec, &[], &["a", "b"]);
    let three = round(&spec, &two.allocations, &["b", "c"]);
    assert_eq!(
        told(&three),
        [("a", "fc00:0:1::/48", 1), ("b", "fc00:0:2::/48", 2), ("c", "fc00:0:3::/48", 3)]
    );
    let full = round(&spec, &three.allocations, &["b", "c", "d"]);
    assert_eq!(
        told(&full),
        [("b", "fc00:0:2::/48", 2), ("c", "fc00:0:3::/48", 3), ("d", "fc00:0:1::/48", 1)]
    );
}

#[test]
fn a_deleted_nodes_locator_is_given_by_hand_once_the_other_node_is_there() {
    let held = round(&pool("fc00::/32", &[]), &[], &["a"]).allocations;
    let spec = pool("fc00::/32", &[("b", "fc00:0:1::/48")]);
    assert_eq!(round(&spec, &held, &[]).allocations, held);
    assert_eq!(told(&round(&spec, &held, &["b"])), [("b", "fc00:0:1::/48", 1)]);
}

#[test]
fn pools_that_overlap_never_give_the_same() {
    let empty = LocatorPool { spec: pool("fc00::/32", &[]), allocations: vec![] };
    let mut pools = BTreeMap::from([("core", empty.clone()), ("edge", empty)]);
    for _ in 0..2 {
        for name in ["edge", "core"] {
            let beside = neighbors(name, pools.iter().map(|(name, pool)| (*name, pool)));
            let own = &pools[name];
            let given = allocate(&own.spec, &own.allocations, &nodes(&["pe1"]), &beside);
            assert_eq!(given.faults.len(), usize::from(name == "edge"));
            pools.get_mut(name).unwrap().allocations = given.allocations;
        }
    }
    assert_eq!((pools["core"].allocations.len(), pools["edge"].allocations.len()), (1, 0));
}

#[test]
fn a_prefix_that_means_nothing_moves_nobody() {
    let held = round(&pool("fc00::/32", &[]), &[], &["pe1"]).allocations;
    for prefix in ["10.0.0.0/8", "fc00::/16", "fc00::/64", "fc00::1/40", "x"] {
        let given = round(&pool(prefix, &[]), &held, &["pe1", "pe2"]);
        assert_eq!((given.allocations.len(), given.faults.len()), (1, 1), "{prefix}");
        assert!(given.faults[0].message.starts_with("spec.prefix: "), "{prefix}");
    }
}

/// What happens to a cluster: nodes come and go, locators are given by hand, the controller starts anew (which is every round: it
/// remembers nothing but the status).
#[derive(Clone, Debug)]
enum Step {
    Join(u8),
    Leave(u8),
    ByHand(u8, u8),
    Elsewhere(u8, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (node, number) = (0..12u8, 0..10u8);
    let step = prop_oneof![
        4 => node.clone().prop_map(Step::Join),
        2 => node.clone().prop_map(Step::Leave),
        1 => (node.clone(), number.clone()).prop_map(|(node, number)| Step::ByHand(node, number)),
        1 => (node, number).prop_map(|(node, number)| Step::Elsewhere(node, number)),
    ];
    prop::collection::vec(step, 0..40)
}

fn step(step: Step, spec: &mut LocatorPoolSpec, nodes: &mut BTreeMap<String, Node>) {
    let mut by_hand = |node, locator| spec.nodes.push(NodeLocator { node: format!("n{node}"), locator });
    match step {
        Step::Join(node) => drop(nodes.insert(format!("n{node}"), Node::default())),
        Step::Leave(node) => drop(nodes.remove(&format!("n{node}"))),
        Step::ByHand(node, number) => by_hand(node, format!("fc00:0:{number}::/48")),
        Step::Elsewhere(node, number) => by_hand(node, format!("fd00:0:{number}::/48")),
    }
}

fn all_differ<T: Ord>(values: impl Iterator<Item = T> + Clone) -> bool {
    values.clone().collect::<BTreeSet<T>>().len() == values.count()
}

proptest! {
    /// Seven numbers for up to twelve nodes, so that the pool runs out, too.
    #[test]
    fn no_two_nodes_share_and_no_node_that_is_there_is_moved(steps in steps()) {
        let mut spec = pool("fc00::/45", &[]);
        let (mut nodes, mut held) = (BTreeMap::new(), Vec::<Allocation>::new());
        for event in steps {
            step(event, &mut spec, &mut nodes);
            let given = allocate(&spec, &held, &nodes, &[]);
            prop_assert!(all_differ(given.allocations.iter().map(|held| &held.locator)), "{given:?}");
            prop_assert!(all_differ(given.allocations.iter().map(|held| held.index)), "{given:?}");
            for before in &held {
                let kept = given.allocations.contains(before);
                let there = nodes.contains_key(&before.node);
                prop_assert!(kept || !there, "{before:?} moved: {given:?}");
            }
            let again = allocate(&spec, &given.allocations, &nodes, &[]);
            prop_assert_eq!(&again.allocations, &given.allocations, "a second round changes nothing");
            held = given.allocations;
        }
    }

    #[test]
    fn while_numbers_are_left_nothing_is_ever_taken_back(steps in steps()) {
        let mut spec = pool("fc00::/32", &[]);
        let (mut nodes, mut held) = (BTreeMap::new(), Vec::<Allocation>::new());
        for event in steps.into_iter().filter(|step| matches!(step, Step::Join(_) | Step::Leave(_))) {
            step(event, &mut spec, &mut nodes);
            let given = allocate(&spec, &held, &nodes, &[]).allocations;
            prop_assert!(held.iter().all(|before| given.contains(before)));
            prop_assert!(nodes.keys().all(|node| given.iter().any(|held| held.node == *node)));
            held = given;
        }
    }
}
