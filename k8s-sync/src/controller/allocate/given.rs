use std::collections::BTreeSet;

use ipnet::Ipv6Net;

use super::{Fault, Round, Wanting, locator_of, overlap};
use crate::{
    api::{Allocation, NodeLocator},
    render::Reason,
};

impl Round<'_> {
    /// Gives what is given by hand. Who is left has a locator outside of the prefix and needs a number for it.
    pub(super) fn take_given(&mut self, given: &[NodeLocator]) -> Wanting {
        let mut named = BTreeSet::new();
        let mut accepted = Vec::new();
        for (i, given) in given.iter().enumerate() {
            let first = named.insert(given.node.as_str());
            match self.check(given, first) {
                Ok(locator) => {
                    self.reserved.insert(locator, given.node.clone());
                    accepted.push((given.node.clone(), locator));
                }
                Err((reason, message)) => {
                    self.faults
                        .push(Fault { reason, message: format!("spec.nodes[{i}].locator: {message}") });
                    if first {
                        self.refused.insert(given.node.clone());
                    }
                }
            }
        }
        accepted.retain(|(node, _)| !self.is_gone(node) && !self.held.contains_key(node));
        accepted.into_iter().filter_map(|(node, locator)| self.take(node, locator)).collect()
    }

    fn take(&mut self, node: String, locator: Ipv6Net) -> Option<(String, Option<Ipv6Net>)> {
        for holder in self.holders(locator) {
            self.release(&holder);
        }
        let Some(index) = self.space.index(locator) else { return Some((node, Some(locator))) };
        self.give(&node, locator, index);
        None
    }

    /// Whether the node can have it, now or once it is there.
    fn check(&self, given: &NodeLocator, first: bool) -> Result<Ipv6Net, (Reason, String)> {
        let conflict = |message: String| Err((Reason::Conflict, message));
        let node = &given.node;
        if !first {
            return conflict(format!("node {node} stands here twice, the first counts; take one out"));
        }
        let locator = self.space.parse(&given.locator).map_err(|problem| (Reason::Invalid, problem))?;
        if let Some((_, other)) = self.reserved.iter().find(|(reserved, _)| overlap(**reserved, locator)) {
            return conflict(format!("{locator} is given to node {other} already; choose another one"));
        }
        if let Some(neighbor) = self.neighbors.iter().find(|neighbor| neighbor.has(locator)) {
            return conflict(format!("{locator} is LocatorPool {}'s; choose another one", neighbor.name));
        }
        match self.held.get(node) {
            Some(held) if locator_of(held) != Some(locator) => conflict(format!(
                "node {node} has {}, which stays: peers hold SIDs of it; to move the node nevertheless, take its entry out of \
                 status.allocations (kubectl edit --subresource=status)",
                held.locator
            )),
            Some(_) => Ok(locator),
            None => match self.holders(locator).iter().find(|holder| !self.is_gone(holder)) {
                Some(holder) => {
                    conflict(format!("{locator}, or its number, is node {holder}'s; choose another one"))
                }
                None => Ok(locator),
            },
        }
    }

    /// Nodes that have the locator, or its number with one from elsewhere.
    fn holders(&self, locator: Ipv6Net) -> Vec<String> {
        let index = self.space.index(locator);
        let has = |held: &Allocation| {
            locator_of(held).is_some_and(|other| overlap(other, locator)) || Some(held.index) == index
        };
        self.held.values().filter(|held| has(held)).map(|held| held.node.clone()).collect()
    }
}
