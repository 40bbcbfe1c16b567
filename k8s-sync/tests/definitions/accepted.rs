use k8s_sync::{
    api::{BgpPeerConfig, Vrf},
    crds,
};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};
use testapi::Cluster;

use super::spec::object;

/// What is just not a mistake.
fn edges() -> Vec<(&'static str, Value)> {
    let lengths = |block, node, function, argument| json!({"block": block, "node": node, "function": function, "argument": argument});
    let targets = json!(["0:0", "65535:4294967295", "65536:65535", "4294967295:0", "255.255.255.255:65535"]);
    let many: Vec<String> = (0..64).map(|number| format!("65000:{number}")).collect();
    let egress = json!({
        "vrf": "red", "sources": [{}], "destinationCIDRs": ["0.0.0.0/0", "::/0"],
        "egressIPs": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "::1", "::2", "::3", "::4"],
        "gateways": {"nodeSelector": {}, "portBlock": 1024},
    });
    vec![
        ("Vrf", json!({})),
        ("Vrf", json!({"importRouteTargets": targets, "exportRouteTargets": many})),
        ("Vrf", json!({"namespaceSelector": {}, "podSelector": {}})),
        (
            "Vrf",
            json!({"podNetwork": {"ranges": [{"cidr": "10.0.0.0/30", "nodePrefixLength": 30}, {"cidr": "::/0"}]}}),
        ),
        ("Vrf", json!({"staticRoutes": [{"prefix": "0.0.0.0/0", "segments": ["::1", "::2", "::3", "::4"]}]})),
        ("Vrf", json!({"interfaces": [{"name": "fifteen-octets*"}, {"name": "?"}], "maxFlows": 4_194_304})),
        ("LocatorPool", json!({"prefix": "fc00::/48"})),
        ("LocatorPool", json!({"prefix": "5f00::/40", "structure": lengths(40, 24, 16, 0)})),
        ("LocatorPool", json!({"prefix": "fc00::/32", "structure": lengths(32, 16, 40, 40)})),
        ("BgpCluster", json!({"instances": [{"name": "core", "localAsn": 4_294_967_295_u32}]})),
        ("BgpPeerConfig", json!({"holdTimeSeconds": 0})),
        ("BgpPeerConfig", json!({"holdTimeSeconds": 3, "keepaliveSeconds": 1, "ebgpMultihop": 255})),
        ("BgpPeerConfig", json!({"holdTimeSeconds": 65535, "keepaliveSeconds": 21845})),
        (
            "BgpAdvertisement",
            json!({"advertisements": [{"type": "PodIP", "selector": {}}, {"type": "Locator"}]}),
        ),
        ("BgpNodeOverride", json!({})),
        ("BgpNodeOverride", json!({"routerId": "0.0.0.1"})),
        ("EgressPolicy", egress),
        ("NodeState", json!({})),
    ]
}

#[tokio::test]
async fn what_is_just_right_is_taken() {
    Cluster::run(&crds(), async |cluster| {
        for (kind, spec) in edges() {
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            let taken = cluster.api(kind).create(&dry, &object(kind, &cluster.name("edge"), &spec)).await;
            assert!(taken.is_ok(), "{kind} {spec}: {taken:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_left_away_is_filled_in() {
    Cluster::run(&crds(), async |cluster| {
        let (vrf, config) = (cluster.name("bare"), cluster.name("bare"));
        let create = PostParams::default();
        cluster.api("Vrf").create(&create, &object("Vrf", &vrf, &json!({"rd": null}))).await.unwrap();
        let created = object("BgpPeerConfig", &config, &json!({}));
        cluster.api("BgpPeerConfig").create(&create, &created).await.unwrap();

        let vrf = Api::<Vrf>::all(cluster.client.clone()).get(&vrf).await.unwrap();
        let spec = serde_json::to_value(vrf.spec).unwrap();
        let expected = json!({
            "importRouteTargets": [], "exportRouteTargets": [], "sidAllocation": "PerVrf", "encapsulation": "Reduced",
            "interfaces": [], "staticRoutes": [], "maxFlows": 65536,
        });
        assert_eq!(spec, expected, "no selector is filled in: a Vrf that says nothing lets nobody in");
        let config = Api::<BgpPeerConfig>::all(cluster.client.clone()).get(&config).await.unwrap();
        let spec = serde_json::to_value(config.spec).unwrap();
        let expected = json!({
            "peerPort": 179, "holdTimeSeconds": 90, "connectRetrySeconds": 5, "families": ["vpnv4", "vpnv6"], "passive": false,
        });
        assert_eq!(spec, expected);
    })
    .await;
}
