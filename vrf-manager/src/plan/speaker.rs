//! The speaker's configuration, but for the VRFs.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use bgp_core::config::{GracefulRestartConfig, Listen, PeerConfig, SpeakerConfig, Transport, VrfPolicy};
use bgp_wire::nlri::RouteDistinguisher;

use crate::intent::{Intent, Neighbor, Vrf};

/// How long a peer's stale routes wait for its End-of-RIB, RFC 4724 section 4.2 leaves it to us.
const STALE_TIME: Duration = Duration::from_secs(360);

pub(super) fn config(intent: &Intent) -> SpeakerConfig {
    SpeakerConfig {
        asn: intent.router.asn,
        router_id: intent.router.router_id,
        cluster_id: intent.bgp.cluster_id.unwrap_or(intent.router.router_id),
        listen: Listen { port: intent.bgp.listen_port, addresses: intent.bgp.listen_addresses.clone() },
        graceful_restart: intent.bgp.restart_time.map(|restart_time| GracefulRestartConfig {
            restart_time,
            stale_time: STALE_TIME,
            restarted: false,
            forwarding_kept: false,
        }),
        peers: intent.bgp.neighbors.iter().map(|neighbor| peer(neighbor, intent)).collect(),
        vrfs: BTreeMap::new(),
        next_hop_tracking: intent.tracks_next_hops(),
    }
}

pub(super) fn policy(intent: &Intent, vrf: &Vrf, rd: RouteDistinguisher) -> VrfPolicy {
    VrfPolicy {
        name: vrf.name.clone(),
        rd,
        import: vrf.import_route_targets.clone(),
        export: vrf.export_route_targets.clone(),
        next_hop: Some(intent.srv6.source),
    }
}

fn peer(neighbor: &Neighbor, intent: &Intent) -> (IpAddr, PeerConfig) {
    let config = PeerConfig {
        asn: neighbor.asn,
        port: neighbor.port,
        local_address: neighbor.local_address,
        passive: neighbor.passive,
        hold_time: neighbor.hold_time,
        keepalive: neighbor.keepalive,
        connect_retry: neighbor.connect_retry,
        families: neighbor.families.clone(),
        route_reflector_client: neighbor.route_reflector_client,
        next_hop_self: neighbor.next_hop_self,
        max_prefixes: neighbor.max_prefixes,
        transport: Transport { hop_limit: hop_limit(neighbor, intent), password: neighbor.password.clone() },
        description: neighbor.description.clone(),
    };
    (neighbor.address, config)
}

/// External peers are on the link unless something else is said: what is sent to them goes no further. Internal ones may
/// be anywhere in the AS.
fn hop_limit(neighbor: &Neighbor, intent: &Intent) -> Option<u8> {
    neighbor.is_external(intent).then(|| neighbor.multihop.unwrap_or(1))
}
