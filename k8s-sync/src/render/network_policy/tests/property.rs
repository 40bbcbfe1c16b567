use std::net::IpAddr;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;
use proptest::{collection, option, prelude::*, sample::select};

use super::{
    naive::{Asked, Packet},
    *,
};
use crate::world::World;

/// Two of red, one of blue, which has the same addresses.
const NAMESPACES: [&str; 3] = ["red", "red-tools", "blue"];
const PORTS: [u16; 7] = [1, 79, 80, 81, 90, 8080, 65535];
const PROTOCOLS: [u8; 4] = [1, 6, 17, 132];

fn any_labels() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let app = option::of(select(vec!["web", "db"])).prop_map(|app| app.map(|app| ("app", app)));
    let tier = option::of(Just(("tier", "front")));
    (app, tier).prop_map(|(app, tier)| app.into_iter().chain(tier).collect())
}

fn any_selector() -> impl Strategy<Value = LabelSelector> {
    let operator = select(vec!["In", "NotIn", "Exists", "DoesNotExist"]);
    let expression = (select(vec!["app", "tier"]), operator).prop_map(|(key, operator)| {
        let values = matches!(operator, "In" | "NotIn").then(|| vec!["web".to_owned(), "front".to_owned()]);
        LabelSelectorRequirement { key: key.into(), operator: operator.into(), values }
    });
    let expressions = option::of(collection::vec(expression, 1));
    (any_labels(), expressions, 0..3).prop_map(|(labels, match_expressions, which)| match which {
        0 => LabelSelector::default(),
        1 => selector(&labels),
        _ => LabelSelector { match_expressions, ..LabelSelector::default() },
    })
}

fn any_of_namespaces() -> impl Strategy<Value = LabelSelector> {
    select(vec![selector(&[]), selector(&[("tenant", "red")]), selector(&[("team", "tools")])])
}

fn any_block() -> impl Strategy<Value = NetworkPolicyPeer> {
    let v4 = select(vec!["0.0.0.0/0", "10.0.0.0/28", "10.0.0.0/29", "10.0.0.4/30", "192.0.2.0/24"]);
    let except4 = select(vec!["10.0.0.0/30", "10.0.0.5/32", "10.0.0.0/8", "10.0.0.2/31"]);
    let v6 = select(vec!["::/0", "fd00::/125"]);
    let except6 = select(vec!["fd00::2/127", "fd00::4/128"]);
    prop_oneof![
        (v4, collection::vec(except4, 0..3)).prop_map(|(cidr, except)| block(cidr, &except)),
        (v6, collection::vec(except6, 0..2)).prop_map(|(cidr, except)| block(cidr, &except)),
    ]
}

fn any_peer() -> impl Strategy<Value = NetworkPolicyPeer> {
    let by_pod = any_selector().prop_map(|pods| (None, Some(pods)));
    let by_namespace = any_of_namespaces().prop_map(|namespaces| (Some(namespaces), None));
    let by_both = (any_of_namespaces(), any_selector()).prop_map(|(n, p)| (Some(n), Some(p)));
    let selected = prop_oneof![by_pod, by_namespace, by_both].prop_map(|(namespaces, pods)| {
        NetworkPolicyPeer { ip_block: None, namespace_selector: namespaces, pod_selector: pods }
    });
    prop_oneof![selected, any_block()]
}

fn any_port() -> impl Strategy<Value = NetworkPolicyPort> {
    let port = prop_oneof![
        1 => Just((None, None)),
        2 => select(vec!["http", "dns"]).prop_map(|name| (Some(IntOrString::String(name.into())), None)),
        2 => select(PORTS.to_vec()).prop_map(|port| (Some(IntOrString::Int(port.into())), None)),
        2 => (select(PORTS.to_vec()), select(PORTS.to_vec()))
            .prop_map(|(a, b)| (Some(IntOrString::Int(a.min(b).into())), Some(a.max(b).into()))),
    ];
    let protocol = option::of(select(vec!["TCP", "UDP", "SCTP"]));
    (port, protocol).prop_map(|((port, end_port), protocol)| NetworkPolicyPort {
        port,
        end_port,
        protocol: protocol.map(Into::into),
    })
}

type RuleParts = (Option<Vec<NetworkPolicyPeer>>, Option<Vec<NetworkPolicyPort>>);

fn any_rules() -> impl Strategy<Value = Option<Vec<RuleParts>>> {
    let peers = option::weighted(0.8, collection::vec(any_peer(), 0..3));
    let ports = option::weighted(0.7, collection::vec(any_port(), 0..3));
    option::weighted(0.8, collection::vec((peers, ports), 0..3))
}

