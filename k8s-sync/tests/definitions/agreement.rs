use std::net::{IpAddr, Ipv6Addr};

use bgp_wire::attribute::{Community, RouteTarget};
use ipnet::IpNet;
use k8s_sync::crds;
use kube::api::PostParams;
use serde_json::{Value, json};
use testapi::Cluster;

use super::spec::{advertisement, circuit, object};

/// A kind of text: a spec with it, and whether we can read it.
struct Text {
    kind: &'static str,
    spec: fn(&str) -> Value,
    reads: fn(&str) -> bool,
    texts: &'static [&'static str],
}

/// What means another number to some programs: the API server is stricter than we are.
const OCTAL: [&str; 2] = ["010.0.0.0/8", "10.0.0.0/08"];

const TEXTS: [Text; 5] = [
    Text {
        kind: "Vrf",
        spec: |text| json!({ "importRouteTargets": [text] }),
        reads: |text| text.parse::<RouteTarget>().is_ok(),
        texts: &[
            "0:0",
            "1:1",
            "65535:4294967295",
            "65535:4294967296",
            "65536:65535",
            "65536:65536",
            "4294967295:1",
            "4294967296:1",
            "10.0.0.1:1",
            "10.0.0.1:65535",
            "10.0.0.1:65536",
            "010.0.0.1:1",
            "10.0.0:1",
            "256.0.0.1:1",
            "65000:-1",
            "65000:1:1",
            "65000",
            ":1",
            "1:",
            ":",
            "1.1:1",
            "a:b",
            " 1:1",
            "007:1",
            "::1:1",
        ],
    },
    Text {
        kind: "Vrf",
        spec: |text| json!({ "staticRoutes": [{ "prefix": text, "blackhole": true }] }),
        reads: |text| text.parse().is_ok_and(|net: IpNet| net == net.trunc()),
        texts: &[
            "0.0.0.0/0",
            "::/0",
            "10.0.0.0/8",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "2001:db8::/32",
            "2001:db8::1/32",
            "2001:db8::/129",
            "10.0.0.0",
            "10.0.0/24",
            "10.0.0.0/08",
            "010.0.0.0/8",
            "/8",
            "10.0.0.0/",
            "2001:DB8::/32",
            "fe80::%eth0/64",
        ],
    },
    Text {
        kind: "AttachmentCircuit",
        spec: |text| circuit(json!({ "hosts": [text] })),
        reads: |text| text.parse::<IpAddr>().is_ok(),
        texts: &[
            "10.0.0.1",
            "010.0.0.1",
            "10.0.0",
            "10.0.0.256",
            "::",
            "::1",
            "2001:DB8::1",
            "2001:db8:0:0:0:0:0:1",
            "fe80::1%eth0",
            "1::2::3",
            "[::1]",
            "10.0.0.1/32",
            "localhost",
        ],
    },
    Text {
        kind: "BgpNodeOverride",
        spec: |text| json!({ "sourceAddress": text }),
        reads: |text| text.parse::<Ipv6Addr>().is_ok(),
        texts: &["2001:db8::1", "192.0.2.1", "::", "g::1"],
    },
    Text {
        kind: "BgpAdvertisement",
        spec: |text| advertisement(None, json!({ "type": "PodIP", "attributes": { "communities": [text] } })),
        reads: |text| text.parse::<Community>().is_ok(),
        texts: &[
            "0:0",
            "65535:65535",
            "65536:0",
            "0:65536",
            "no-export",
            "no-advertise",
            "no-export-subconfed",
            "graceful-shutdown",
            "NO-EXPORT",
            "no-peer",
            "blackhole",
            "1",
            "1:1:1",
            "1:",
            "-1:1",
        ],
    },
];

#[tokio::test]
async fn the_api_server_takes_what_we_can_read_and_nothing_else() {
    Cluster::run(&crds(), async |cluster| {
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let mut apart = Vec::new();
        for Text { kind, spec, reads, texts } in TEXTS {
            for text in texts {
                let taken = cluster
                    .api(kind)
                    .create(&dry, &object(kind, &cluster.name("text"), &spec(text)))
                    .await
                    .is_ok();
                if taken != (reads(text) && !OCTAL.contains(text)) {
                    apart.push(format!("{kind} {text:?}: the API server takes it: {taken}"));
                }
            }
        }
        assert!(apart.is_empty(), "{}", apart.join("\n"));
    })
    .await;
}
