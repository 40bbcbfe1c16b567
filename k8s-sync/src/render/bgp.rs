//! BGP of a node: its cluster's instance, and the peers with what their BgpPeerConfig and the node's override say.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use bgp_wire::Family;
use vrf_manager::intent::{Bgp, Neighbor, Secret};

use super::{
    Problem, Reason,
    draft::Origin,
    node::{AS_REMEDY, CLUSTER, Node, OVERRIDE, is_reserved_as},
    parse::{ADDRESS, Reader},
};
use crate::{
    api::{self, BgpInstance, BgpNodeOverrideSpec, BgpPeer, BgpPeerConfigSpec, PeerOverride},
    world::{ObjectRef, World},
};

const PORT: u16 = 179;
const RESTART_TIME: Duration = Duration::from_secs(120);
const HOLD_TIME: u16 = 90;
const CONNECT_RETRY: u16 = 5;
/// RFC 2385: what the kernel takes.
const LONGEST_KEY: usize = 80;

/// BGP of a node with this AS number, without networks: these are known when the VRFs are.
pub(super) fn of_node(node: &Node<'_>, asn: u32, problems: &mut Vec<Problem>) -> (Bgp, Vec<Origin>) {
    let (origins, neighbors) = neighbors(node, asn, problems).into_iter().unzip();
    let bgp = Bgp {
        listen_port: listen_port(node.cluster, node.instance, problems),
        listen_addresses: Vec::new(),
        cluster_id: None,
        restart_time: Some(RESTART_TIME),
        networks: Vec::new(),
        install_unicast: node.instance.install_unicast,
        next_hop_tracking: None,
        graceful_shutdown: node.own.is_some_and(|own| own.graceful_shutdown),
        neighbors,
    };
    (bgp, origins)
}

pub(super) fn listen_port(cluster: &str, instance: &BgpInstance, problems: &mut Vec<Problem>) -> u16 {
    let mut reader = Reader::new(ObjectRef::cluster(CLUSTER, cluster), problems);
    reader.number("spec.instances[0].listenPort", instance.listen_port, 1..=u16::MAX).unwrap_or(PORT)
}

fn neighbors(node: &Node<'_>, asn: u32, problems: &mut Vec<Problem>) -> Vec<(Origin, Neighbor)> {
    let own = node.own.map(|own| of_override(node, own, problems)).unwrap_or_default();
    let peers = node.instance.peers.iter().enumerate();
    let neighbor = |(i, peer)| {
        let origin = Origin::new(ObjectRef::cluster(CLUSTER, node.cluster), path(i));
        let neighbor = neighbor(node.inputs.world, (&origin, peer), &own, problems)?;
        // An internal peer may be any number of hops away anyhow.
        let multihop = neighbor.multihop.filter(|_| neighbor.asn != asn);
        Some((origin, Neighbor { multihop, ..neighbor }))
    };
    peers.filter_map(neighbor).collect()
}

pub(super) fn path(peer: usize) -> String {
    format!("spec.instances[0].peers[{peer}]")
}

/// What a node has otherwise of a peer.
#[derive(Default)]
struct Otherwise<'a> {
    name: &'a str,
    local_address: Option<IpAddr>,
    peer_address: Option<IpAddr>,
}

fn of_override<'a>(
    node: &Node<'_>,
    own: &'a BgpNodeOverrideSpec,
    problems: &mut Vec<Problem>,
) -> Vec<Otherwise<'a>> {
    let peers = read_peers(node.inputs.node, own, problems);
    for (i, peer) in own.peers.iter().enumerate() {
        if !node.instance.peers.iter().any(|of_cluster| of_cluster.name == peer.name) {
            let problem = format_args!(
                "BgpCluster {} has no peer {}; correct the name, or remove it",
                node.cluster, peer.name
            );
            let mut reader = Reader::new(ObjectRef::cluster(OVERRIDE, node.inputs.node), problems);
            reader.tell(Reason::NotFound, format_args!("spec.peers[{i}].name"), problem);
        }
    }
    peers
}

