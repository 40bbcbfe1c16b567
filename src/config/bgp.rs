use std::time::Duration;

use vrf_manager::intent::{Bgp, Network};

use super::{
    attributes,
    kind::{ADDRESS, BOOL, IPV4, PORT, prefix, seconds},
    list::{list, unique},
    neighbor,
    reader::At,
};

const PORT_OF_BGP: u16 = 179;
const RESTART_TIME: Duration = Duration::from_secs(120);

/// What stands where the file says nothing of BGP: no session.
pub(super) const fn unconfigured() -> Bgp {
    Bgp {
        listen_port: PORT_OF_BGP,
        listen_addresses: Vec::new(),
        cluster_id: None,
        restart_time: Some(RESTART_TIME),
        networks: Vec::new(),
        install_unicast: false,
        next_hop_tracking: None,
        graceful_shutdown: false,
        neighbors: Vec::new(),
    }
}

pub(super) fn read(at: &At<'_>) -> Option<Bgp> {
    let bgp = at.fields(&[
        "listenPort",
        "listenAddresses",
        "clusterId",
        "gracefulRestart",
        "networks",
        "installUnicast",
        "nextHopTracking",
        "gracefulShutdown",
        "neighbors",
    ])?;
    let default = unconfigured();
    let listen_port = bgp.or("listenPort", default.listen_port, PORT);
    let listen_addresses = bgp.or("listenAddresses", Vec::new(), unique(ADDRESS));
    let cluster_id = bgp.maybe("clusterId", IPV4);
    let restart_time = bgp.or("gracefulRestart", default.restart_time, graceful_restart);
    let networks = bgp.or("networks", Vec::new(), unique(network));
    let install_unicast = bgp.or("installUnicast", default.install_unicast, BOOL);
    let next_hop_tracking = bgp.maybe("nextHopTracking", BOOL);
    let graceful_shutdown = bgp.or("gracefulShutdown", default.graceful_shutdown, BOOL);
    let neighbors = bgp.or("neighbors", Vec::new(), list(neighbor::read));
    Some(Bgp {
        listen_port: listen_port?,
        listen_addresses: listen_addresses?,
        cluster_id: cluster_id?,
        restart_time: restart_time?,
        networks: networks?,
        install_unicast: install_unicast?,
        next_hop_tracking: next_hop_tracking?,
        graceful_shutdown: graceful_shutdown?,
        neighbors: neighbors?,
    })
}

/// A prefix, or one with attributes.
fn network(at: &At<'_>) -> Option<Network> {
    if !at.is_mapping() {
        return prefix(at).map(Network::from);
    }
    let network = at.fields(&["prefix", "communities", "color", "localPreference"])?;
    let prefix = network.required("prefix", "prefix: 198.51.100.0/24", prefix);
    let attributes = attributes::among(&network);
    Some(Network { prefix: prefix?, attributes: attributes? })
}

/// The restart time has 12 bits in the capability, RFC 4724 section 3.
fn graceful_restart(at: &At<'_>) -> Option<Option<Duration>> {
    let restart = at.fields(&["enabled", "restartTime"])?;
    let enabled = restart.or("enabled", true, BOOL);
    let restart_time = restart.or("restartTime", RESTART_TIME, seconds(1..=4095));
    let restart_time = restart_time?;
    Some(enabled?.then_some(restart_time))
}
