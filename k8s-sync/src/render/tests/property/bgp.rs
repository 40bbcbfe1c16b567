use vrf_manager::intent::Secret;

use super::{super::Cluster, Choices};
use crate::{
    api::{
        self, Advertisement, AdvertisementKind, Allocation, BgpAdvertisementSpec, BgpNodeOverrideSpec,
        BgpPeer, BgpPeerConfigSpec, Family, LocatorStructure, PeerConfigRef, PeerOverride, SecretRef,
        ServiceAddress,
    },
    render::testing::object,
    world::World,
};

/// What the nodes are and speak to whom.
pub(super) fn scramble(cluster: &mut Cluster, c: &mut Choices) {
    let world = &mut cluster.world;
    for node in world.nodes.values_mut() {
        node.labels.extend(c.labels());
        node.unschedulable = c.seldom();
        if c.seldom() {
            node.addresses = c.list(3, Choices::address);
        }
    }
    core(world, c);
    pools(world, c);
    for _ in 0..c.below(3) {
        world.bgp_peer_configs.insert(c.name(), object(peer_config(c)));
        world.passwords.insert(c.name(), Secret(vec![b'x'; usize::from(c.below(90))]));
    }
    for _ in 0..c.below(2) {
        world.bgp_node_overrides.insert(c.node(), object(node_override(c)));
    }
    for _ in 0..c.below(4) {
        let advertisement = BgpAdvertisementSpec {
            vrf: c.maybe(Choices::name),
            node_selector: c.maybe(Choices::selector),
            advertisements: c.list(3, advertisement),
        };
        world.bgp_advertisements.insert(c.name(), object(advertisement));
    }
}

fn core(world: &mut World, c: &mut Choices) {
    let core = world.bgp_clusters.get_mut("core").unwrap();
    core.spec.instances[0].peers.extend(c.list(3, peer));
    if let Some(srv6) = &mut core.spec.srv6 {
        srv6.core_interfaces.extend(c.list(2, Choices::interface));
        srv6.locator_pools.extend(c.list(1, Choices::name));
    }
    match c.below(32) {
        1 => core.spec.srv6 = None,
        2 => core.spec.instances.clear(),
        3 => core.spec.instances[0].local_asn = 0,
        4 => core.spec.instances[0].listen_port = Some(0),
        5 => core.spec.node_selector = Some(c.selector()),
        _ => {}
    }
    if c.seldom() {
        let other = world.bgp_clusters["core"].clone();
        world.bgp_clusters.insert(c.name(), other);
    }
}

fn pools(world: &mut World, c: &mut Choices) {
    for _ in 0..c.below(2) {
        let mut pool = world.locator_pools["main"].clone();
        for Allocation { locator, index, .. } in &mut pool.spec.allocations {
            *locator =
                c.of(&["fc01:0:1::/48", "fc00:0:1::/48", "fc01::/40", "fc00::1/48", "", "::/0"]).to_owned();
            *index = u32::from(c.below(u16::MAX)) << c.below(16);
        }
        let of = |block, node, function| LocatorStructure { block, node, function, argument: 0 };
        pool.spec.spec.structure = c.of(&[of(32, 16, 16), of(0, 0, 16), of(24, 16, 0), of(200, 200, 200)]);
        world.locator_pools.insert(c.name(), pool);
    }
}

fn peer(c: &mut Choices) -> BgpPeer {
    BgpPeer {
        name: c.name(),
        peer_address: c.address_text(),
        peer_asn: c.of(&[65000, 65001, 0, 23456]),
        peer_config_ref: c.maybe(|c| PeerConfigRef { name: c.name() }),
    }
}

fn peer_config(c: &mut Choices) -> BgpPeerConfigSpec {
    let families = [Family::Vpnv4, Family::Vpnv6, Family::Ipv4Unicast, Family::Ipv6Unicast];
    BgpPeerConfigSpec {
        peer_port: c.maybe(|c| c.below(3)),
        hold_time_seconds: c.maybe(|c| c.below(10)),
        keepalive_seconds: c.maybe(|c| c.below(5)),
        connect_retry_seconds: c.maybe(|c| c.below(3)),
        families: c.list(4, |c| c.of(&families)),
        auth_secret_ref: c.maybe(|c| SecretRef { name: c.name() }),
        ebgp_multihop: c.maybe(|c| c.of(&[0, 1, 2, 255])),
        max_prefixes: c.maybe(|c| u32::from(c.below(2))),
        passive: c.seldom(),
    }
}

fn node_override(c: &mut Choices) -> BgpNodeOverrideSpec {
    BgpNodeOverrideSpec {
        router_id: c.maybe(Choices::address_text),
        local_asn: c.maybe(|c| c.of(&[65001, 0])),
        source_address: c.maybe(Choices::address_text),
        core_interfaces: c.list(3, Choices::interface),
        graceful_shutdown: c.seldom(),
        peers: c.list(2, |c| PeerOverride {
            name: c.of(&["rr", "a"]).to_owned(),
            local_address: c.maybe(Choices::address_text),
            peer_address: c.maybe(Choices::address_text),
        }),
    }
}

fn advertisement(c: &mut Choices) -> Advertisement {
    use AdvertisementKind::{Connected, EgressIp, Locator, PodCidr, PodIp, Service, Static};
    let addresses = [ServiceAddress::LoadBalancerIp, ServiceAddress::ClusterIp, ServiceAddress::ExternalIp];
    Advertisement {
        kind: c.of(&[Service, PodCidr, PodIp, EgressIp, Locator, Connected, Static]),
        addresses: c.list(3, |c| c.of(&addresses)),
        selector: c.maybe(Choices::selector),
        attributes: api::RouteAttributes {
            communities: c.list(2, |c| c.of(&["65000:1", "no-export", "65536:1", ""]).to_owned()),
            color: c.maybe(|c| u32::from(c.below(9))),
            local_preference: c.maybe(|c| u32::from(c.below(9))),
        },
    }
}
