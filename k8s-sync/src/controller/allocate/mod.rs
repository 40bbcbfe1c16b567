//! Which node has which locator: pure, same input, same output.
//!
//! What a node was given stays: not a restart, not a node that is gone for a while, and not a change of the pool moves it. The number of a
//! deleted Node is kept while the pool has others, and given away only when another node needs one and none is left.

mod given;
mod neighbors;
mod space;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv6Net;

use crate::{
    api::{Allocation, LocatorPoolSpec},
    render::Reason,
    world::{Node, matches},
};
pub(super) use neighbors::{Neighbor, neighbors};
use space::{Space, overlap};

/// What is wrong with a pool; everything else of it goes on working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// What the nodes of a pool have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Allocated {
    /// By name of the node.
    pub(super) allocations: Vec<Allocation>,
    pub(super) faults: Vec<Fault>,
    /// Nodes that there is no locator left for.
    pub(super) waiting: Vec<String>,
}

/// `held` is what the pool's status says, `neighbors` are the other pools as far as this one has to mind them.
pub(super) fn allocate(
    spec: &LocatorPoolSpec,
    held: &[Allocation],
    nodes: &BTreeMap<String, Node>,
    neighbors: &[Neighbor],
) -> Allocated {
    let faulty = |fault| Allocated { allocations: held.to_vec(), faults: vec![fault], waiting: Vec::new() };
    let space = match Space::of(spec) {
        Ok(space) => space,
        Err(fault) => return faulty(fault),
    };
    if let Some(fault) = neighbors.iter().find_map(|neighbor| neighbor.forbids(&space)) {
        return faulty(fault);
    }
    let mut round = Round::new(space, held, nodes, neighbors);
    let mut wanting = round.take_given(&spec.nodes);
    wanting.extend(round.unserved(spec));
    round.serve(wanting);
    round.into_allocated()
}

/// A node that needs a number, with its locator where that is given by hand.
type Wanting = BTreeMap<String, Option<Ipv6Net>>;

/// One round of allocation.
struct Round<'a> {
    space: Space,
    nodes: &'a BTreeMap<String, Node>,
    neighbors: &'a [Neighbor],
    held: BTreeMap<String, Allocation>,
    locators: BTreeSet<Ipv6Net>,
    indexes: BTreeSet<u32>,
    /// Given by hand, also to nodes that are not there: nobody else is given these.
    reserved: BTreeMap<Ipv6Net, String>,
    /// What was given to them by hand cannot be had; anything else would stay with them.
    refused: BTreeSet<String>,
    faults: Vec<Fault>,
    waiting: Vec<String>,
}

impl<'a> Round<'a> {
    fn new(
        space: Space,
        held: &[Allocation],
        nodes: &'a BTreeMap<String, Node>,
        neighbors: &'a [Neighbor],
    ) -> Self {
        Self {
            space,
            nodes,
            neighbors,
            held: held.iter().map(|allocation| (allocation.node.clone(), allocation.clone())).collect(),
            locators: held.iter().filter_map(locator_of).collect(),
            indexes: held.iter().map(|allocation| allocation.index).collect(),
            reserved: BTreeMap::new(),
            refused: BTreeSet::new(),
            faults: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Nodes of the pool that have nothing and are given nothing by hand.
    fn unserved(&self, spec: &LocatorPoolSpec) -> Wanting {
        let selected =
            |node: &Node| spec.node_selector.as_ref().is_none_or(|selector| matches(selector, &node.labels));
        let named = |name: &String| spec.nodes.iter().any(|given| given.node == *name);
        let unserved = self.nodes.iter().filter(|(name, node)| {
            selected(node) && !self.held.contains_key(*name) && !self.refused.contains(*name) && !named(name)
        });
        unserved.map(|(name, _)| (name.clone(), None)).collect()
    }

    /// The lowest free number for each, by name of the node; when there are no more, those of nodes that are gone.
    fn serve(&mut self, wanting: Wanting) {
        let mut wanting = wanting.into_iter().peekable();
        for index in self.space.numbers() {
            let Some((node, by_hand)) = wanting.peek() else { return };
            if self.indexes.contains(&index) || !self.is_free(self.space.locator(index)) {
                continue;
            }
            let (node, locator) = (node.clone(), by_hand.unwrap_or(self.space.locator(index)));
            wanting.next();
            self.give(&node, locator, index);
        }
        for (node, by_hand) in wanting {
            match self.release_one() {
                Some(index) => self.give(&node, by_hand.unwrap_or(self.space.locator(index)), index),
                None => self.waiting.push(node),
            }
        }
    }

    fn is_free(&self, locator: Ipv6Net) -> bool {
        !self.locators.contains(&locator) && self.is_ours(locator)
    }

    fn is_ours(&self, locator: Ipv6Net) -> bool {
        !self.reserved.contains_key(&locator)
            && !self.space.has_node_zero(locator)
            && !self.neighbors.iter().any(|neighbor| neighbor.has(locator))
    }

    /// Takes the lowest number that a node which is gone has held.
    fn release_one(&mut self) -> Option<u32> {
        let mut gone: Vec<&Allocation> = self.held.values().filter(|held| self.is_gone(&held.node)).collect();
        gone.sort_by_key(|held| held.index);
        let usable = |held: &&&Allocation| {
            let locator = self.space.locator(held.index);
            self.is_ours(locator) && (locator_of(held) == Some(locator) || !self.locators.contains(&locator))
        };
        let (node, index) = gone.iter().find(usable).map(|held| (held.node.clone(), held.index))?;
        self.release(&node);
        Some(index)
    }

    fn is_gone(&self, node: &str) -> bool {
        !self.nodes.contains_key(node)
    }

    fn release(&mut self, node: &str) {
        let Some(released) = self.held.remove(node) else { return };
        self.indexes.remove(&released.index);
        if let Some(locator) = locator_of(&released) {
            self.locators.remove(&locator);
        }
    }

    fn give(&mut self, node: &str, locator: Ipv6Net, index: u32) {
        self.locators.insert(locator);
        self.indexes.insert(index);
        let allocation = Allocation { node: node.to_owned(), locator: locator.to_string(), index };
        self.held.insert(node.to_owned(), allocation);
    }

    fn into_allocated(self) -> Allocated {
        let allocations = self.held.into_values().collect();
        Allocated { allocations, faults: self.faults, waiting: self.waiting }
    }
}

fn locator_of(allocation: &Allocation) -> Option<Ipv6Net> {
    allocation.locator.parse().ok()
}
