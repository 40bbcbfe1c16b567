//! What people read, and that a program reads the same from JSON.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{BgpRoutes, Egress, Filters, Flows, Neighbors, Render, Services};

/// The lines of a report, made from its JSON, which survives the way there and back.
fn lines<T: DeserializeOwned + Serialize + Render>(json: serde_json::Value) -> Vec<String> {
    let report: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&report).unwrap(), json);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    report.render().lines().map(words).filter(|line| !line.is_empty()).collect()
}

fn service(vips: serde_json::Value, backends: serde_json::Value) -> serde_json::Value {
    json!({ "services": [{
        "vrf": "red", "name": "web", "policy": "cluster", "affinity": 10800, "gracefulShutdown": false,
        "vips": vips,
        "ports": [{ "protocol": 6, "port": 80, "targetPort": 8080 }],
        "backends": backends,
        "counters": [
            { "address": "10.100.0.1", "protocol": 6, "port": 80, "targetPort": 8080, "flows": 2,
              "forwarded": 20, "bytesForwarded": 2000, "replies": 18, "bytesReplied": 9000, "refused": 0 },
            { "address": "fd00:100::1", "protocol": 6, "port": 80, "targetPort": 8080, "flows": 0,
              "forwarded": 0, "bytesForwarded": 0, "replies": 0, "bytesReplied": 0, "refused": 3 },
        ],
    }] })
}

#[test]
fn services_are_shown_by_vip_with_their_backends() {
    let vips = json!([
        { "address": "10.100.0.1", "sid": "fc00:0:1:2::", "withheld": null },
        { "address": "fd00:100::1", "sid": null, "withheld": "no backend is ready" },
    ]);
    let backend =
        |address, state, place| json!({ "address": address, "weight": 1, "state": state, "place": place });
    let backends = json!([
        backend("10.0.1.2", "ready", json!({ "kind": "here" })),
        backend("10.0.2.2", "draining", json!({ "kind": "direct" })),
        backend("10.0.3.2", "ready", json!({ "kind": "translated", "address": "192.0.2.10" })),
        backend("10.0.9.2", "down", json!({ "kind": "nowhere", "reason": "its circuit is not up" })),
    ]);
    assert_eq!(
        lines::<Services>(service(vips, backends)),
        [
            "VRF SERVICE VIP PROTOCOL TARGET POLICY FLOWS FORWARDED REPLIES REFUSED ADVERTISED",
            "red web 10.100.0.1:80 TCP 8080 cluster 2 20 18 0 fc00:0:1:2::",
            "red web [fd00:100::1]:80 TCP 8080 cluster 0 0 0 3 no: no backend is ready",
            "VRF SERVICE BACKEND WEIGHT STATE PLACE",
            "red web 10.0.1.2 1 ready here",
            "red web 10.0.2.2 1 draining another PE",
            "red web 10.0.3.2 1 ready another PE, clients as 192.0.2.10",
            "red web 10.0.9.2 1 down nowhere: its circuit is not up",
        ]
    );
    assert_eq!(lines::<Services>(json!({ "services": [] })), ["no services configured"]);
}

