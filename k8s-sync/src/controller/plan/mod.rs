//! What is to be written, from what there is: pure, and empty when everything says already what is so.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    allocate::{allocate, neighbors},
    holding::{Holders, Outcome, names},
    wanted::Edges,
};
use crate::{
    api::{Allocation, CommonStatus, LocatorPoolStatus, NodeState, Nodes},
    render::Problem,
    status::{ACCEPTED, PROGRAMMED, READY, Verdict, holds},
    world::{LocatorPool, Object, ObjectRef, World},
};

/// What nodes have no say in.
const POOL: &str = "LocatorPool";

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the API server has told.
    pub world: &'a World,
    /// What is wrong with it.
    pub problems: &'a [Problem],
    /// Objects that the world lacks, or has an older state of, as they cannot be read.
    pub unreadable: &'a [Problem],
    /// What nodes tell, by name.
    pub node_states: &'a BTreeMap<String, NodeState>,
    /// What our objects say of themselves now.
    pub standing: &'a BTreeMap<ObjectRef, Standing>,
    /// For conditions that change.
    pub now: Timestamp,
}

/// An object with the status that it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its `metadata.uid`.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// Its `metadata.resourceVersion`.
    pub resource_version: String,
    /// Its status.
    pub status: AnyStatus,
}

/// Status of any of our objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AnyStatus {
    /// All have them.
    pub conditions: Vec<Condition>,
    /// Of those that nodes hold.
    pub nodes: Nodes,
    /// Of pools of locators.
    pub allocations: Vec<Allocation>,
}

/// A status to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Of which object.
    pub object: ObjectRef,
    /// The object is this one, and not another one of the same name.
    pub uid: String,
    /// What.
    pub status: Status,
    /// What its author is told besides.
    pub turned: Option<Turned>,
}

/// A status.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Of what nodes hold.
    Common(CommonStatus),
    /// Numbers: given out only over the version of the object that they were counted in.
    Pool {
        /// What nodes were given.
        status: LocatorPoolStatus,
        /// `metadata.resourceVersion` that must still be the object's.
        over: String,
    },
}

/// `Accepted` has turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Of which generation.
    pub generation: i64,
    /// To which.
    pub accepted: bool,
    /// Reason of the condition.
    pub reason: String,
    /// Its message.
    pub message: String,
}

/// Every status that is not what it should be.
pub fn plan(facts: &Facts<'_>) -> Vec<Write> {
    let edges = Edges::of(facts.world);
    let holders = Holders::of(facts.world, facts.node_states);
    let common =
        facts.standing.iter().filter(|(object, _)| object.kind != POOL).filter_map(|(object, standing)| {
            let wanted = edges.wanting(object).unwrap_or_default();
            // While world and standing tell of different generations, one is about to hear of the other's.
            let is_known = wanted.generation == standing.generation || facts.is_unreadable(object);
            is_known.then(|| facts.common(object, standing, holders.outcome(object, &wanted)))?
        });
    let pools = facts.pools();
    let of_pool = pools.iter().filter_map(|(name, pool)| facts.pool(name, pool, &pools));
    common.chain(of_pool).collect()
}

