//! Links of a topology: brief and extended form become one.
use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;

use super::resolve::note;
use super::{Node, Places, schema};
use crate::LabError;

/// containerlab's own default, in bytes.
const DEFAULT_MTU: u32 = 9500;
/// Least that IPv4 allows (RFC 791) and most that the kernel's veth takes, in bytes.
const MTU_RANGE: std::ops::RangeInclusive<u32> = 68..=65535;

/// A link with its MTU decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it joins.
    pub ends: LinkEnds,
    /// Bytes, the same at both ends.
    pub mtu: u32,
}

/// What a link joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnds {
    /// Two nodes.
    Veth(Endpoint, Endpoint),
    /// One node and nothing.
    Dummy(Endpoint),
}

/// An interface of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name of the node.
    pub node: String,
    /// Name of the interface in the node.
    pub interface: String,
    /// MAC address, if one is asked for.
    pub mac: Option<String>,
}

impl Link {
    /// Its ends, one or two.
    pub fn endpoints(&self) -> Vec<&Endpoint> {
        match &self.ends {
            LinkEnds::Veth(a, b) => vec![a, b],
            LinkEnds::Dummy(a) => vec![a],
        }
    }
}

pub(super) fn resolve(
    links: &[Spanned<schema::Link>],
    nodes: &BTreeMap<String, Node>,
    places: &Places,
    warnings: &mut Vec<String>,
) -> Result<Vec<Link>, LabError> {
    let mut taken = BTreeSet::new();
    let mut resolved = Vec::new();
    for link in links {
        note(warnings, &format!("{}: link", places.at(link.referenced)), &link.value.unsupported());
        let ends = ends(link, nodes, places, warnings)?;
        let mtu = mtu(link, &ends, nodes, places)?;
        let link_done = Link { ends, mtu };
        for end in link_done.endpoints() {
            if !taken.insert((end.node.clone(), end.interface.clone())) {
                let problem = format!("{}:{} is an end of another link already", end.node, end.interface);
                return Err(places.error(link.referenced, problem));
            }
        }
        resolved.push(link_done);
    }
    Ok(resolved)
}

fn ends(
    link: &Spanned<schema::Link>,
    nodes: &BTreeMap<String, Node>,
    places: &Places,
    warnings: &mut Vec<String>,
) -> Result<LinkEnds, LabError> {
    let mut end = |end: &Spanned<schema::Endpoint>| endpoint(end, nodes, places, warnings);
    let fail = |problem: &str| Err(places.error(link.referenced, problem));
    let keys = &link.value;
    match (keys.link_type.as_deref().unwrap_or("veth"), keys.endpoints.as_slice(), &keys.endpoint) {
        ("veth", [a, b], None) => Ok(LinkEnds::Veth(end(a)?, end(b)?)),
        ("veth", ..) => fail("a veth link has two ends; write endpoints: [\"a:eth1\", \"b:eth1\"]"),
        ("dummy", [], Some(only)) | ("dummy", [only], None) => Ok(LinkEnds::Dummy(end(only)?)),
        ("dummy", ..) => fail("a dummy link has one end; write endpoint: { node: a, interface: eth1 }"),
        (other, ..) => fail(&format!("link type {other} is not supported; lab makes veth and dummy links")),
    }
}

fn mtu(
    link: &Spanned<schema::Link>,
    ends: &LinkEnds,
    nodes: &BTreeMap<String, Node>,
    places: &Places,
) -> Result<u32, LabError> {
    let of_nodes = match ends {
        LinkEnds::Veth(a, b) => [nodes[&a.node].mtu, nodes[&b.node].mtu],
        LinkEnds::Dummy(a) => [nodes[&a.node].mtu, None],
    };
    // Both ends of a link must agree, so the smaller wish wins.
    let mtu = link.value.mtu.or(of_nodes.into_iter().flatten().min()).unwrap_or(DEFAULT_MTU);
    match MTU_RANGE.contains(&mtu) {
        true => Ok(mtu),
        false => Err(places.error(link.referenced, format!("mtu {mtu} is not in 68 to 65535 bytes"))),
    }
}

fn endpoint(
    end: &Spanned<schema::Endpoint>,
    nodes: &BTreeMap<String, Node>,
    places: &Places,
    warnings: &mut Vec<String>,
) -> Result<Endpoint, LabError> {
    let fail = |problem: String| places.error(end.referenced, problem);
    let parts = match &end.value {
        schema::Endpoint::Brief(text) => {
            text.split_once(':').map(|(node, interface)| (node, interface, None))
        }
        schema::Endpoint::Extended(keys) => {
            note(warnings, &format!("{}: endpoint", places.at(end.referenced)), &keys.unsupported());
            keys.node
                .as_deref()
                .zip(keys.interface.as_deref())
                .map(|(node, name)| (node, name, keys.mac.clone()))
        }
    };
    let (node, interface, mac) =
        parts.ok_or_else(|| fail("an endpoint names a node and an interface: \"node:eth1\"".into()))?;
    if !nodes.contains_key(node) {
        return Err(fail(match node {
            "host" | "mgmt-net" | "macvlan" => format!("links to {node} are not supported; join two nodes"),
            _ => format!("there is no node {node:?} in topology.nodes"),
        }));
    }
    // IFNAMSIZ is 16 with the closing zero.
    let fits = !interface.is_empty() && interface.len() <= 15 && !interface.contains(['/', ':', ' ']);
    if !fits || interface == "lo" {
        return Err(fail(format!(
            "{interface:?} cannot be an interface's name; use 1 to 15 letters and digits"
        )));
    }
    Ok(Endpoint { node: node.to_owned(), interface: interface.to_owned(), mac })
}
