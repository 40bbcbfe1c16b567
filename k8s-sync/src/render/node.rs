//! What a node is: its BgpCluster, what a BgpNodeOverride says otherwise, router id and SRv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vrf_manager::intent::{Router, Srv6};

use super::{
    Inputs, Problem, Reason, locator,
    parse::{INTERFACE, IPV6, ROUTER_ID, Reader},
};
use crate::{
    api::{BgpClusterSpec, BgpInstance, BgpNodeOverrideSpec},
    world::{self, Object, ObjectRef, World, matches},
};

/// A node in its cluster.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) inputs: Inputs<'a>,
    /// The node as Kubernetes knows it.
    pub(super) known: &'a world::Node,
    /// Name of its BgpCluster.
    pub(super) cluster: &'a str,
    pub(super) spec: &'a BgpClusterSpec,
    pub(super) instance: &'a BgpInstance,
    /// What it has otherwise.
    pub(super) own: Option<&'a BgpNodeOverrideSpec>,
}

/// Kinds in messages.
pub(super) const CLUSTER: &str = "BgpCluster";
pub(super) const OVERRIDE: &str = "BgpNodeOverride";

/// The clusters that select a node, by name.
fn clusters<'a>(
    world: &'a World,
    node: &'a world::Node,
) -> impl Iterator<Item = (&'a str, &'a Object<BgpClusterSpec>)> {
    let selects =
        |spec: &BgpClusterSpec| spec.node_selector.as_ref().is_none_or(|s| matches(s, &node.labels));
    let clusters = world.bgp_clusters.iter().map(|(name, cluster)| (name.as_str(), cluster));
    clusters.filter(move |(_, cluster)| selects(&cluster.spec))
}

/// The cluster of a node: the first by name.
pub(super) fn cluster_of<'a>(
    world: &'a World,
    node: &str,
) -> Result<(&'a str, &'a Object<BgpClusterSpec>), Problem> {
    clusters(world, known(world, node)?)
        .next()
        .ok_or_else(|| pending(node, "no BgpCluster selects the node; label the node for one, or create one"))
}

/// Whether a BgpCluster selects the node.
pub fn is_wanted(world: &World, node: &str) -> bool {
    cluster_of(world, node).is_ok()
}

fn known<'a>(world: &'a World, node: &str) -> Result<&'a world::Node, Problem> {
    let unknown = || pending(node, "the API server has not told of the node yet; check --node");
    world.nodes.get(node).ok_or_else(unknown)
}

fn pending(node: &str, message: &str) -> Problem {
    Problem::new(ObjectRef::cluster("Node", node), Reason::Pending, message)
}

impl<'a> Node<'a> {
    pub(super) fn find(inputs: Inputs<'a>, problems: &mut Vec<Problem>) -> Result<Self, Problem> {
        let Inputs { node, world, .. } = inputs;
        let known = known(world, node)?;
        let (cluster, Object { spec, .. }) = cluster_of(world, node)?;
        for (other, _) in clusters(world, known).skip(1) {
            let message = format!(
                "spec.nodeSelector: node {node} is BgpCluster {cluster}'s already; select it in one of the two"
            );
            problems.push(Problem::new(ObjectRef::cluster(CLUSTER, other), Reason::Conflict, message));
        }
        let instance = instance(cluster, spec)?;
        let own = world.bgp_node_overrides.get(node).map(|own| &own.spec);
        Ok(Self { inputs, known, cluster, spec, instance, own })
    }

