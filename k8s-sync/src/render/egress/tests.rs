use vrf_manager::intent::RouteAttributes;

use super::*;
use crate::{
    api::{BgpNodeOverrideSpec, EgressGateways},
    render::{
        membership::Membership,
        testing::{Cluster, addresses, object, selector},
    },
};

/// Pods of red on either node, `n1` and `n2` being gateways.
fn gateways() -> Cluster {
    Cluster::new()
        .tenant("red")
        .pod("red/a", "n1", &["10.0.1.2"], &[("app", "web")])
        .pod("red/b", "n1", &["10.0.1.3"], &[])
        .pod("red/c", "n2", &["10.0.2.2"], &[("app", "web")])
        .with(|world| {
            for node in world.nodes.values_mut() {
                node.labels.insert("role".into(), "gateway".into());
            }
            add(world, "internet", |_| {});
        })
}

fn add(world: &mut World, name: &str, edit: impl FnOnce(&mut EgressPolicySpec)) {
    let mut spec = EgressPolicySpec {
        vrf: "red".into(),
        sources: vec![EgressSource {
            pod_selector: Some(selector(&[("app", "web")])),
            ..EgressSource::default()
        }],
        destination_cidrs: vec!["0.0.0.0/0".into()],
        except_cidrs: vec!["10.0.0.0/8".into()],
        egress_ips: vec!["192.0.2.70".into()],
        gateways: EgressGateways { node_selector: selector(&[("role", "gateway")]), port_block: None },
    };
    edit(&mut spec);
    world.egress_policies.insert(name.into(), object(spec));
}

fn edit(edit: impl FnOnce(&mut EgressPolicySpec)) -> Cluster {
    gateways().with(|world| edit(&mut world.egress_policies.get_mut("internet").unwrap().spec))
}

fn rendered(cluster: &Cluster, node: &str) -> (Vec<intent::EgressPolicy>, Vec<String>) {
    let mut problems = Vec::new();
    let mut inputs = cluster.inputs(node);
    let nothing = BTreeMap::new();
    if node != "n1" {
        inputs.attachments = &nothing;
    }
    let membership = Membership::of(inputs, &mut problems);
    let policies = of_vrf(&membership.scope("red").unwrap(), &mut problems);
    let policies = policies.into_iter().map(|(_, policy)| policy).collect();
    (policies, problems.iter().map(ToString::to_string).collect())
}

fn fine(cluster: &Cluster, node: &str) -> Vec<intent::EgressPolicy> {
    let (policies, problems) = rendered(cluster, node);
    assert_eq!(problems, [""; 0]);
    policies
}

/// LOCAL_PREF by node, and whether it is to be spared.
fn preferences(cluster: &Cluster) -> [Option<(u32, bool)>; 2] {
    ["n1", "n2"].map(|node| {
        let gateway = fine(cluster, node).into_iter().next()?.gateway?;
        Some((gateway.attributes.local_preference?, gateway.graceful_shutdown))
    })
}

#[test]
fn a_policy_holds_the_circuits_of_its_pods_here() {
    let policy = intent::EgressPolicy {
        name: "internet".into(),
        sources: vec![],
        circuits: vec!["veth-a".into()],
        destinations: vec!["0.0.0.0/0".parse().unwrap()],
        except: vec!["10.0.0.0/8".parse().unwrap()],
        addresses: addresses(&["192.0.2.70"]),
        gateway: Some(intent::EgressGateway {
            addresses: addresses(&["192.0.2.70"]),
            attributes: RouteAttributes { local_preference: Some(200), ..RouteAttributes::default() },
            ports: (1024, 65535),
            port_block: 128,
            graceful_shutdown: false,
        }),
    };
    assert_eq!(fine(&gateways(), "n1"), [policy]);
}

#[test]
fn sources_take_pods_by_namespace_and_label_and_hosts_by_address() {
    let circuits = |sources: &[EgressSource]| {
        let policies = fine(&edit(|spec| spec.sources = sources.to_vec()), "n1");
        (policies[0].circuits.clone(), policies[0].sources.len())
    };
    let all = EgressSource::default();
    let vms = EgressSource { cidrs: vec!["10.9.0.0/16".into()], ..all.clone() };
    let namespace =
        |of| EgressSource { namespace_selector: Some(selector(&[("tenant", of)])), ..all.clone() };
    let both = ["veth-a", "veth-b"].map(String::from).to_vec();
    assert_eq!(circuits(std::slice::from_ref(&all)), (both.clone(), 0));
    assert_eq!(circuits(std::slice::from_ref(&vms)), (vec![], 1));
    assert_eq!(circuits(&[vms, namespace("red")]), (both, 1));
    assert_eq!(circuits(&[namespace("blue")]), (vec![], 0), "and the gateway has it nevertheless");
}