/// The peers of a BgpNodeOverride.
fn read_peers<'a>(
    node: &str,
    own: &'a BgpNodeOverrideSpec,
    problems: &mut Vec<Problem>,
) -> Vec<Otherwise<'a>> {
    let mut reader = Reader::new(ObjectRef::cluster(OVERRIDE, node), problems);
    let mut read = |(i, peer): (usize, &'a PeerOverride)| Otherwise {
        name: &peer.name,
        local_address: reader.maybe(
            &ADDRESS,
            format_args!("spec.peers[{i}].localAddress"),
            peer.local_address.as_ref(),
        ),
        peer_address: reader.maybe(
            &ADDRESS,
            format_args!("spec.peers[{i}].peerAddress"),
            peer.peer_address.as_ref(),
        ),
    };
    own.peers.iter().enumerate().map(&mut read).collect()
}

pub(super) fn review_override(node: &str, own: &BgpNodeOverrideSpec, problems: &mut Vec<Problem>) {
    read_peers(node, own, problems);
}

/// A peer that cannot be spoken to as is wanted is left out: it is not spoken to otherwise.
fn neighbor(
    world: &World,
    (origin, peer): (&Origin, &BgpPeer),
    own: &[Otherwise<'_>],
    problems: &mut Vec<Problem>,
) -> Option<Neighbor> {
    let own = own.iter().find(|own| own.name == peer.name);
    let address = read_peer(origin, peer, problems);
    let config = config(world, origin, peer, problems)?;
    Some(Neighbor {
        address: own.and_then(|own| own.peer_address).or(address)?,
        asn: Some(peer.peer_asn).filter(|asn| !is_reserved_as(*asn))?,
        port: config.port,
        local_address: own.and_then(|own| own.local_address),
        passive: config.passive,
        hold_time: config.hold_time,
        keepalive: config.keepalive,
        connect_retry: config.connect_retry,
        families: config.families,
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: config.max_prefixes,
        password: config.password,
        multihop: config.multihop,
        description: peer.name.clone(),
    })
}

/// The peer's address; its AS number is looked at.
pub(super) fn read_peer(
    Origin { object, path }: &Origin,
    peer: &BgpPeer,
    problems: &mut Vec<Problem>,
) -> Option<IpAddr> {
    let mut reader = Reader::new(object.clone(), problems);
    if is_reserved_as(peer.peer_asn) {
        let problem = format_args!("{} is reserved and no AS's number; {AS_REMEDY}", peer.peer_asn);
        reader.tell(Reason::Invalid, format_args!("{path}.peerASN"), problem);
    }
    reader.read(&ADDRESS, format_args!("{path}.peerAddress"), &peer.peer_address)
}

/// The BgpPeerConfig of a peer as it is read; `None` where it, or its key, is not there.
fn config(world: &World, origin: &Origin, peer: &BgpPeer, problems: &mut Vec<Problem>) -> Option<Config> {
    match config_of(world, origin, peer, problems)? {
        Some((name, spec)) => {
            let password = password(world, name, spec, problems)?;
            Some(Config { password, ..read_config(name, spec, problems) })
        }
        None => Some(Config::default()),
    }
}

/// The BgpPeerConfig that a peer names, if it does; `None` where it is not there.
pub(super) fn config_of<'a>(
    world: &'a World,
    Origin { object, path }: &Origin,
    peer: &'a BgpPeer,
    problems: &mut Vec<Problem>,
) -> Option<Option<(&'a str, &'a BgpPeerConfigSpec)>> {
    let Some(named) = &peer.peer_config_ref else { return Some(None) };
    let config = world.bgp_peer_configs.get(&named.name);
    if config.is_none() {
        let problem = format!("there is no BgpPeerConfig {}; create it, or correct the name", named.name);
        let mut reader = Reader::new(object.clone(), problems);
        reader.tell(Reason::NotFound, format_args!("{path}.peerConfigRef.name"), problem);
    }
    config.map(|config| Some((named.name.as_str(), &config.spec)))
}