#[test]
fn a_flow_says_what_it_is_for_and_what_becomes_of_its_packets() {
    let flow = |protocol: u8, source: &str, destination: &str, kind: serde_json::Value| {
        let mut flow = json!({ "protocol": protocol, "source": source, "destination": destination,
            "state": "established", "idleSeconds": 65 });
        flow.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        flow
    };
    let flows = json!([
        flow(
            6,
            "10.0.2.2:40000",
            "10.100.0.1:80",
            json!({ "kind": "balanced", "backend": "10.0.1.2:8080", "port": 40000 })
        ),
        flow(
            6,
            "10.0.2.2:40000",
            "10.100.0.2:80",
            json!({ "kind": "balanced", "backend": "10.0.1.2:8080", "port": 1025 })
        ),
        flow(
            6,
            "10.0.1.2:8080",
            "10.0.2.2:1025",
            json!({ "kind": "reply", "vip": "10.100.0.2:80", "port": 40000 })
        ),
        flow(17, "[fd00:2::2]:0", "[fd00:100::1]:53", json!({ "kind": "affinity", "backend": null })),
        flow(1, "10.0.1.2:7", "192.0.2.7:0", json!({ "kind": "outbound", "port": 4096 })),
        flow(6, "0.0.0.0:0", "192.0.2.7:4100", json!({ "kind": "inbound", "host": "10.0.1.2:50000" })),
        flow(6, "10.0.1.2:22", "10.0.2.2:50000", json!({ "kind": "admitted", "interface": "eth2" })),
        flow(17, "10.0.1.2:0", "10.0.2.2:0", json!({ "kind": "fragment", "ports": [500, 53] })),
    ]);
    let shown = lines::<Flows>(json!({ "vrf": "red", "flows": flows, "total": 9, "complete": true }));
    assert_eq!(
        shown,
        [
            "PROTOCOL SOURCE DESTINATION FOR TRANSLATION STATE IDLE",
            "TCP 10.0.2.2:40000 10.100.0.1:80 client to VIP to 10.0.1.2:8080 established 1m05s",
            "TCP 10.0.2.2:40000 10.100.0.2:80 client to VIP to 10.0.1.2:8080, from port 1025 established 1m05s",
            "TCP 10.0.1.2:8080 10.0.2.2:1025 backend to client from 10.100.0.2:80, to port 40000 established 1m05s",
            "UDP fd00:2::2 [fd00:100::1]:53 client's backend the backend has gone established 1m05s",
            "ICMP 10.0.1.2 id 7 192.0.2.7 host to outside from 192.0.2.7 id 4096 established 1m05s",
            "TCP any 192.0.2.7:4100 outside to host to 10.0.1.2:50000 established 1m05s",
            "TCP 10.0.1.2:22 10.0.2.2:50000 answer to what a filter let through none, at eth2 established 1m05s",
            "UDP 10.0.1.2 10.0.2.2 later fragments ports 500 > 53 established 1m05s",
            "9 flows, 8 shown",
        ]
    );
}

#[test]
fn the_number_of_flows_is_told_as_far_as_it_is_known() {
    let last = |total: usize, complete: bool| {
        let flow = json!({ "protocol": 6, "source": "10.0.1.2:22", "destination": "10.0.2.2:500",
            "kind": "admitted", "interface": "eth2", "state": "opening", "idleSeconds": 0 });
        let flows = json!({ "vrf": "red", "flows": vec![flow; 2], "total": total, "complete": complete });
        lines::<Flows>(flows).pop().unwrap()
    };
    assert_eq!(last(2, true), "2 flows");
    assert_eq!(last(131_072, false), "131072 flows or more, 2 shown");
    let none = json!({ "vrf": "red", "flows": [], "total": 0, "complete": true });
    assert_eq!(lines::<Flows>(none), ["VRF red remembers no flows"]);
}

fn egress(host: serde_json::Value, host_ports: serde_json::Value) -> serde_json::Value {
    let segments = ["fc00:0:2:9::"];
    json!({
        "host": host,
        "addresses": [{
            "vrf": "red", "address": "192.0.2.7", "sid": "fc00:0:1:9::", "withheld": null, "firstPort": 1024,
            "lastPort": 65535, "portBlock": 128, "blocks": 504, "localPreference": 200, "gracefulShutdown": true,
            "hostPorts": host_ports, "outbound": 10, "bytesOutbound": 840, "inbound": 9, "bytesInbound": 756,
            "mappings": 2, "exhausted": 1,
        }],
        "policies": [{
            "vrf": "red", "name": "internet", "sources": ["10.0.1.0/24"], "circuits": ["eth2"],
            "destinations": ["0.0.0.0/0"], "except": ["10.0.0.0/8"],
            "addresses": [
                { "address": "192.0.2.6", "nextHop": null, "used": false },
                { "address": "192.0.2.7", "nextHop": { "kind": "egress" }, "used": true },
                { "address": "192.0.2.8", "used": false,
                  "nextHop": { "kind": "encapsulate", "segments": segments, "reduced": true } },
            ],
        }],
    })
}

