//! What nodes say that they hold.

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::Wanted;
use crate::{
    api::{NodeState, NodeStateStatus, Nodes, ObjectState},
    status::{PROGRAMMED, READY, Verdict, holds},
    world::{ObjectRef, World},
};

/// How many nodes a message names.
const NAMED: usize = 5;

/// Nodes' states, to be asked for one object after another.
pub(super) struct Holders<'a>(BTreeMap<&'a str, Holder<'a>>);

#[derive(Default)]
struct Holder<'a> {
    /// Generation in force, by name.
    vrfs: BTreeMap<&'a str, i64>,
    /// By kind and name.
    refused: BTreeMap<(&'a str, &'a str), &'a ObjectState>,
    programmed: bool,
    ready: bool,
}

enum Answer<'a> {
    Holds,
    NotYet,
    Refuses(&'a ObjectState),
}

/// What became of an object on its nodes.
pub(super) struct Outcome {
    pub(super) nodes: Nodes,
    pub(super) programmed: Verdict,
    pub(super) ready: Verdict,
}

impl<'a> Holders<'a> {
    pub(super) fn of(world: &World, states: &'a BTreeMap<String, NodeState>) -> Self {
        let told = states.iter().filter_map(|(node, state)| Some((node, state.status.as_ref()?)));
        let holder = |(node, status): (&'a String, &'a NodeStateStatus)| {
            let is_up = world.nodes.get(node).is_some_and(|node| node.ready);
            (node.as_str(), Holder::of(status, is_up))
        };
        Self(told.map(holder).collect())
    }

    pub(super) fn outcome(&self, object: &ObjectRef, wanted: &Wanted<'_>) -> Outcome {
        let answers: Vec<(&str, Answer<'_>)> =
            wanted.nodes.iter().map(|node| (*node, self.answer(node, object, wanted.generation))).collect();
        let ready = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Holds)).count();
        let nodes = Nodes {
            summary: format!("{ready}/{}", answers.len()),
            ready: u32::try_from(ready).unwrap_or(u32::MAX),
            wanted: u32::try_from(answers.len()).unwrap_or(u32::MAX),
        };
        let programmed = programmed(&answers, &nodes.summary);
        let ready = if programmed.holds { self.ready(wanted) } else { not_programmed(&programmed) };
        Outcome { nodes, programmed, ready }
    }

    fn answer(&self, node: &str, object: &ObjectRef, generation: i64) -> Answer<'a> {
        let Some(holder) = self.0.get(node) else { return Answer::NotYet };
        let (kind, name) = (object.kind.as_str(), object.name.as_str());
        match holder.refused.get(&(kind, name)) {
            Some(refused) if refused.observed_generation >= generation => Answer::Refuses(refused),
            Some(_) => Answer::NotYet,
            None if !holder.programmed => Answer::NotYet,
            // Of other kinds nodes tell only what they refuse.
            None if kind != "Vrf" || holder.vrfs.get(name) == Some(&generation) => Answer::Holds,
            None => Answer::NotYet,
        }
    }

    fn ready(&self, wanted: &Wanted<'_>) -> Verdict {
        let is_ready = |node: &str| self.0.get(node).is_some_and(|holder| holder.ready);
        let others: Vec<&str> = wanted.nodes.iter().copied().filter(|node| !is_ready(node)).collect();
        match others[..] {
            [] => Verdict::yes("Ready", "all nodes hold it and have their BGP sessions"),
            _ => Verdict::no("NodesNotReady", format!("not ready: {}; see their NodeStates", names(&others))),
        }
    }
}

impl<'a> Holder<'a> {
    fn of(status: &'a NodeStateStatus, is_up: bool) -> Self {
        let holds = |kind| holds(&status.conditions, kind) == Some(true);
        Self {
            vrfs: status.vrfs.iter().map(|vrf| (vrf.name.as_str(), vrf.observed_generation)).collect(),
            refused: status
                .objects
                .iter()
                .map(|object| ((object.kind.as_str(), object.name.as_str()), object))
                .collect(),
            programmed: holds(PROGRAMMED),
            ready: is_up && holds(READY),
        }
    }
}

fn programmed(answers: &[(&str, Answer<'_>)], summary: &str) -> Verdict {
    if answers.is_empty() {
        return Verdict::no(
            "NoNodes",
            "no node is to hold it; see the selectors here and of the BgpClusters",
        );
    }
    let refusals = answers.iter().filter_map(|(node, answer)| match answer {
        Answer::Refuses(why) => Some((*node, why)),
        Answer::Holds | Answer::NotYet => None,
    });
    let (refusing, reasons): (Vec<&str>, BTreeSet<&str>) =
        refusals.map(|(node, why)| (node, why.message.as_str())).unzip();
    if !refusing.is_empty() {
        let reasons: Vec<&str> = reasons.into_iter().take(NAMED).collect();
        let message = format!("refused by {}: {}", names(&refusing), reasons.join("; "));
        return Verdict::no("Refused", message);
    }
    let waiting =
        answers.iter().filter(|(_, answer)| matches!(answer, Answer::NotYet)).map(|(node, _)| *node);
    match &waiting.collect::<Vec<&str>>()[..] {
        [] => Verdict::yes("Programmed", "all nodes hold it"),
        waiting => Verdict::no("Pending", format!("{summary} nodes hold it, not yet: {}", names(waiting))),
    }
}

fn not_programmed(programmed: &Verdict) -> Verdict {
    Verdict::no("NotProgrammed", programmed.message.clone())
}

/// As in `pe1, pe2 and 7 others`.
pub(super) fn names<S: AsRef<str>>(all: &[S]) -> String {
    let named: Vec<&str> = all.iter().take(NAMED).map(AsRef::as_ref).collect();
    let others = all.len() - named.len();
    match others {
        0 => named.join(", "),
        1 => format!("{} and 1 other", named.join(", ")),
        _ => format!("{} and {others} others", named.join(", ")),
    }
}