impl Facts<'_> {
    fn common(&self, object: &ObjectRef, standing: &Standing, outcome: Outcome) -> Option<Write> {
        let accepted = self.accepted(object, Vec::new());
        let (programmed, ready) = if accepted.holds {
            (outcome.programmed, outcome.ready)
        } else {
            (Verdict::no("NotAccepted", ""), Verdict::no("NotAccepted", ""))
        };
        let before = &standing.status.conditions;
        let condition =
            |kind, verdict: Verdict| verdict.over(kind, before, Some(standing.generation), self.now);
        let turned = turned(before, &accepted, standing.generation);
        let conditions =
            vec![condition(ACCEPTED, accepted), condition(PROGRAMMED, programmed), condition(READY, ready)];
        let status = CommonStatus { conditions, nodes: outcome.nodes };
        let stands = status.conditions == *before && status.nodes == standing.status.nodes;
        (!stands).then(|| Write {
            object: object.clone(),
            uid: standing.uid.clone(),
            status: Status::Common(status),
            turned,
        })
    }

    fn is_unreadable(&self, object: &ObjectRef) -> bool {
        self.unreadable.iter().any(|problem| problem.object == *object)
    }

    /// The pools as they are wanted, with what they have given by the newest that is known.
    fn pools(&self) -> BTreeMap<&str, Object<LocatorPool>> {
        let pool = |(name, object): (&'_ String, &Object<LocatorPool>)| {
            let mut object = object.clone();
            if let Some(standing) = self.standing.get(&ObjectRef::cluster(POOL, name)) {
                object.spec.allocations.clone_from(&standing.status.allocations);
            }
            object
        };
        self.world.locator_pools.iter().map(|(name, object)| (name.as_str(), pool((name, object)))).collect()
    }

    fn pool(
        &self,
        name: &str,
        pool: &Object<LocatorPool>,
        pools: &BTreeMap<&str, Object<LocatorPool>>,
    ) -> Option<Write> {
        let object = ObjectRef::cluster(POOL, name);
        let standing =
            self.standing.get(&object).filter(|standing| standing.generation == pool.generation)?;
        let beside = neighbors(name, pools.iter().map(|(name, pool)| (*name, &pool.spec)));
        let given = allocate(&pool.spec.spec, &standing.status.allocations, &self.world.nodes, &beside);
        let faults =
            given.faults.into_iter().map(|fault| (fault.reason.to_string(), fault.message)).collect();
        let accepted = self.accepted(&object, faults);
        let ready = match &given.waiting[..] {
            [] if accepted.holds => Verdict::yes("Allocated", "every node of the pool has its locator"),
            [] => Verdict::no("NotAccepted", ""),
            waiting => Verdict::no("Exhausted", exhausted(waiting)),
        };
        let before = &standing.status.conditions;
        let turned = turned(before, &accepted, standing.generation);
        let condition =
            |kind, verdict: Verdict| verdict.over(kind, before, Some(standing.generation), self.now);
        let conditions = vec![condition(ACCEPTED, accepted), condition(READY, ready)];
        let stands = conditions == *before && given.allocations == standing.status.allocations;
        let status = Status::Pool {
            status: LocatorPoolStatus { allocations: given.allocations, conditions },
            over: standing.resource_version.clone(),
        };
        (!stands).then(|| Write { object, uid: standing.uid.clone(), status, turned })
    }

    /// `faults` are reason and message of what is wrong besides; of a place that is told of already they say nothing new.
    fn accepted(&self, object: &ObjectRef, faults: Vec<(String, String)>) -> Verdict {
        let problems = self.unreadable.iter().chain(self.problems);
        let own = problems.filter(|problem| problem.object == *object);
        let mut told: Vec<(String, String)> =
            own.map(|problem| (problem.reason.to_string(), problem.message.clone())).collect();
        for (reason, message) in faults {
            if !told.iter().any(|(_, other)| place(other) == place(&message)) {
                told.push((reason, message));
            }
        }
        let messages: Vec<&str> = told.iter().map(|(_, message)| message.as_str()).collect();
        match told.first() {
            None => Verdict::yes("Accepted", ""),
            Some((reason, _)) => Verdict::no(reason, messages.join("; ")),
        }
    }
}

/// As in `spec.prefix`, of `spec.prefix: what is wrong`.
fn place(message: &str) -> Option<&str> {
    message.split_once(": ").map(|(place, _)| place)
}

fn exhausted(waiting: &[String]) -> String {
    format!(
        "no locator is left for {}; select fewer nodes here, or have them in a BgpCluster with a LocatorPool of its own",
        names(waiting)
    )
}

/// What is accepted from the first is no news.
fn turned(before: &[Condition], accepted: &Verdict, generation: i64) -> Option<Turned> {
    let held = holds(before, ACCEPTED);
    (held != Some(accepted.holds) && !(held.is_none() && accepted.holds)).then(|| Turned {
        generation,
        accepted: accepted.holds,
        reason: accepted.reason.clone(),
        message: accepted.message.clone(),
    })
}
