//! What docs/network-policy.md shows.

use super::*;

#[test]
fn the_example_of_the_guide() {
    let cluster = Cluster::new()
        .namespace("shop", &[("tenant", "red")])
        .namespace("payments", &[("tenant", "red"), ("team", "payments")])
        .vrf("red", |_| ())
        .pod("shop/web", "n1", &["10.1.0.2"], &[("app", "web")])
        .pod("shop/front", "n2", &["10.1.4.7"], &[("app", "front")])
        .pod("payments/a", "n2", &["10.1.6.2"], &[])
        .pod("payments/b", "n2", &["10.1.6.3"], &[])
        .with(|world| {
            let ports = &mut world.pods.get_mut(&key("shop/web")).unwrap().ports;
            ports.insert("http".into(), PodPort { protocol: Protocol::Tcp, port: 8080 });
        });
    let from = |from, ports| NetworkPolicyIngressRule { from: Some(vec![from]), ports };
    let ingress = vec![
        from(pods(&[("app", "front")]), Some(vec![named("http")])),
        from(block("10.0.0.0/8", &["10.66.0.0/16"]), None),
    ];
    let dns = NetworkPolicyPort { protocol: Some("UDP".into()), ..tcp(53) };
    let egress = vec![
        NetworkPolicyEgressRule { to: None, ports: Some(vec![dns]) },
        NetworkPolicyEgressRule { to: Some(vec![namespaces(&[("team", "payments")])]), ports: None },
    ];
    let policy = NetworkPolicySpec {
        pod_selector: Some(selector(&[("app", "web")])),
        policy_types: Some(vec!["Ingress".into(), "Egress".into()]),
        ingress: Some(ingress),
        egress: Some(egress),
    };
    let cluster = with(cluster, "shop/web", policy);
    let mut problems = Vec::new();
    let membership = Membership::of(cluster.inputs("n1"), &mut problems);
    let rules = of_pod(&membership.scope("red").unwrap(), &key("shop/web"), &mut problems);
    assert_eq!(problems, []);
    let far = |rule: &FilterRule| rule.prefix.map_or("all".into(), |prefix| prefix.to_string());
    let told = |direction| {
        let of_side = rules.iter().filter(|rule| rule.direction == direction);
        let told = of_side.map(|rule| (rule.name.as_str(), far(rule), rule.protocol, rule.ports));
        told.collect::<Vec<_>>()
    };
    let ingress = told(Direction::Out);
    assert_eq!(ingress.len(), 9);
    assert!(ingress[..8].iter().all(|(name, _, protocol, _)| (*name, *protocol) == ("shop/web", None)));
    assert_eq!(ingress[8], ("shop/web ingress", "all".into(), None, None));
    assert_eq!(
        told(Direction::In),
        [
            ("itself", "10.1.0.2/32".into(), None, None),
            ("shop/web", "10.1.6.2/31".into(), None, None),
            ("shop/web", "all".into(), Some(17), Some((53, 53))),
            ("shop/web egress", "all".into(), None, None),
        ]
    );
}