#[test]
fn egress_tells_addresses_the_one_in_use_and_a_hosts_ports() {
    let addresses = [
        "VRF ADDRESS PORTS BLOCKS OUTBOUND INBOUND MAPPINGS EXHAUSTED LOCAL PREF ADVERTISED",
        "red 192.0.2.7 1024-65535 504 of 128 10 9 2 1 200 fc00:0:1:9::, graceful shutdown",
    ];
    let policies = [
        "VRF POLICY FROM TO EXCEPT ADDRESS GATEWAY",
        "red internet 10.0.1.0/24 eth2 0.0.0.0/0 10.0.0.0/8 192.0.2.6 no route",
        "red internet 10.0.1.0/24 eth2 0.0.0.0/0 10.0.0.0/8 > 192.0.2.7 an egress address of this PE",
        "red internet 10.0.1.0/24 eth2 0.0.0.0/0 10.0.0.0/8 192.0.2.8 encaps.red fc00:0:2:9::",
    ];
    assert_eq!(lines::<Egress>(egress(json!(null), json!(null))), [&addresses[..], &policies].concat());
    let block = "host 10.0.1.2 of red has ports 1280-1407 at 192.0.2.7";
    let shown = lines::<Egress>(egress(json!("10.0.1.2"), json!([1280, 1407])));
    assert_eq!(shown, [&addresses[..], &[block], &policies].concat());
    let shown = lines::<Egress>(egress(json!("fd00:1::2"), json!(null)));
    assert_eq!(shown[2], "no egress address here is of the family of fd00:1::2");
}

#[test]
fn filters_are_shown_in_order_with_what_each_rule_has_decided() {
    let rule = |name: &str, protocol: Option<u8>, ports: Option<(u16, u16)>, action: &str, packets: u64| {
        json!({ "name": name, "direction": "in", "prefix": "10.0.2.0/24", "protocol": protocol, "ports": ports,
            "action": action, "packets": packets, "bytes": packets * 100 })
    };
    let rules = [
        rule("no-telnet", Some(6), Some((23, 23)), "drop", 3),
        rule("web", Some(6), Some((80, 443)), "accept", 5),
        rule("rest", None, None, "drop", 0),
    ];
    let filter = json!({ "vrf": "red", "interface": "eth2", "id": 1, "rules": rules, "unmatched": 7,
        "bytesUnmatched": 700, "admitted": 4, "bytesAdmitted": 400 });
    assert_eq!(
        lines::<Filters>(json!({ "filters": [filter] })),
        [
            "VRF CIRCUIT RULE DIRECTION FAR END PROTOCOL PORTS ACTION PACKETS BYTES",
            "red eth2 no-telnet in 10.0.2.0/24 TCP 23 drop 3 300",
            "red eth2 web in 10.0.2.0/24 TCP 80-443 accept 5 500",
            "red eth2 rest in 10.0.2.0/24 - - drop 0 0",
            "red eth2 (answers) - - - - accept 4 400",
            "red eth2 (no rule) - - - - accept 7 700",
        ]
    );
    assert_eq!(lines::<Filters>(json!({ "filters": [] })), ["no circuit has a filter"]);
}

#[test]
fn a_route_shows_its_color_beside_its_communities() {
    let route = json!({ "rd": null, "prefix": "198.51.100.0/24", "best": true, "stale": false, "from": "local",
        "nextHop": null, "label": null, "sid": null, "behavior": null, "routeTargets": [], "asPath": "",
        "origin": "IGP", "localPref": 100, "med": null, "communities": ["65000:7", "no-export"],
        "extendedCommunities": ["color:100"], "importedInto": [], "reason": null });
    let shown = lines::<BgpRoutes>(json!({ "family": "ipv4-unicast", "routes": [route] }));
    assert_eq!(shown[1], "> 198.51.100.0/24 - IGP 100 - 65000:7 no-export color:100 local");
}

#[test]
fn a_neighbor_says_why_it_cannot_come_up() {
    let neighbor = |hint: serde_json::Value| {
        json!({ "neighbors": [{ "address": "203.0.113.9", "asn": 65009, "description": "", "state": "Connect",
            "uptimeSeconds": null, "routerId": null, "holdTime": null, "keepalive": null, "capabilities": [],
            "families": [], "stale": [], "messagesReceived": 0, "messagesSent": 0, "lastError": null,
            "lastErrorSeconds": null, "hint": hint }] })
    };
    let last = |hint| lines::<Neighbors>(neighbor(hint)).pop().unwrap();
    assert_eq!(last(json!("write multihop")), "hint write multihop");
    assert_eq!(last(json!(null)), "last error none");
}