/// `None` where there is to be a key and is none: without it the peer would not be spoken to as is wanted.
fn password(
    world: &World,
    config: &str,
    spec: &BgpPeerConfigSpec,
    problems: &mut Vec<Problem>,
) -> Option<Option<Secret>> {
    let Some(named) = &spec.auth_secret_ref else { return Some(None) };
    let (reason, problem) = match world.passwords.get(&named.name) {
        Some(key) if (1..=LONGEST_KEY).contains(&key.0.len()) => return Some(Some(key.clone())),
        Some(_) => (Reason::Invalid, format!("the key of Secret {} is not 1 to 80 octets long", named.name)),
        None => (Reason::NotFound, format!("there is no Secret {} with a key password", named.name)),
    };
    let mut reader = Reader::new(ObjectRef::cluster(CONFIG, config), problems);
    let remedy = "write it in the agent's namespace; its peers are not spoken to until then";
    reader.tell(reason, "spec.authSecretRef.name", format_args!("{problem}; {remedy}"));
    None
}

const CONFIG: &str = "BgpPeerConfig";

/// How to speak to a peer.
struct Config {
    port: u16,
    passive: bool,
    hold_time: Duration,
    keepalive: Duration,
    connect_retry: Duration,
    families: BTreeSet<Family>,
    max_prefixes: Option<u32>,
    multihop: Option<u8>,
    password: Option<Secret>,
}

impl Default for Config {
    fn default() -> Self {
        let hold_time = Duration::from_secs(HOLD_TIME.into());
        Self {
            port: PORT,
            passive: false,
            hold_time,
            keepalive: hold_time / 3,
            connect_retry: Duration::from_secs(CONNECT_RETRY.into()),
            families: BTreeSet::from([Family::Vpnv4, Family::Vpnv6]),
            max_prefixes: None,
            multihop: None,
            password: None,
        }
    }
}

/// Without the key.
fn read_config(name: &str, spec: &BgpPeerConfigSpec, problems: &mut Vec<Problem>) -> Config {
    let default = Config::default();
    let mut reader = Reader::new(ObjectRef::cluster(CONFIG, name), problems);
    let (hold_time, keepalive) = timers(spec, &mut reader);
    let retry = reader.number("spec.connectRetrySeconds", spec.connect_retry_seconds, 1..=u16::MAX);
    Config {
        port: reader.number("spec.peerPort", spec.peer_port, 1..=u16::MAX).unwrap_or(PORT),
        passive: spec.passive,
        hold_time,
        keepalive,
        connect_retry: Duration::from_secs(retry.unwrap_or(CONNECT_RETRY).into()),
        families: match spec.families.as_slice() {
            [] => default.families,
            families => families.iter().map(|family| wire(*family)).collect(),
        },
        max_prefixes: reader.number("spec.maxPrefixes", spec.max_prefixes, 1..=u32::MAX),
        multihop: reader.number("spec.ebgpMultihop", spec.ebgp_multihop, 2..=u8::MAX),
        password: None,
    }
}

pub(super) fn review_config(name: &str, spec: &BgpPeerConfigSpec, problems: &mut Vec<Problem>) {
    read_config(name, spec, problems);
}

/// Hold time and keepalive interval, RFC 4271 sections 4.2 and 4.4; a hold time of 0 turns keepalives off.
fn timers(spec: &BgpPeerConfigSpec, reader: &mut Reader<'_>) -> (Duration, Duration) {
    let wanted = spec.hold_time_seconds.unwrap_or(HOLD_TIME);
    let hold_time = if matches!(wanted, 1 | 2) { HOLD_TIME } else { wanted };
    if hold_time != wanted {
        let problem =
            format_args!("a hold time of {wanted} s is not allowed; write 0 (no keepalives) or 3 to 65535");
        reader.tell(Reason::Invalid, "spec.holdTimeSeconds", problem);
    }
    let third = hold_time / 3;
    let range = if third == 0 { 0..=u16::MAX } else { 1..=third };
    let keepalive = reader.number("spec.keepaliveSeconds", spec.keepalive_seconds, range).unwrap_or(third);
    (Duration::from_secs(hold_time.into()), Duration::from_secs(keepalive.into()))
}

const fn wire(family: api::Family) -> Family {
    match family {
        api::Family::Ipv4Unicast => Family::Ipv4Unicast,
        api::Family::Ipv6Unicast => Family::Ipv6Unicast,
        api::Family::Vpnv4 => Family::Vpnv4,
        api::Family::Vpnv6 => Family::Vpnv6,
    }
}
