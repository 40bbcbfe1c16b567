mod advertise;
mod blocks;
mod load;
mod node;
mod policies;
mod property;
mod review;
mod vrf;

use vrf_manager::intent::{Intent, check};

use super::{Problem, Reason, render, testing::Cluster};
use crate::world::World;

/// What a case of a table does to the world.
type Edit = fn(&mut World);

/// Of node `n1`, without a problem.
fn clean(cluster: &Cluster) -> Intent {
    let (intent, problems) = rendered(cluster);
    assert_eq!(problems, []);
    intent
}

/// Of node `n1`, which has an intent; what is told of which object and why.
fn rendered(cluster: &Cluster) -> (Intent, Vec<(String, Reason)>) {
    let rendered = render(&cluster.inputs("n1"));
    let told = |problem: Problem| (problem.object.to_string(), problem.reason);
    let intent = rendered.intent.unwrap();
    assert_eq!(check(&intent), []);
    (intent, rendered.problems.into_iter().map(told).collect())
}

/// Of node `n1`, which has none, and why.
fn refused(cluster: &Cluster) -> (String, Reason) {
    let problem = render(&cluster.inputs("n1")).intent.unwrap_err();
    (problem.object.to_string(), problem.reason)
}
