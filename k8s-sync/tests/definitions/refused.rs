use k8s_sync::crds;
use kube::{Error, api::PostParams};
use serde_json::{Value, json};
use testapi::Cluster;

use super::spec::{advertisement, bgp, circuit, egress, object, pool, range, route, with};

/// Kind, spec, and what the API server says of it.
fn mistakes() -> Vec<(&'static str, Value, &'static str)> {
    const NOT_RT: &str = "not a route target; write AS:number";
    const NOT_PREFIX: &str = "not a prefix; write address/length with no bit set beyond the length";
    const ONE_WAY: &str = "write exactly one of via, segments and blackhole: true";
    let of = advertisement;
    vec![
        ("Vrf", json!({"importRouteTargets": ["65000"]}), NOT_RT),
        ("Vrf", json!({"importRouteTargets": ["65000:70000:1"]}), NOT_RT),
        ("Vrf", json!({"importRouteTargets": ["65000:4294967296"]}), NOT_RT),
        ("Vrf", json!({"exportRouteTargets": ["70000:65536"]}), NOT_RT),
        ("Vrf", json!({"exportRouteTargets": ["10.0.0.256:1"]}), NOT_RT),
        ("Vrf", json!({"exportRouteTargets": ["10.0.0.1:65536"]}), NOT_RT),
        ("Vrf", json!({"exportRouteTargets": ["4294967296:1"]}), NOT_RT),
        ("Vrf", json!({"importRouteTargets": ["65000:1", "65000:1"]}), "Duplicate value"),
        ("Vrf", json!({"rd": "red"}), "not a route distinguisher; write AS:number"),
        ("Vrf", json!({"sidAllocation": "PerPod"}), r#"supported values: "PerVrf", "PerFamily""#),
        ("Vrf", json!({"podSelector": {}}), "write namespaceSelector too"),
        (
            "Vrf",
            json!({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}),
            r#"supported values: "In", "NotIn""#,
        ),
        (
            "Vrf",
            json!({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
            "In and NotIn need values",
        ),
        ("Vrf", route(json!({})), ONE_WAY),
        ("Vrf", route(json!({"blackhole": false})), ONE_WAY),
        ("Vrf", route(json!({"via": "10.1.0.1", "blackhole": true})), ONE_WAY),
        ("Vrf", route(json!({"via": "10.1.0.1", "segments": ["fc00:0:1:1::"]})), ONE_WAY),
        ("Vrf", route(json!({"via": "10.1.0.1/24"})), "not an IP address; write one such as 192.0.2.1"),
        (
            "Vrf",
            route(json!({"segments": ["10.0.0.1"]})),
            "not an IPv6 address; write one such as 2001:db8::1",
        ),
        ("Vrf", route(json!({"prefix": "10.0.0.1/8", "blackhole": true})), NOT_PREFIX),
        ("Vrf", range(json!({"cidr": "10.0.0.0/31"})), "cidr has no room for pods; write a shorter prefix"),
        (
            "Vrf",
            range(json!({"cidr": "10.0.0.0/16", "nodePrefixLength": 8})),
            "nodePrefixLength is no block of cidr",
        ),
        (
            "Vrf",
            range(json!({"cidr": "10.0.0.0/16", "nodePrefixLength": 31})),
            "nodePrefixLength is no block of cidr",
        ),
        (
            "Vrf",
            json!({"podNetwork": {"ranges": [{"cidr": "10.0.0.0/16"}, {"cidr": "10.1.0.0/16"}]}}),
            "both ranges are of one family; leave one of each",
        ),
        (
            "Vrf",
            json!({"interfaces": [{"name": "sixteen-octets-0"}]}),
            "Too long: may not be more than 15 bytes",
        ),
        ("Vrf", json!({"interfaces": [{"name": "a/b"}]}), "not an interface name; write 1 to 15 characters"),
        (
            "Vrf",
            json!({"interfaces": [{"name": "tap*", "addresses": ["10.0.0.1"]}]}),
            "write one such as 10.0.1.1/24",
        ),
        ("Vrf", json!({"maxFlows": 1000}), "should be greater than or equal to 1024"),
        ("LocatorPool", pool(json!({"prefix": "fc00:0:1::/32"})), "not an IPv6 prefix"),
        ("LocatorPool", pool(json!({"prefix": "10.0.0.0/8"})), "not an IPv6 prefix"),
        ("LocatorPool", pool(json!({"prefix": "fc00::/24"})), "prefix is shorter than the block"),
        ("LocatorPool", pool(json!({"prefix": "fc00::/64"})), "longer than block and node"),
        (
            "LocatorPool",
            pool(json!({"structure": {"block": 32, "node": 64, "function": 32, "argument": 1}})),
            "more than 128 bits together; shorten one of the lengths",
        ),
        (
            "LocatorPool",
            pool(json!({"structure": {"block": 32, "node": 16, "function": 0, "argument": 0}})),
            "0 bits of function leave no SIDs; write 16",
        ),
        (
            "LocatorPool",
            pool(json!({"nodes": [{"node": "a", "locator": "fd00:0:1::/48"}]})),
            "not within prefix",
        ),
        (
            "LocatorPool",
            pool(json!({"nodes": [{"node": "a", "locator": "fc00:0:1::/56"}]})),
            "as long as block and node",
        ),
        (
            "LocatorPool",
            pool(
                json!({"nodes": [{"node": "a", "locator": "fc00:0:1::/48"}, {"node": "a", "locator": "fc00:0:2::/48"}]}),
            ),
            "Duplicate value",
        ),
        ("BgpCluster", json!({"instances": []}), "should have at least 1 items"),
        (
            "BgpCluster",
            json!({"instances": [{"name": "a", "localAsn": 1}, {"name": "b", "localAsn": 2}]}),
            "must have at most 1 item",
        ),
        ("BgpCluster", bgp(json!({"localAsn": 0})), "should be greater than or equal to 1"),
        (
            "BgpCluster",
            bgp(json!({"localAsn": 4_294_967_296_u64})),
            "should be less than or equal to 4294967295",
        ),
        (
            "BgpCluster",
            bgp(json!({"peers": [{"name": "rr", "peerAddress": "rr.example", "peerASN": 1}]})),
            "not an IP address",
        ),
        (
            "BgpCluster",
            bgp(
                json!({"peers": [{"name": "a", "peerAddress": "::1", "peerASN": 1}, {"name": "b", "peerAddress": "::1", "peerASN": 1}]}),
            ),
            "two peers have one address; leave one session to each address",
        ),
        (
            "BgpCluster",
            with(bgp(json!({})), json!({"srv6": {"locatorPools": [], "coreInterfaces": []}})),
            "no pool is named; write one, or leave srv6 away",
        ),
        ("BgpPeerConfig", json!({"holdTimeSeconds": 2}), "write 0 (no keepalives) or 3 to 65535"),
        (
            "BgpPeerConfig",
            json!({"holdTimeSeconds": 30, "keepaliveSeconds": 11}),
            "more than a third of holdTimeSeconds",
        ),
        ("BgpPeerConfig", json!({"keepaliveSeconds": 31}), "more than a third of holdTimeSeconds"),
        ("BgpPeerConfig", json!({"families": ["l2vpn"]}), r#"supported values: "ipv4-unicast""#),
        ("BgpPeerConfig", json!({"ebgpMultihop": 1}), "should be greater than or equal to 2"),
        ("BgpAdvertisement", of(Some("red"), json!({"type": "Locator"})), "locators are of the global table"),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "Connected"})),
            "Connected and Static are of a VRF; write vrf",
        ),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "Static"})),
            "Connected and Static are of a VRF; write vrf",
        ),
        (
            "BgpAdvertisement",
            of(Some("red"), json!({"type": "PodIP", "selector": {}})),
            "advertised all or none",
        ),
        (
            "BgpAdvertisement",
            of(Some("red"), json!({"type": "EgressIP", "attributes": {"localPreference": 1}})),
            "leave localPreference away",
        ),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "Service"})),
            "addresses are of type Service, and it needs them",
        ),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "PodIP", "addresses": ["ClusterIP"]})),
            "addresses are of type Service",
        ),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "PodCIDR", "selector": {}})),
            "a selector means nothing with this type",
        ),
        (
            "BgpAdvertisement",
            of(None, json!({"type": "PodIP", "attributes": {"communities": ["65536:1"]}})),
            "not a community; write AS:number, both up to 65535",
        ),
        ("BgpNodeOverride", json!({"routerId": "0.0.0.0"}), "not a router id; write four numbers"),
        ("BgpNodeOverride", json!({"routerId": "2001:db8::1"}), "not a router id; write four numbers"),
        ("BgpNodeOverride", json!({"sourceAddress": "192.0.2.1"}), "not an IPv6 address"),
        ("EgressPolicy", egress(json!({"sources": []})), "write {} as a source for all pods of the VRF"),
        (
            "EgressPolicy",
            egress(json!({"destinationCIDRs": []})),
            "the policy is for no destination; write 0.0.0.0/0",
        ),
        ("EgressPolicy", egress(json!({"destinationCIDRs": ["::/0"]})), "no egress address is of the family"),
        ("EgressPolicy", egress(json!({"destinationCIDRs": ["10.0.0.1/8"]})), NOT_PREFIX),
        (
            "EgressPolicy",
            egress(json!({"egressIPs": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]})),
            "more than 4 egressIPs of a family; remove what is least preferred",
        ),
        (
            "EgressPolicy",
            egress(json!({"gateways": {"nodeSelector": {}, "portBlock": 2048}})),
            "less than or equal to 1024",
        ),
        ("AttachmentCircuit", circuit(json!({"interface": "a b"})), "not an interface name"),
        ("AttachmentCircuit", circuit(json!({"hosts": ["10.0.0.2/32"]})), "not an IP address"),
        ("AttachmentCircuit", circuit(json!({"node": "Edge_1"})), "not a name; write lower case letters"),
    ]
}

async fn refusal(cluster: &Cluster, kind: &str, name: &str, spec: &Value) -> String {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    match cluster.api(kind).create(&dry, &object(kind, name, spec)).await {
        Err(Error::Api(status)) if status.code == 422 => status.message.clone(),
        other => panic!("{kind} {spec}: not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_mistake_is_refused_with_the_remedy() {
    Cluster::run(&crds(), async |cluster| {
        let mut wrong = Vec::new();
        for (kind, spec, expected) in mistakes() {
            let said = refusal(cluster, kind, &cluster.name("mistake"), &spec).await;
            // A rule that cannot be evaluated says nothing to people.
            if !said.contains(expected) || said.contains("evaluating rule") {
                wrong.push(format!("{kind} {spec}\n  expected {expected}\n  said     {said}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn the_name_of_a_vrf_has_room_in_the_dataplane() {
    Cluster::run(&crds(), async |cluster| {
        let said = refusal(cluster, "Vrf", &"a".repeat(64), &json!({})).await;
        assert!(said.contains("the name of a Vrf has at most 63 characters; write a shorter one"), "{said}");
    })
    .await;
}
