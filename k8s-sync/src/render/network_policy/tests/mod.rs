mod naive;
mod property;

use k8s_openapi::{
    api::networking::v1::{
        IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::*;
use crate::{
    render::{
        membership::Membership,
        testing::{Cluster, key, object, selector},
    },
    world::{PodPort, Protocol},
};

/// Pods of red in two namespaces; blue has the same addresses.
fn shop() -> Cluster {
    let ports = |pod: &mut Pod, port| {
        pod.ports.insert("http".into(), PodPort { protocol: Protocol::Tcp, port });
    };
    Cluster::new()
        .tenant("red")
        .tenant("blue")
        .namespace("red-tools", &[("tenant", "red"), ("team", "tools")])
        .pod("red/web", "n1", &["10.0.1.2", "fd00:1::2"], &[("app", "web")])
        .pod("red/db", "n2", &["10.0.2.2"], &[("app", "db")])
        .pod("red-tools/probe", "n2", &["10.0.2.3"], &[("app", "probe")])
        .pod("blue/web", "n1", &["10.0.2.2"], &[("app", "web")])
        .with(|world| {
            ports(world.pods.get_mut(&key("red/web")).unwrap(), 8080);
            ports(world.pods.get_mut(&key("red/db")).unwrap(), 9090);
        })
}

fn with(cluster: Cluster, name: &str, spec: NetworkPolicySpec) -> Cluster {
    cluster.with(|world| drop(world.network_policies.insert(key(name), object(spec))))
}

fn ingress(from: Vec<NetworkPolicyPeer>, ports: Vec<NetworkPolicyPort>) -> NetworkPolicySpec {
    let rule = NetworkPolicyIngressRule { from: Some(from), ports: Some(ports) };
    NetworkPolicySpec { ingress: Some(vec![rule]), ..NetworkPolicySpec::default() }
}

fn egress(to: Vec<NetworkPolicyPeer>, ports: Vec<NetworkPolicyPort>) -> NetworkPolicySpec {
    let rule = NetworkPolicyEgressRule { to: Some(to), ports: Some(ports) };
    let policy_types = Some(vec!["Egress".into()]);
    NetworkPolicySpec { egress: Some(vec![rule]), policy_types, ..NetworkPolicySpec::default() }
}

fn pods(of: &[(&str, &str)]) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(selector(of)), ..NetworkPolicyPeer::default() }
}

fn namespaces(of: &[(&str, &str)]) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(selector(of)), ..NetworkPolicyPeer::default() }
}

fn block(cidr: &str, except: &[&str]) -> NetworkPolicyPeer {
    let except = Some(except.iter().map(ToString::to_string).collect());
    NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr: cidr.into(), except }),
        ..NetworkPolicyPeer::default()
    }
}

fn tcp(port: i32) -> NetworkPolicyPort {
    NetworkPolicyPort { port: Some(IntOrString::Int(port)), ..NetworkPolicyPort::default() }
}

fn named(name: &str) -> NetworkPolicyPort {
    NetworkPolicyPort { port: Some(IntOrString::String(name.into())), ..NetworkPolicyPort::default() }
}

/// Rules of `red/web`, each as text: `name direction far protocol ports action`; and what is wrong.
fn told(cluster: &Cluster) -> (Vec<String>, Vec<String>) {
    let mut problems = Vec::new();
    let membership = Membership::of(cluster.inputs("n1"), &mut problems);
    let rules = of_pod(&membership.scope("red").unwrap(), &key("red/web"), &mut problems);
    let text = |rule: FilterRule| {
        let far = rule.prefix.map_or("all".into(), |prefix| prefix.to_string());
        let protocol = rule.protocol.map_or("all".into(), |protocol| protocol.to_string());
        let ports = rule.ports.map_or("all".into(), |(first, last)| format!("{first}-{last}"));
        format!("{}: {:?} {far} {protocol} {ports} {:?}", rule.name, rule.direction, rule.action)
    };
    (rules.into_iter().map(text).collect(), problems.iter().map(ToString::to_string).collect())
}

/// Without those of the pod itself.
fn rules(cluster: &Cluster) -> Vec<String> {
    let (rules, problems) = told(cluster);
    assert_eq!(problems, [""; 0]);
    rules.into_iter().filter(|rule| !rule.starts_with("itself")).collect()
}

#[test]
fn a_pod_that_no_policy_selects_has_no_rules() {
    assert_eq!(rules(&shop()), [""; 0]);
    let other = NetworkPolicySpec { pod_selector: Some(selector(&[("app", "db")])), ..Default::default() };
    assert_eq!(rules(&with(shop(), "red/db", other)), [""; 0]);
    assert_eq!(
        rules(&with(shop(), "blue/all", NetworkPolicySpec::default())),
        [""; 0],
        "of another namespace"
    );
}