fn any_policy() -> impl Strategy<Value = NetworkPolicySpec> {
    let types = select(vec![
        None,
        Some(vec![]),
        Some(vec!["Ingress"]),
        Some(vec!["Egress"]),
        Some(vec!["Ingress", "Egress"]),
    ]);
    (option::of(any_selector()), types, any_rules(), any_rules()).prop_map(
        |(pods, types, ingress, egress)| {
            let ingress = ingress.map(|rules| {
                rules.into_iter().map(|(from, ports)| NetworkPolicyIngressRule { from, ports }).collect()
            });
            let egress = egress.map(|rules| {
                rules.into_iter().map(|(to, ports)| NetworkPolicyEgressRule { to, ports }).collect()
            });
            let policy_types = types.map(|types| types.into_iter().map(Into::into).collect());
            NetworkPolicySpec { pod_selector: pods, policy_types, ingress, egress }
        },
    )
}

prop_compose! {
    /// Pods with addresses of their own in red, and blue's with the same ones.
    fn any_world()(
        pods in collection::vec((0..3_usize, any_labels(), option::of(select(PORTS.to_vec())), any::<bool>()), 2..8),
        policies in collection::vec((0..2_usize, any_policy()), 0..4),
    ) -> Cluster {
        let mut cluster = Cluster::new()
            .tenant("red")
            .namespace("red-tools", &[("tenant", "red"), ("team", "tools")])
            .tenant("blue");
        for (n, (namespace, labels, port, dual)) in pods.into_iter().enumerate() {
            let (name, n) = (format!("{}/pod{n}", NAMESPACES[namespace]), n + 1);
            let addresses = [format!("10.0.0.{n}"), format!("fd00::{n}")];
            let addresses: Vec<_> = addresses.iter().map(String::as_str).take(if dual { 2 } else { 1 }).collect();
            cluster = cluster.pod(&name, "n1", &addresses, &labels).with(|world| {
                let ports = &mut world.pods.get_mut(&key(&name)).unwrap().ports;
                ports.extend(port.map(|port| ("http".into(), PodPort { protocol: Protocol::Tcp, port })));
                ports.extend(dual.then_some(("dns".into(), PodPort { protocol: Protocol::Udp, port: 81 })));
            });
        }
        // Of another VRF, where a pod of red may have the address as well.
        cluster = cluster.pod("blue/twin", "n2", &["10.0.0.1", "fd00::2"], &[("app", "web")]);
        for (n, (namespace, policy)) in policies.into_iter().enumerate() {
            cluster = with(cluster, &format!("{}/policy{n}", NAMESPACES[namespace]), policy);
        }
        cluster
    }
}

fn far_ends() -> Vec<IpAddr> {
    let v4 = (0..12).map(|n| format!("10.0.0.{n}"));
    let v6 = (0..9).map(|n| format!("fd00::{n}"));
    let outside = ["192.0.2.1", "203.0.113.1", "2001:db8::1"].map(String::from);
    v4.chain(v6).chain(outside).map(|text| text.parse().unwrap()).collect()
}

/// As the dataplane does it.
fn first_match(rules: &[FilterRule], packet: Packet) -> bool {
    let has_ports = packet.protocol != 1;
    let matching = rules.iter().find(|rule| {
        rule.direction == packet.side.direction()
            && rule.prefix.is_none_or(|prefix| prefix.contains(&packet.far))
            && rule.protocol.is_none_or(|protocol| protocol == packet.protocol)
            && rule.ports.is_none_or(|(a, b)| has_ports && (a..=b).contains(&packet.port))
    });
    matching.is_none_or(|rule| rule.action == Action::Accept)
}

fn assert_agrees(world: &World, vrf: &[Key], pod: &Key, rules: &[FilterRule]) {
    let asked = Asked { world, vrf, pod };
    for side in Side::BOTH {
        for far in far_ends() {
            for (protocol, port) in PROTOCOLS.into_iter().flat_map(|p| PORTS.map(|port| (p, port))) {
                let packet = Packet { side, far, protocol, port };
                let (wanted, got) = (asked.lets_pass(packet), first_match(rules, packet));
                assert_eq!(got, wanted, "{pod}: {packet:?}\n{rules:#?}\n{:#?}", world.network_policies);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_let_pass_what_the_policies_let_pass_and_nothing_else(cluster in any_world()) {
        let mut problems = Vec::new();
        let membership = Membership::of(cluster.inputs("n1"), &mut problems);
        let scope = membership.scope("red").unwrap();
        let vrf: Vec<_> = scope.pods.keys().map(|key| (*key).clone()).collect();
        for pod in &vrf {
            let rules = of_pod(&scope, pod, &mut problems);
            assert_agrees(&cluster.world, &vrf, pod, &rules);
        }
        prop_assert_eq!(problems, []);
    }
}
