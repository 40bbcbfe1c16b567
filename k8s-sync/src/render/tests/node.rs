use std::time::Duration;

use vrf_manager::intent::Secret;

use super::*;
use crate::{
    api::{BgpNodeOverrideSpec, BgpPeerConfigSpec, Family, PeerConfigRef, PeerOverride, SecretRef},
    render::testing::{object, peer, selector},
};

#[test]
fn a_node_is_what_its_cluster_and_its_addresses_say() {
    let intent = clean(&Cluster::new());
    assert_eq!((intent.router.asn, intent.router.router_id), (65000, [192, 0, 2, 1].into()));
    assert_eq!(intent.srv6.source, "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap());
    assert_eq!(intent.srv6.locators[0].locator.to_string(), "fc00:0:1::/48");
    assert_eq!(intent.srv6.core_interfaces, ["eth0"]);
    let [neighbor] = intent.bgp.neighbors.as_slice() else { panic!("{:?}", intent.bgp.neighbors) };
    assert_eq!((neighbor.description.as_str(), neighbor.address.to_string()), ("rr", "2001:db8::f".into()));
    assert_eq!((neighbor.hold_time, neighbor.keepalive), (Duration::from_secs(90), Duration::from_secs(30)));
}

#[test]
fn a_node_without_a_cluster_or_a_locator_has_no_intent() {
    let cases: [(Edit, (&str, Reason)); 9] = [
        (|w| w.nodes.clear(), ("Node n1", Reason::Pending)),
        (|w| w.bgp_clusters.clear(), ("Node n1", Reason::Pending)),
        (|w| core(w).node_selector = Some(selector(&[("name", "n2")])), ("Node n1", Reason::Pending)),
        (|w| core(w).instances.clear(), ("BgpCluster core", Reason::Invalid)),
        (|w| core(w).instances[0].local_asn = 23456, ("BgpCluster core", Reason::Invalid)),
        (|w| w.locator_pools.clear(), ("BgpCluster core", Reason::NotFound)),
        (|w| pool(w).allocations.remove(0).index = 0, ("Node n1", Reason::Pending)),
        (|w| pool(w).allocations[0].locator = "fc00::/40".into(), ("LocatorPool main", Reason::Invalid)),
        (|w| w.nodes.get_mut("n1").unwrap().addresses.truncate(1), ("Node n1", Reason::Pending)),
    ];
    for (i, (edit, (object, reason))) in cases.into_iter().enumerate() {
        assert_eq!(refused(&Cluster::new().with(edit)), (object.to_owned(), reason), "case {i}");
    }
}

fn core(world: &mut World) -> &mut crate::api::BgpClusterSpec {
    &mut world.bgp_clusters.get_mut("core").unwrap().spec
}

fn pool(world: &mut World) -> &mut crate::world::LocatorPool {
    &mut world.locator_pools.get_mut("main").unwrap().spec
}

#[test]
fn of_two_clusters_the_first_by_name_counts_and_the_other_is_told() {
    let cluster = Cluster::new().with(|world| {
        let mut other = world.bgp_clusters["core"].clone();
        other.spec.instances[0].local_asn = 65001;
        world.bgp_clusters.insert("other".into(), other);
    });
    let (intent, problems) = rendered(&cluster);
    assert_eq!(intent.router.asn, 65000);
    assert_eq!(problems, [("BgpCluster other".into(), Reason::Conflict)]);
}

fn overriding(edit: impl FnOnce(&mut BgpNodeOverrideSpec)) -> Cluster {
    let mut own = BgpNodeOverrideSpec::default();
    edit(&mut own);
    Cluster::new().with(|world| drop(world.bgp_node_overrides.insert("n1".into(), object(own))))
}

#[test]
fn an_override_counts_before_the_cluster() {
    let intent = clean(&overriding(|own| {
        own.router_id = Some("10.0.0.9".into());
        own.local_asn = Some(65009);
        own.source_address = Some("2001:db8::9".into());
        own.core_interfaces = vec!["core*".into()];
        own.graceful_shutdown = true;
        own.peers = vec![PeerOverride {
            name: "rr".into(),
            local_address: Some("2001:db8::9".into()),
            peer_address: Some("2001:db8::e".into()),
        }];
    }));
    assert_eq!((intent.router.asn, intent.router.router_id), (65009, [10, 0, 0, 9].into()));
    assert_eq!(intent.srv6.source, "2001:db8::9".parse::<std::net::Ipv6Addr>().unwrap());
    assert_eq!(intent.srv6.core_interfaces, ["core*"]);
    assert!(intent.bgp.graceful_shutdown);
    let neighbor = &intent.bgp.neighbors[0];
    assert_eq!(neighbor.address.to_string(), "2001:db8::e");
    assert_eq!(neighbor.local_address.unwrap().to_string(), "2001:db8::9");
}

#[test]
fn what_means_nothing_in_an_override_is_as_if_it_was_not_there() {
    let (intent, problems) = rendered(&overriding(|own| {
        own.router_id = Some("0.0.0.0".into());
        own.local_asn = Some(0);
        own.source_address = Some("fe80::1".into());
        own.peers =
            vec![PeerOverride { name: "who".into(), local_address: Some("x".into()), peer_address: None }];
    }));
    assert_eq!(intent, clean(&Cluster::new()));
    let told = |reason| ("BgpNodeOverride n1".to_owned(), reason);
    let invalid = vec![told(Reason::Invalid); 4];
    assert_eq!(problems, [invalid, vec![told(Reason::NotFound)]].concat());
}

fn configured(edit: impl FnOnce(&mut BgpPeerConfigSpec)) -> Cluster {
    let mut config = BgpPeerConfigSpec {
        peer_port: None,
        hold_time_seconds: None,
        keepalive_seconds: None,
        connect_retry_seconds: None,
        families: vec![],
        auth_secret_ref: None,
        ebgp_multihop: None,
        max_prefixes: None,
        passive: false,
    };
    edit(&mut config);
    Cluster::new().with(|world| {
        core(world).instances[0].peers[0].peer_config_ref = Some(PeerConfigRef { name: "ours".into() });
        world.bgp_peer_configs.insert("ours".into(), object(config));
    })
}

#[test]
fn a_peer_is_spoken_to_as_its_config_says() {
    let cluster = configured(|config| {
        config.hold_time_seconds = Some(9);
        config.families = vec![Family::Ipv4Unicast];
        config.ebgp_multihop = Some(3);
        config.auth_secret_ref = Some(SecretRef { name: "key".into() });
    });
    let cluster = cluster.with(|w| drop(w.passwords.insert("key".into(), Secret(b"secret".to_vec()))));
    assert_eq!(clean(&cluster).bgp.neighbors[0].multihop, None, "of an internal peer");
    let cluster = cluster.with(|world| core(world).instances[0].peers[0].peer_asn = 65001);
    let neighbor = clean(&cluster).bgp.neighbors.remove(0);
    assert_eq!((neighbor.hold_time.as_secs(), neighbor.keepalive.as_secs()), (9, 3));
    assert_eq!(neighbor.families, [bgp_wire::Family::Ipv4Unicast].into());
    assert_eq!(neighbor.multihop, Some(3));
    assert_eq!(neighbor.password, Some(Secret(b"secret".to_vec())));
}

#[test]
fn a_peer_whose_key_or_config_is_missing_is_not_spoken_to_without() {
    let without_key = configured(|config| config.auth_secret_ref = Some(SecretRef { name: "key".into() }));
    let (intent, problems) = rendered(&without_key);
    assert_eq!(intent.bgp.neighbors, []);
    assert_eq!(problems, [("BgpPeerConfig ours".into(), Reason::NotFound)]);

    let without_config = configured(|_| ()).with(|world| world.bgp_peer_configs.clear());
    let (intent, problems) = rendered(&without_config);
    assert_eq!(intent.bgp.neighbors, []);
    assert_eq!(problems, [("BgpCluster core".into(), Reason::NotFound)]);
}

#[test]
fn a_peer_that_is_wrong_leaves_the_others_alone() {
    let cluster = Cluster::new().with(|world| {
        let peers = &mut core(world).instances[0].peers;
        peers.push(peer("nonsense", "nowhere"));
        peers.push(peer("twice", "2001:db8::f"));
        peers.push(peer("other", "2001:db8::e"));
    });
    let rendered = render(&cluster.inputs("n1"));
    let neighbors = rendered.intent.unwrap().bgp.neighbors;
    assert_eq!(neighbors.iter().map(|n| n.description.as_str()).collect::<Vec<_>>(), ["rr", "other"]);
    let told: Vec<_> = rendered.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "BgpCluster core: spec.instances[0].peers[1].peerAddress: \"nowhere\" is not an IP address; write one such \
             as 192.0.2.1 or 2001:db8::1",
            "BgpCluster core: spec.instances[0].peers[2]: 2001:db8::f is BgpCluster core spec.instances[0].peers[0] \
             already; remove one of the two",
        ]
    );
}