#[test]
fn a_policy_without_rules_denies_all_but_the_pod_to_itself() {
    let cluster = with(shop(), "red/deny", NetworkPolicySpec::default());
    let (rules, problems) = told(&cluster);
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        rules,
        [
            "itself: Out 10.0.1.2/32 all all Accept",
            "itself: Out fd00:1::2/128 all all Accept",
            "red/deny ingress: Out all all all Drop",
        ]
    );
}

#[test]
fn peers_are_pods_of_the_vrf_by_pod_and_namespace_labels() {
    let from = |peer| rules(&with(shop(), "red/p", ingress(vec![peer], vec![])));
    let denial = "red/p ingress: Out all all all Drop";
    assert_eq!(from(pods(&[("app", "db")])), ["red/p: Out 10.0.2.2/32 all all Accept", denial]);
    assert_eq!(from(namespaces(&[("team", "tools")])), ["red/p: Out 10.0.2.3/32 all all Accept", denial]);
    let both = NetworkPolicyPeer { namespace_selector: Some(selector(&[])), ..pods(&[("app", "probe")]) };
    assert_eq!(from(both), ["red/p: Out 10.0.2.3/32 all all Accept", denial]);
    assert_eq!(from(namespaces(&[("tenant", "blue")])), [denial], "blue's pods are in another VRF");
    assert_eq!(from(pods(&[("app", "probe")])), [denial], "of another namespace than the policy's");
    let all = rules(&with(shop(), "red/p", ingress(vec![namespaces(&[])], vec![])));
    assert_eq!(all, ["red/p: Out 10.0.2.2/31 all all Accept", denial], "neighbours are one prefix");
}

#[test]
fn no_peers_are_everybody_and_an_allowed_direction_needs_no_rules() {
    assert_eq!(rules(&with(shop(), "red/p", ingress(vec![], vec![]))), [""; 0]);
    assert_eq!(
        rules(&with(shop(), "red/p", ingress(vec![], vec![tcp(80)]))),
        ["red/p: Out all 6 80-80 Accept", "red/p ingress: Out all all all Drop"]
    );
}

#[test]
fn exceptions_of_one_policy_do_not_hold_for_another() {
    let cluster = with(shop(), "red/a", ingress(vec![block("10.9.0.0/30", &["10.9.0.1/32"])], vec![]));
    assert_eq!(
        rules(&cluster),
        [
            "red/a: Out 10.9.0.0/32 all all Accept",
            "red/a: Out 10.9.0.2/31 all all Accept",
            "red/a ingress: Out all all all Drop",
        ]
    );
    let cluster = with(cluster, "red/b", ingress(vec![block("10.9.0.0/24", &[])], vec![tcp(80)]));
    assert_eq!(
        rules(&cluster),
        [
            "red/a: Out 10.9.0.0/32 all all Accept",
            "red/a: Out 10.9.0.2/31 all all Accept",
            "red/b: Out 10.9.0.0/24 6 80-80 Accept",
            "red/a+1 ingress: Out all all all Drop",
        ]
    );
}

#[test]
fn what_another_rule_allows_already_is_no_rule() {
    let cluster = with(shop(), "red/a", ingress(vec![block("10.9.0.0/16", &[])], vec![]));
    let cluster = with(cluster, "red/b", ingress(vec![block("10.9.1.0/24", &[])], vec![tcp(80)]));
    let range = NetworkPolicyPort { end_port: Some(90), ..tcp(80) };
    let cluster = with(cluster, "red/c", ingress(vec![], vec![range, tcp(85)]));
    assert_eq!(
        rules(&cluster),
        [
            "red/a: Out 10.9.0.0/16 all all Accept",
            "red/c: Out all 6 80-90 Accept",
            "red/a+2 ingress: Out all all all Drop",
        ]
    );
}