    /// AS number and BGP identifier.
    pub(super) fn router(&self, problems: &mut Vec<Problem>) -> Result<Router, Problem> {
        let own = self.own.map(|own| read_override(self.inputs.node, own, problems)).unwrap_or_default();
        let first = self.known.addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) if !address.is_unspecified() => Some(*address),
            _ => None,
        });
        let router_id = own.router_id.or(first).ok_or_else(|| {
            let remedy = format!("write spec.routerId of BgpNodeOverride {}", self.inputs.node);
            let message =
                format!("the node has no IPv4 InternalIP to take the BGP identifier from; {remedy}");
            self.refused(message)
        })?;
        Ok(Router { asn: own.asn.unwrap_or(self.instance.local_asn), router_id })
    }

    /// Locators, source and core interfaces; nothing of these on a customer edge.
    pub(super) fn srv6(&self, problems: &mut Vec<Problem>) -> Result<Srv6, Problem> {
        let Some(srv6) = &self.spec.srv6 else {
            return Ok(Srv6 { locators: vec![], source: Ipv6Addr::UNSPECIFIED, core_interfaces: vec![] });
        };
        let cluster = (self.cluster, self.spec);
        let locators = locator::of_node(self.inputs.world, cluster, self.inputs.node, problems)?;
        let first = self.known.addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) if is_source(*address) => Some(*address),
            _ => None,
        });
        let own = self.own.map(|own| read_override(self.inputs.node, own, problems)).unwrap_or_default();
        let source = own.source.or(first).ok_or_else(|| {
            let remedy = format!("write spec.sourceAddress of BgpNodeOverride {}", self.inputs.node);
            let message =
                format!("the node has no global IPv6 InternalIP as the source of outer headers; {remedy}");
            self.refused(message)
        })?;
        let core_interfaces = match own.core_interfaces {
            interfaces if interfaces.is_empty() => {
                let object = ObjectRef::cluster(CLUSTER, self.cluster);
                let mut reader = Reader::new(object, problems);
                reader.list(&INTERFACE, "spec.srv6.coreInterfaces", &srv6.core_interfaces)
            }
            interfaces => interfaces,
        };
        Ok(Srv6 { locators, source, core_interfaces })
    }

    fn refused(&self, message: String) -> Problem {
        Problem::new(ObjectRef::cluster("Node", self.inputs.node), Reason::Pending, message)
    }
}

/// The one instance, with an AS number.
pub(super) fn instance<'a>(cluster: &str, spec: &'a BgpClusterSpec) -> Result<&'a BgpInstance, Problem> {
    let refused =
        |message: String| Problem::new(ObjectRef::cluster(CLUSTER, cluster), Reason::Invalid, message);
    let [instance] = spec.instances.as_slice() else {
        let count = spec.instances.len();
        return Err(refused(format!(
            "spec.instances: there are {count}, a node runs one; write exactly one"
        )));
    };
    match is_reserved_as(instance.local_asn) {
        true => Err(refused(format!(
            "spec.instances[0].localAsn: {} is reserved and no AS's number; {AS_REMEDY}",
            instance.local_asn
        ))),
        false => Ok(instance),
    }
}

pub(super) const AS_REMEDY: &str = "write the number of the AS, or a private one (64512 to 65534)";

/// RFC 7607 and RFC 6793 section 9: numbers that no AS has.
pub(super) const fn is_reserved_as(asn: u32) -> bool {
    matches!(asn, 0 | 23456)
}

const fn is_source(address: Ipv6Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local())
}

/// What a BgpNodeOverride says of the node itself.
#[derive(Default)]
pub(super) struct Own {
    router_id: Option<Ipv4Addr>,
    asn: Option<u32>,
    source: Option<Ipv6Addr>,
    core_interfaces: Vec<String>,
}

pub(super) fn read_override(node: &str, own: &BgpNodeOverrideSpec, problems: &mut Vec<Problem>) -> Own {
    let mut reader = Reader::new(ObjectRef::cluster(OVERRIDE, node), problems);
    let asn = own.local_asn.filter(|asn| {
        let reserved = is_reserved_as(*asn);
        if reserved {
            let problem = format_args!("{asn} is reserved and no AS's number; {AS_REMEDY}");
            reader.tell(Reason::Invalid, "spec.localAsn", problem);
        }
        !reserved
    });
    let source = reader.maybe(&IPV6, "spec.sourceAddress", own.source_address.as_ref());
    let usable = source.is_none_or(is_source);
    if let (Some(source), false) = (source, usable) {
        let problem = format_args!(
            "{source} cannot be the source of outer headers; write a global IPv6 address of this node"
        );
        reader.tell(Reason::Invalid, "spec.sourceAddress", problem);
    }
    Own {
        router_id: reader.maybe(&ROUTER_ID, "spec.routerId", own.router_id.as_ref()),
        asn,
        source: source.filter(|_| usable),
        core_interfaces: reader.list(&INTERFACE, "spec.coreInterfaces", &own.core_interfaces),
    }
}
