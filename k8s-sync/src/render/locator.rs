//! Locators of a node, and its blocks of pods' addresses, which have the locator's number.

use std::net::IpAddr;

use ipnet::IpNet;
use srv6_types::{Locator, SidStructure, Transposition};
use vrf_manager::intent::NamedLocator;

use super::{
    Problem, Reason,
    node::cluster_of,
    parse::{IPV6_PREFIX, Reader},
};
use crate::{
    api::{Allocation, BgpClusterSpec, LocatorStructure, PodRange, VrfSpec},
    world::{LocatorPool, ObjectRef, World},
};

/// The locators that the cluster's pools have given the node. Without that of the first pool there is nothing to begin with:
/// VRFs have their SIDs of it, and would have to move.
pub(super) fn of_node(
    world: &World,
    (cluster, spec): (&str, &BgpClusterSpec),
    node: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<NamedLocator>, Problem> {
    let Some(srv6) = &spec.srv6 else { return Ok(Vec::new()) };
    let mut locators: Vec<NamedLocator> = Vec::new();
    for (i, pool) in srv6.locator_pools.iter().enumerate() {
        let place = Place { cluster, index: i, pool };
        match place.locator(world, node, &locators) {
            Ok(locator) => locators.push(NamedLocator { name: pool.clone(), locator }),
            Err(problem) if i == 0 => return Err(problem),
            Err(problem) => problems.push(problem),
        }
    }
    if locators.is_empty() {
        let message =
            "spec.srv6.locatorPools: no pool is named; write one, or leave srv6 away for nodes without VRFs";
        return Err(Problem::new(ObjectRef::cluster("BgpCluster", cluster), Reason::Invalid, message));
    }
    Ok(locators)
}

/// Where a cluster names a pool.
struct Place<'a> {
    cluster: &'a str,
    index: usize,
    pool: &'a str,
}

impl Place<'_> {
    fn locator(&self, world: &World, node: &str, before: &[NamedLocator]) -> Result<Locator, Problem> {
        let Some(pool) = world.locator_pools.get(self.pool) else {
            let message = format!("there is no LocatorPool {}; create it, or correct the name", self.pool);
            return Err(self.refused(Reason::NotFound, message));
        };
        let Some(allocation) = allocation(&pool.spec, node) else {
            let message = format!(
                "LocatorPool {} has not given the node a locator yet; see its status, and that its nodeSelector takes the \
                 node",
                self.pool
            );
            return Err(Problem::new(ObjectRef::cluster("Node", node), Reason::Pending, message));
        };
        let locator = read(self.pool, &pool.spec, allocation)?;
        let meets = |other: &&NamedLocator| {
            other.locator.contains(locator.prefix()) || locator.contains(other.locator.prefix())
        };
        match before.iter().find(meets) {
            Some(other) => {
                let message = format!("{locator} overlaps with {} of pool {}", other.locator, other.name);
                Err(self.refused(Reason::Conflict, message + "; name pools with prefixes of their own"))
            }
            None => Ok(locator),
        }
    }

    fn refused(&self, reason: Reason, message: String) -> Problem {
        let message = format!("spec.srv6.locatorPools[{}]: {message}", self.index);
        Problem::new(ObjectRef::cluster("BgpCluster", self.cluster), reason, message)
    }
}

fn allocation<'a>(pool: &'a LocatorPool, node: &str) -> Option<&'a Allocation> {
    pool.allocations.iter().find(|allocation| allocation.node == node)
}

/// What was allotted, as a locator.
fn read(
    name: &str,
    pool: &LocatorPool,
    Allocation { node, locator, .. }: &Allocation,
) -> Result<Locator, Problem> {
    let object = ObjectRef::cluster("LocatorPool", name);
    let path = format!("status.allocations of {node}");
    let refused = |message: String| Problem::new(object.clone(), Reason::Invalid, message);
    let structure =
        structure(&pool.spec.structure).map_err(|(path, problem)| refused(format!("{path}: {problem}")))?;
    let mut problems = Vec::new();
    let Some(prefix) = Reader::new(object.clone(), &mut problems).read(&IPV6_PREFIX, &path, locator) else {
        return Err(problems.remove(0));
    };
    let len = structure.locator();
    if prefix.prefix_len() != len {
        return Err(refused(format!(
            "{path}: {prefix} is not as long as block and node of spec.structure, /{len}"
        )));
    }
    Locator::new(prefix.addr(), structure)
        .map_err(|error| refused(format!("{path}: {prefix}: {error}; write {}", prefix.trunc())))
}

/// The lengths, which leave something for functions and for the prefix; what is wrong at which place.
fn structure(lengths: &LocatorStructure) -> Result<SidStructure, (&'static str, String)> {
    let LocatorStructure { block, node, function, argument } = *lengths;
    let structure = SidStructure::new(block, node, function, argument, Transposition::NONE)
        .map_err(|error| ("spec.structure", format!("{error}; shorten one of the lengths")))?;
    if function == 0 {
        return Err(("spec.structure.function", "0 bits leave no SIDs; write 16".to_owned()));
    }
    if structure.locator() == 0 {
        let problem = "block and node of 0 bits are every address; write 32 and 16";
        return Err(("spec.structure", problem.to_owned()));
    }
    Ok(structure)
}

/// The node's block of each range of the VRF's pod network.
pub fn block(world: &World, node: &str, vrf: &str) -> Result<Vec<IpNet>, Problem> {
    let Some(found) = world.vrfs.get(vrf) else {
        let message = "there is no such VRF";
        return Err(Problem::new(ObjectRef::cluster("Vrf", vrf), Reason::NotFound, message));
    };
    let ranges = ranges(&found.spec);
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    let number = number(world, node)?;
    let blocks = parts(ranges, number);
    blocks.map_err(|(reason, message)| Problem::new(ObjectRef::cluster("Vrf", vrf), reason, message))
}