#[test]
fn a_named_port_is_the_pods_own_on_the_way_in_and_each_peers_on_the_way_out() {
    let denial = |side, direction| format!("red/p {side}: {direction} all all all Drop");
    assert_eq!(
        rules(&with(shop(), "red/p", ingress(vec![], vec![named("http")]))),
        ["red/p: Out all 6 8080-8080 Accept".to_owned(), denial("ingress", "Out")]
    );
    assert_eq!(
        rules(&with(shop(), "red/p", egress(vec![block("10.0.2.0/24", &[])], vec![named("http")]))),
        ["red/p: In 10.0.2.2/32 6 9090-9090 Accept".to_owned(), denial("egress", "In")]
    );
    assert_eq!(
        rules(&with(shop(), "red/p", ingress(vec![], vec![named("grpc")]))),
        [denial("ingress", "Out")],
        "not everything: a port that the pod has not is none"
    );
    let udp = NetworkPolicyPort { protocol: Some("UDP".into()), ..named("http") };
    assert_eq!(rules(&with(shop(), "red/p", ingress(vec![], vec![udp]))), [denial("ingress", "Out")]);
}

#[test]
fn what_cannot_be_read_allows_nothing_and_is_told_once() {
    let nobody = NetworkPolicyPeer::default();
    let mixed = NetworkPolicyPeer { pod_selector: Some(selector(&[])), ..block("10.0.0.0/8", &[]) };
    let ports = vec![
        NetworkPolicyPort { protocol: Some("ICMP".into()), ..NetworkPolicyPort::default() },
        NetworkPolicyPort { end_port: Some(90), ..named("http") },
        NetworkPolicyPort { end_port: Some(79), ..tcp(80) },
        tcp(0),
    ];
    let cluster = with(shop(), "red/p", ingress(vec![nobody, mixed], vec![]));
    let cluster = with(cluster, "red/q", ingress(vec![], ports));
    let mut problems = Vec::new();
    let membership = Membership::of(cluster.inputs("n1"), &mut problems);
    let scope = membership.scope("red").unwrap();
    let rules = of_pod(&scope, &key("red/web"), &mut problems);
    of_pod(&scope, &key("red/db"), &mut problems);
    assert_eq!(rules.last().map(|rule| rule.name.as_str()), Some("red/p+1 ingress"));
    assert!(rules.iter().all(|rule| rule.name == "itself" || rule.action == Action::Drop), "{rules:?}");
    let places: Vec<_> =
        problems.iter().map(|p| p.to_string().split("; ").next().unwrap().to_owned()).collect();
    assert_eq!(
        places,
        [
            "NetworkPolicy red/p: spec.ingress[0].from[0]: it names nobody",
            "NetworkPolicy red/p: spec.ingress[0].from[1]: an ipBlock stands beside selectors, and is left out with them",
            "NetworkPolicy red/q: spec.ingress[0].ports[0]: \"ICMP\" is no protocol",
            "NetworkPolicy red/q: spec.ingress[0].ports[1]: endPort needs a number for port",
            "NetworkPolicy red/q: spec.ingress[0].ports[2]: 80-79 is no range",
            "NetworkPolicy red/q: spec.ingress[0].ports[3]: 0 is no port",
        ]
    );
}

#[test]
fn a_pod_whose_rules_have_no_room_is_cut_off_in_that_direction() {
    // Blocks inside each other, each of which takes over the ports of those around it.
    let ports = |n: i32| (0..25).map(|k| tcp(1000 + 50 * n + 2 * k)).collect::<Vec<_>>();
    let blocks = |n: i32, hosts: i32| {
        (0..hosts).map(|host| block(&format!("10.{host}.0.0/{}", 16 + n), &[])).collect::<Vec<_>>()
    };
    let cut_off = |hosts, limit| {
        let start = with(shop(), "red/out", egress(vec![], vec![tcp(80)]));
        let policy = |cluster, n| with(cluster, &format!("red/p{n}"), ingress(blocks(n, hosts), ports(n)));
        let (rules, problems) = told(&(0..10).fold(start, policy));
        let ingress: Vec<_> = rules.iter().filter(|rule| rule.contains(" Out ")).collect();
        assert_eq!(ingress, ["red/p0+9 ingress: Out all all all Drop"]);
        assert!(rules.contains(&"red/out: In all 6 80-80 Accept".to_owned()), "egress has room");
        let told = format!(
            "Pod red/web: its NetworkPolicies come to more than {limit} for ingress, and all ingress is dropped; \
             select fewer peers, or name fewer ports"
        );
        assert_eq!(problems, [told]);
    };
    cut_off(60, "65536 matches");
    cut_off(200, "16384 rules");
}

#[test]
fn names_have_room_in_the_dataplane() {
    let long = "allow-everything-from-the-frontend-of-the-shop";
    let cluster = with(shop(), &format!("red/{long}"), egress(vec![], vec![tcp(80)]));
    assert_eq!(
        rules(&cluster),
        [
            "red/allow-everything-from-the-~: In all 6 80-80 Accept",
            "red/allow-everything-fr~ egress: In all all all Drop"
        ]
    );
}