#[test]
fn gateways_are_preferred_by_name_and_those_to_be_spared_are_last() {
    let with = |edit: fn(&mut World)| preferences(&gateways().with(edit));
    let second_first = [Some((190, true)), Some((200, false))];
    assert_eq!(with(|_| {}), [Some((200, false)), Some((190, false))]);
    assert_eq!(with(|world| world.nodes.get_mut("n1").unwrap().unschedulable = true), second_first);
    assert_eq!(with(|world| world.nodes.get_mut("n1").unwrap().ready = false), second_first);
    let drained = |world: &mut World| {
        let drained = BgpNodeOverrideSpec { graceful_shutdown: true, ..BgpNodeOverrideSpec::default() };
        world.bgp_node_overrides.insert("n1".into(), object(drained));
    };
    assert_eq!(with(drained), second_first);
}

#[test]
fn a_node_without_hosts_of_a_policy_has_it_as_a_gateway_only() {
    let unlabel = |world: &mut World| drop(world.nodes.get_mut("n2").unwrap().labels.remove("role"));
    assert_eq!(fine(&gateways().with(unlabel), "n2"), []);
    let gateway = &fine(&gateways(), "n2")[0];
    assert_eq!((&gateway.circuits, gateway.gateway.is_some()), (&vec![], true));
    let elsewhere = gateways().with(|world| {
        world.vrfs.get_mut("red").unwrap().spec.node_selector = Some(selector(&[("name", "n2")]));
    });
    assert_eq!(fine(&elsewhere, "n1")[0].gateway, None, "a node without the VRF is no gateway in it");
}

#[test]
fn what_is_wrong_with_a_policy_is_told_and_the_rest_of_it_stays() {
    let told = |cluster: Cluster| {
        let (policies, problems) = rendered(&cluster, "n1");
        (policies.len(), problems)
    };
    let one = |count: usize, problem: &str| (count, vec![format!("EgressPolicy internet: {problem}")]);
    assert_eq!(
        told(edit(|spec| spec.gateways.node_selector = selector(&[("no", "such")]))),
        one(
            1,
            "spec.gateways.nodeSelector: no node of VRF red has these labels, and what the policy holds is dropped; label one"
        )
    );
    assert_eq!(
        told(edit(|spec| spec.destination_cidrs.push("::/0".into()))),
        one(
            1,
            "spec.destinationCIDRs: no egress address is of the family of ::/0; add one to spec.egressIPs, or remove it"
        )
    );
    assert_eq!(
        told(edit(|spec| spec.egress_ips.push("10.0.2.2".into()))),
        one(1, "spec.egressIPs[1]: 10.0.2.2 is that of pod red/c; write one that nobody has")
    );
    assert_eq!(
        told(edit(|spec| spec.egress_ips.extend((1..=4).map(|n| format!("192.0.2.{n}"))))),
        one(1, "spec.egressIPs[4]: 192.0.2.4 is more than 4 of a family; remove what is least preferred")
    );
    assert_eq!(
        told(edit(|spec| spec.sources.clear())),
        one(1, "spec.sources: the policy is for no host; write {} for all pods of the VRF")
    );
    assert_eq!(
        told(edit(|spec| spec.destination_cidrs.clear())),
        one(
            0,
            "spec: nothing is left of the policy; write a destination, and an egress address of its family"
        )
    );
}

#[test]
fn two_policies_share_an_address_only_with_the_same_gateways() {
    let same = gateways().with(|world| add(world, "second", |_| {}));
    assert_eq!(fine(&same, "n1").len(), 2);
    let others = gateways().with(|world| {
        add(world, "second", |spec| spec.gateways.node_selector = selector(&[("name", "n2")]));
    });
    let (policies, problems) = rendered(&others, "n1");
    assert_eq!(policies.len(), 1);
    assert_eq!(
        problems,
        [
            "EgressPolicy second: spec.egressIPs: 192.0.2.70 is that of EgressPolicy internet, with other gateways or \
          ports; write the same in both, or take another address"
        ]
    );
}

#[test]
fn a_policy_of_no_vrf_is_told() {
    let cluster = edit(|spec| spec.vrf = "green".into());
    let mut problems = Vec::new();
    without_vrf(&cluster.world, &mut problems);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "EgressPolicy internet: spec.vrf: there is no Vrf green; name one that there is, or create it"
    );
}