fn ranges(vrf: &VrfSpec) -> &[PodRange] {
    vrf.pod_network.as_ref().map_or(&[], |network| &network.ranges)
}

/// What is wrong with the ranges whichever the node: every one has a first block.
pub(super) fn review_ranges(name: &str, vrf: &VrfSpec, problems: &mut Vec<Problem>) {
    if let Err((reason, message)) = parts(ranges(vrf), 0) {
        problems.push(Problem::new(ObjectRef::cluster("Vrf", name), reason, message));
    }
}

/// The `number`th block of each range.
fn parts(ranges: &[PodRange], number: u32) -> Result<Vec<IpNet>, Refused> {
    let mut blocks: Vec<IpNet> = Vec::new();
    for (i, range) in ranges.iter().enumerate() {
        let block = part(range, number).and_then(|block| first_of_family(block, &blocks));
        let at = |(reason, message)| (reason, format!("spec.podNetwork.ranges[{i}]: {message}"));
        blocks.push(block.map_err(at)?);
    }
    Ok(blocks)
}

/// What is wrong with a pool itself.
pub(super) fn review_pool(name: &str, pool: &LocatorPool, problems: &mut Vec<Problem>) {
    let mut reader = Reader::new(ObjectRef::cluster("LocatorPool", name), problems);
    reader.read(&IPV6_PREFIX, "spec.prefix", &pool.spec.prefix);
    for (i, given) in pool.spec.nodes.iter().enumerate() {
        reader.read(&IPV6_PREFIX, format_args!("spec.nodes[{i}].locator"), &given.locator);
    }
    if let Err((path, problem)) = structure(&pool.spec.structure) {
        reader.tell(Reason::Invalid, path, problem);
    }
}

/// The number of the node: that of its locator of the first pool.
fn number(world: &World, node: &str) -> Result<u32, Problem> {
    let cluster = cluster_of(world, node)?;
    let mut none = Vec::new();
    of_node(world, (cluster.0, &cluster.1.spec), node, &mut none)?;
    let first = cluster.1.spec.srv6.as_ref().and_then(|srv6| srv6.locator_pools.first());
    let pool = first.and_then(|name| world.locator_pools.get(name));
    let allocation = pool.and_then(|pool| allocation(&pool.spec, node));
    allocation.map(|allocation| allocation.index).ok_or_else(|| {
        let message = format!(
            "BgpCluster {} has no srv6, and so its nodes have no blocks of pods' addresses",
            cluster.0
        );
        Problem::new(ObjectRef::cluster("Node", node), Reason::NotFound, message)
    })
}

type Refused = (Reason, String);

fn first_of_family(block: IpNet, before: &[IpNet]) -> Result<IpNet, Refused> {
    let same = before.iter().find(|other| other.addr().is_ipv4() == block.addr().is_ipv4());
    match same {
        Some(_) => Err((Reason::Invalid, "is the second range of its family; leave one of each".to_owned())),
        None => Ok(block),
    }
}

/// The `number`th block of a range.
fn part(range: &PodRange, number: u32) -> Result<IpNet, Refused> {
    let cidr = cidr(range)?;
    let len = block_len(range, cidr)?;
    let bits = len - cidr.prefix_len();
    if bits < 32 && number >> bits != 0 {
        let message = format!(
            "{cidr} has {} blocks of /{len}, and the node's number is {number}; write a shorter prefix, or a longer \
             nodePrefixLength",
            1u64 << bits
        );
        return Err((Reason::LimitExceeded, message));
    }
    let shift = u32::from(cidr.max_prefix_len() - len);
    let address = match cidr.network() {
        // 32 bits of shift happen with /0 alone, which has block 0 only.
        IpAddr::V4(network) => {
            IpAddr::from((u32::from(network) | number.checked_shl(shift).unwrap_or(0)).to_be_bytes())
        }
        IpAddr::V6(network) => IpAddr::from(
            (u128::from(network) | u128::from(number).checked_shl(shift).unwrap_or(0)).to_be_bytes(),
        ),
    };
    IpNet::new(address, len).map_err(|error| (Reason::Invalid, error.to_string()))
}

fn cidr(range: &PodRange) -> Result<IpNet, Refused> {
    let text = &range.cidr;
    let remedy = "address/length without other bits, such as 10.128.0.0/14 or fd00:1::/48";
    let read = text.parse().ok().filter(|net: &IpNet| *net == net.trunc());
    read.ok_or_else(|| (Reason::Invalid, format!("cidr: {text:?} is not a prefix; write {remedy}")))
}

/// A block has a gateway and at least one pod; 24 and 64 where nothing is said.
fn block_len(range: &PodRange, cidr: IpNet) -> Result<u8, Refused> {
    let usual = if cidr.addr().is_ipv4() { 24 } else { 64 };
    let len = range.node_prefix_length.unwrap_or_else(|| usual.max(cidr.prefix_len()));
    let longest = cidr.max_prefix_len() - 2;
    if (cidr.prefix_len()..=longest).contains(&len) {
        return Ok(len);
    }
    if cidr.prefix_len() > longest {
        return Err((Reason::Invalid, format!("cidr: {cidr} has no room for pods; write a shorter prefix")));
    }
    let message =
        format!("nodePrefixLength: /{len} is no block of {cidr}; write {} to {longest}", cidr.prefix_len());
    Err((Reason::Invalid, message))
}
