//! Whatever the API server says, no panic, and nothing that the intent's check refuses.

mod bgp;
mod choices;
mod tenants;

use proptest::{prelude::*, strategy::ValueTree};
use vrf_manager::intent::check;

use super::*;
use crate::render::{Inputs, block, review};
use choices::Choices;

/// A world of few words, most of them with a meaning, and interfaces of pods on `n1`.
fn cluster(choices: &mut Choices) -> Cluster {
    let mut cluster = Cluster::new();
    bgp::scramble(&mut cluster, choices);
    tenants::scramble(&mut cluster, choices);
    cluster
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_world_makes_an_intent_that_is_refused(choices in prop::collection::vec(any::<u16>(), 0..900)) {
        let cluster = cluster(&mut Choices::new(choices));
        for node in ["n1", "n2"] {
            let inputs: Inputs<'_> = cluster.inputs(node);
            let rendered = render(&inputs);
            if let Ok(intent) = &rendered.intent {
                prop_assert_eq!(check(intent), vec![]);
            }
            prop_assert_eq!(render(&inputs), rendered, "same input, same output");
            for vrf in cluster.world.vrfs.keys() {
                drop(block(&cluster.world, node, vrf));
            }
        }
        drop(review(&cluster.world));
    }
}

/// The worlds are not so bad that the property says nothing.
#[test]
fn most_worlds_have_an_intent_with_something_of_everything() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any::<u16>(), 900);
    let (mut intents, mut kinds) = (0, [0; 7]);
    for _ in 0..500 {
        let tree = strategy.new_tree(&mut runner).unwrap();
        let cluster = cluster(&mut Choices::new(tree.current()));
        let Ok(intent) = render(&cluster.inputs("n1")).intent else { continue };
        intents += 1;
        let vrfs = || intent.vrfs.iter();
        let circuits = || vrfs().flat_map(|vrf| &vrf.circuits);
        let seen = [
            circuits().any(|circuit| circuit.probes),
            circuits().any(|circuit| !circuit.filter.is_empty()),
            vrfs().any(|vrf| !vrf.services.is_empty()),
            vrfs().any(|vrf| !vrf.egress.is_empty()),
            vrfs().any(|vrf| !vrf.static_routes.is_empty()),
            !intent.bgp.networks.is_empty(),
            !intent.bgp.neighbors.is_empty(),
        ];
        kinds.iter_mut().zip(seen).for_each(|(count, seen)| *count += u32::from(seen));
    }
    assert!(intents > 250, "{intents} of 500");
    assert!(kinds.iter().all(|count| *count > 10), "{kinds:?} of {intents}");
}
