use super::*;
use crate::{
    api::{
        AttachmentCircuitSpec, BgpAdvertisementSpec, BgpNodeOverrideSpec, EgressGateways, EgressPolicySpec,
        LocatorStructure, PeerConfigRef, StaticRoute,
    },
    render::{
        review,
        testing::{object, selector},
    },
};

fn told(cluster: &Cluster) -> Vec<(String, Reason)> {
    review(&cluster.world).into_iter().map(|problem| (problem.object.to_string(), problem.reason)).collect()
}

#[test]
fn of_what_is_right_nothing_is_told() {
    let cluster = Cluster::new().tenant("red").pod("red/a", "n1", &["10.0.0.2"], &[]);
    assert_eq!(told(&cluster), []);
}

#[test]
fn what_is_wrong_on_every_node_is_told_once_and_of_its_object() {
    use Reason::{Conflict, Invalid, NotFound};
    let cases: [(Edit, (&str, Reason)); 12] = [
        (|w| red(w).import_route_targets.push("x".into()), ("Vrf red", Invalid)),
        (|w| w.vrfs.values_mut().for_each(|vrf| vrf.spec.rd = Some("65000:1".into())), ("Vrf red", Conflict)),
        (|w| red(w).static_routes.push(via("10.1.0.0/16", "10.0.0.9")), ("Vrf red", NotFound)),
        (|w| circuit(w, "green", "n1"), ("AttachmentCircuit vm", NotFound)),
        (|w| circuit(w, "red", "n9"), ("AttachmentCircuit vm", NotFound)),
        (
            |w| pool(w).structure = LocatorStructure { function: 0, ..LocatorStructure::default() },
            ("LocatorPool main", Invalid),
        ),
        (|w| core(w).instances.clear(), ("BgpCluster core", Invalid)),
        (
            |w| core(w).instances[0].peers[0].peer_config_ref = Some(PeerConfigRef { name: "x".into() }),
            ("BgpCluster core", NotFound),
        ),
        (|w| core(w).srv6.as_mut().unwrap().locator_pools.push("x".into()), ("BgpCluster core", NotFound)),
        (
            |w| drop(w.bgp_node_overrides.insert("n9".into(), object(BgpNodeOverrideSpec::default()))),
            ("BgpNodeOverride n9", NotFound),
        ),
        (
            |w| drop(w.bgp_advertisements.insert("a".into(), object(advertisement("green")))),
            ("BgpAdvertisement a", NotFound),
        ),
        (
            |w| drop(w.egress_policies.insert("e".into(), object(egress("green")))),
            ("EgressPolicy e", NotFound),
        ),
    ];
    for (i, (edit, (object, reason))) in cases.into_iter().enumerate() {
        let cluster = Cluster::new().tenant("blue").tenant("red").with(edit);
        assert_eq!(told(&cluster), [(object.to_owned(), reason)], "case {i}");
    }
}

#[test]
fn an_egress_policy_is_reviewed_as_a_node_reads_it() {
    let cluster = Cluster::new().tenant("red").with(|world| {
        let spec =
            EgressPolicySpec { egress_ips: vec!["nowhere".into(), "203.0.113.9".into()], ..egress("red") };
        world.egress_policies.insert("e".into(), object(spec));
    });
    assert_eq!(told(&cluster), [("EgressPolicy e".into(), Reason::Invalid)]);
}

fn red(world: &mut World) -> &mut crate::api::VrfSpec {
    &mut world.vrfs.get_mut("red").unwrap().spec
}

fn core(world: &mut World) -> &mut crate::api::BgpClusterSpec {
    &mut world.bgp_clusters.get_mut("core").unwrap().spec
}

fn pool(world: &mut World) -> &mut crate::api::LocatorPoolSpec {
    &mut world.locator_pools.get_mut("main").unwrap().spec.spec
}

fn via(prefix: &str, via: &str) -> StaticRoute {
    StaticRoute { prefix: prefix.into(), via: Some(via.into()), segments: vec![], blackhole: false }
}

fn circuit(world: &mut World, vrf: &str, node: &str) {
    let spec = AttachmentCircuitSpec {
        vrf: vrf.into(),
        node: node.into(),
        interface: "tap0".into(),
        addresses: vec![],
        hosts: vec![],
        proxy: false,
    };
    world.attachment_circuits.insert("vm".into(), object(spec));
}

fn advertisement(vrf: &str) -> BgpAdvertisementSpec {
    BgpAdvertisementSpec { vrf: Some(vrf.into()), node_selector: None, advertisements: vec![] }
}

fn egress(vrf: &str) -> EgressPolicySpec {
    EgressPolicySpec {
        vrf: vrf.into(),
        sources: vec![Default::default()],
        destination_cidrs: vec!["0.0.0.0/0".into()],
        except_cidrs: vec![],
        egress_ips: vec!["203.0.113.9".into()],
        gateways: EgressGateways { node_selector: selector(&[]), port_block: None },
    }
}
