//! What the intent's own check still refuses is attributed to the object that it is of, and left out.

use std::collections::BTreeSet;

use vrf_manager::intent::{Intent, IntentError, check};

use super::{
    Problem, Reason,
    draft::{Draft, Origin, VrfOrigins},
};
use crate::world::ObjectRef;

/// A part of the intent that can be left out. VRFs stand first: from behind, numbers of what is inside still hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Vrf(usize),
    Distinguisher(usize),
    Circuit(usize, usize),
    StaticRoute(usize, usize),
    Service(usize, usize),
    Egress(usize, usize),
    Neighbor(usize),
    Network(usize),
    CoreInterface(usize),
    Locator(usize),
}

/// Leaves out what [`check`] refuses, until it takes the intent. An error is what could not be left out.
pub(super) fn settle(draft: &mut Draft, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    loop {
        let faults = check(&draft.intent);
        let mut parts = BTreeSet::new();
        for fault in &faults {
            let (part, origin) = draft.part(&fault.path).ok_or_else(|| draft.refused(fault))?;
            problems.push(Problem::new(
                origin.object.clone(),
                Reason::Invalid,
                draft.message(&origin, fault),
            ));
            parts.insert(part);
        }
        if parts.is_empty() {
            return Ok(());
        }
        parts.into_iter().rev().for_each(|part| draft.leave_out(part));
    }
}

impl Draft {
    /// The part that a path of the check leads to, and whose it is.
    fn part(&self, path: &str) -> Option<(Part, Origin)> {
        let part = part(path)?;
        Some((part, self.origin(part)?))
    }

    fn origin(&self, part: Part) -> Option<Origin> {
        let vrf = |i: usize, path: &str| {
            let vrf = self.intent.vrfs.get(i)?;
            Some(Origin::new(ObjectRef::cluster("Vrf", &vrf.name), path))
        };
        let of_cluster = |path: String| Origin::new(self.cluster.clone(), path);
        match part {
            Part::Vrf(i) => vrf(i, "spec"),
            Part::Distinguisher(i) => vrf(i, "spec.rd"),
            Part::Circuit(i, j) => self.vrfs.get(i)?.circuits.get(j).cloned(),
            Part::StaticRoute(i, j) => self.vrfs.get(i)?.static_routes.get(j).cloned(),
            Part::Service(i, j) => self.vrfs.get(i)?.services.get(j).cloned(),
            Part::Egress(i, j) => self.vrfs.get(i)?.egress.get(j).cloned(),
            Part::Neighbor(i) => self.neighbors.get(i).cloned(),
            Part::Network(i) => self.networks.get(i).cloned(),
            Part::CoreInterface(i) => {
                let name = self.intent.srv6.core_interfaces.get(i)?;
                Some(of_cluster(format!("spec.srv6.coreInterfaces, {name}")))
            }
            // VRFs have their SIDs of the first.
            Part::Locator(0) => None,
            Part::Locator(i) => {
                let name = &self.intent.srv6.locators.get(i)?.name;
                Some(Origin::new(ObjectRef::cluster("LocatorPool", name), "spec"))
            }
        }
    }

    fn refused(&self, fault: &IntentError) -> Problem {
        Problem::new(self.cluster.clone(), Reason::Invalid, fault)
    }

    /// In the words of the objects: paths of the intent mean nothing to their authors.
    fn message(&self, origin: &Origin, IntentError { problem, remedy, .. }: &IntentError) -> String {
        format!("{}: {}; {remedy}", origin.path, self.translated(problem))
    }

    fn translated(&self, text: &str) -> String {
        let word = |word: &str| {
            let path = word.trim_end_matches([',', ';']);
            match self.part(path) {
                Some((_, Origin { object, path: place })) => {
                    format!("{object} {place}{}", &word[path.len()..])
                }
                None => word.to_owned(),
            }
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn leave_out(&mut self, part: Part) {
        let Intent { srv6, bgp, vrfs, .. } = &mut self.intent;
        match part {
            Part::Vrf(i) => {
                vrfs.remove(i);
                self.vrfs.remove(i);
            }
            Part::Distinguisher(i) => vrfs[i].rd = None,
            Part::Circuit(i, j) => {
                self.vrfs[i].circuits.remove(j);
                let circuit = vrfs[i].circuits.remove(j);
                self.forget(i, &circuit.interface);
            }
            Part::StaticRoute(i, j) => {
                self.vrfs[i].static_routes.remove(j);
                vrfs[i].static_routes.remove(j);
            }
            Part::Service(i, j) => {
                self.vrfs[i].services.remove(j);
                vrfs[i].services.remove(j);
            }
            Part::Egress(i, j) => {
                self.vrfs[i].egress.remove(j);
                vrfs[i].egress.remove(j);
            }
            Part::Neighbor(i) => {
                self.neighbors.remove(i);
                bgp.neighbors.remove(i);
            }
            Part::Network(i) => {
                self.networks.remove(i);
                bgp.networks.remove(i);
            }
            Part::CoreInterface(i) => drop(srv6.core_interfaces.remove(i)),
            Part::Locator(i) => drop(srv6.locators.remove(i)),
        }
    }

    /// Egress policies go on without the circuit's host; one that was for no other host is not wanted here.
    fn forget(&mut self, vrf: usize, interface: &str) {
        let (vrf, VrfOrigins { egress: origins, .. }) = (&mut self.intent.vrfs[vrf], &mut self.vrfs[vrf]);
        let mut kept = Vec::new();
        for policy in &mut vrf.egress {
            let before = policy.circuits.len();
            policy.circuits.retain(|circuit| circuit != interface);
            let lost = policy.circuits.len() != before;
            let of_no_host = policy.circuits.is_empty() && policy.sources.is_empty();
            kept.push(!(lost && of_no_host && policy.gateway.is_none()));
        }
        let mut keep = kept.iter();
        vrf.egress.retain(|_| keep.next() != Some(&false));
        let mut keep = kept.iter();
        origins.retain(|_| keep.next() != Some(&false));
    }
}

/// Of `vrfs[0].staticRoutes[1].via` the static route.
fn part(path: &str) -> Option<Part> {
    let mut steps = path.split('.').map(step);
    match (steps.next()?, steps.next()) {
        (("vrfs", Some(i)), Some(("attachmentCircuits", Some(j)))) => Some(Part::Circuit(i, j)),
        (("vrfs", Some(i)), Some(("staticRoutes", Some(j)))) => Some(Part::StaticRoute(i, j)),
        (("vrfs", Some(i)), Some(("services", Some(j)))) => Some(Part::Service(i, j)),
        (("vrfs", Some(i)), Some(("egress", Some(j)))) => Some(Part::Egress(i, j)),
        (("vrfs", Some(i)), Some(("rd", None))) => Some(Part::Distinguisher(i)),
        (("vrfs", Some(i)), _) => Some(Part::Vrf(i)),
        (("bgp", None), Some(("neighbors", Some(i)))) => Some(Part::Neighbor(i)),
        (("bgp", None), Some(("networks", Some(i)))) => Some(Part::Network(i)),
        (("srv6", None), Some(("coreInterfaces", Some(i)))) => Some(Part::CoreInterface(i)),
        (("srv6", None), Some(("locators", Some(i)))) => Some(Part::Locator(i)),
        _ => None,
    }
}

/// `name[index]`.
fn step(step: &str) -> (&str, Option<usize>) {
    let indexed = step.strip_suffix(']').and_then(|step| step.split_once('['));
    match indexed.and_then(|(name, index)| Some((name, index.parse().ok()?))) {
        Some((name, index)) => (name, Some(index)),
        None => (step, None),
    }
}
