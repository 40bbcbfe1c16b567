//! Keys and the shape of what stands under them.

use super::{HEAD, mistake_after_head, mistake_in_neighbor, mistake_in_vrf, mistakes};

#[test]
fn an_unknown_key_is_refused_and_the_nearest_named() {
    assert_eq!(
        mistake_in_neighbor("hold-time: 90"),
        "9:5: bgp.neighbors[0].hold-time: unknown key; did you mean holdTime?"
    );
    assert_eq!(
        mistake_after_head("bgp: { gracefulRestart: { password: x } }\n"),
        "5:27: bgp.gracefulRestart.password: unknown key; the keys here are enabled, restartTime"
    );
}

#[test]
fn a_key_written_twice_is_refused() {
    assert_eq!(
        mistake_in_neighbor("asn: 65001"),
        "9:5: bgp.neighbors[0].asn: is written twice, first on line 8; leave one out"
    );
}

#[test]
fn a_missing_key_names_the_place_of_its_parent() {
    assert_eq!(
        mistake_after_head("bgp:\n  neighbors:\n  - address: 192.0.2.2\n    asn: 65000\n"),
        "7:5: bgp.neighbors[0]: \"families\" is missing; write families: [vpnv4, vpnv6]"
    );
    assert_eq!(mistake_after_head("vrfs: [{}]\n"), "5:8: vrfs[0]: \"name\" is missing; write name: red");
}

#[test]
fn a_key_without_a_value_says_what_to_write() {
    assert_eq!(mistake_in_neighbor("port:"), "9:9: bgp.neighbors[0].port: has no value; write 1 to 65535");
}

#[test]
fn a_value_of_the_wrong_shape_is_refused() {
    assert_eq!(
        mistake_in_neighbor("port: [179]"),
        "9:11: bgp.neighbors[0].port: is a list; write one value: 1 to 65535"
    );
    assert_eq!(
        mistake_in_neighbor("port: { a: 1 }"),
        "9:11: bgp.neighbors[0].port: is a mapping; write one value: 1 to 65535"
    );
    assert_eq!(
        mistake_in_vrf("importRouteTargets: 65000:1"),
        "7:23: vrfs[0].importRouteTargets: is not a list; write [a, b] or one \"- item\" per line"
    );
    assert_eq!(
        mistake_after_head("bgp: { gracefulRestart: true }\n"),
        "5:25: bgp.gracefulRestart: is not a mapping; write keys and values: enabled, restartTime"
    );
}

#[test]
fn a_list_names_nothing_twice() {
    assert_eq!(
        mistake_in_vrf("importRouteTargets: [65000:1, 65000:2, \"65000:1\"]"),
        "7:42: vrfs[0].importRouteTargets[2]: is in the list already; leave one out"
    );
}

#[test]
fn every_mistake_is_reported_in_the_order_of_the_lines() {
    let text = format!(
        "{HEAD}vrfs:\n- name: red\n  rd: x\n  importRouteTargets: [65000:1, 65000:70000:1]\n- colour: blue\n\
         bgp:\n  neighbors:\n  - families: [vpnv5]\n    asn: 0\n    asn: 1\n"
    );
    assert_eq!(
        mistakes(&text),
        [
            "7:7: vrfs[0].rd: \"x\" is not a route distinguisher; \
             write AS:number (65000:101), IPv4:number (10.0.0.1:7) or auto",
            "8:33: vrfs[0].importRouteTargets[1]: \"65000:70000:1\" is not a route target; \
             write AS:number (65000:70000) or IPv4:number (10.0.0.1:7)",
            "9:3: vrfs[1].colour: unknown key; the keys here are name, rd, importRouteTargets, \
             exportRouteTargets, sidMode, locator, encapsulation, attachmentCircuits, staticRoutes, redistribute, \
             services, egress, filter, maxFlows",
            "9:3: vrfs[1]: \"name\" is missing; write name: red",
            "12:5: bgp.neighbors[0]: \"address\" is missing; write address: 192.0.2.2",
            "12:16: bgp.neighbors[0].families[0]: \"vpnv5\" is not an address family; \
             write ipv4-unicast, ipv6-unicast, vpnv4 or vpnv6",
            "13:10: bgp.neighbors[0].asn: \"0\" is not an AS number; write 1 to 4294967295",
            "14:5: bgp.neighbors[0].asn: is written twice, first on line 13; leave one out",
        ]
    );
}
