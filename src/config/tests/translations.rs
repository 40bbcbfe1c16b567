//! Services, egress policies and filters.

use super::{mistake_after_head, mistake_in_vrf};

/// The one mistake of a VRF with `key` in it, which stands on line 7: what follows the path of the key.
#[track_caller]
fn refused(key: &str, item: &str) -> String {
    let mistake = mistake_in_vrf(&format!("{key}: [{item}]"));
    let start = mistake.find(&format!("vrfs[0].{key}[0]")).expect("the path");
    mistake[start + format!("vrfs[0].{key}[0]").len()..].trim_start_matches(['.', ':', ' ']).to_owned()
}

#[test]
fn the_place_is_that_of_the_value() {
    assert_eq!(
        mistake_after_head(
            "vrfs:\n- name: red\n  services:\n  - name: web\n    addresses: [10.100.0.1]\n    ports: [{ port: 80 }]\n    \
             backends:\n    - { address: 10.0.0.2, weight: 257 }\n"
        ),
        "12:36: vrfs[0].services[0].backends[0].weight: \"257\" is not a weight; write 1 to 256"
    );
    assert_eq!(
        mistake_in_vrf(
            "services: [{ name: web, addresses: [10.100.0.1], ports: [{ port: 80 }], backend: [] }]"
        ),
        "7:75: vrfs[0].services[0].backend: unknown key; did you mean backends?"
    );
}

/// A service with `rest`, after its name.
#[track_caller]
fn service_refuses<const N: usize>(cases: [(&str, &str); N]) {
    for (rest, problem) in cases {
        assert_eq!(refused("services", &format!("{{ name: web{rest} }}")), problem);
    }
}

#[test]
fn services() {
    service_refuses([
        (", ports: [{ port: 80 }]", "\"addresses\" is missing; write addresses: [10.100.0.1]"),
        (", addresses: [10.100.0.1]", "\"ports\" is missing; write ports: [{ port: 80 }]"),
        (
            ", addresses: [], ports: [{ port: 80 }]",
            "addresses: is empty; write one VIP or more: [10.100.0.1]",
        ),
        (", addresses: [10.100.0.1], ports: []", "ports: is empty; write one or more: [{ port: 80 }]"),
        (
            ", addresses: [10.100.0.1/32], ports: [{ port: 80 }]",
            "addresses[0]: \"10.100.0.1/32\" is not an IP address; write one such as 192.0.2.1 or 2001:db8::1",
        ),
        (
            ", addresses: [10.100.0.1, 10.100.0.1], ports: [{ port: 80 }]",
            "addresses[1]: is in the list already; leave one out",
        ),
    ]);
    assert_eq!(
        refused("services", "{ addresses: [10.100.0.1], ports: [{ port: 80 }] }"),
        "\"name\" is missing; write name: web"
    );
}

#[test]
fn ports_of_services() {
    for (port, problem) in [
        ("{ protocol: tcp }", "\"port\" is missing; write port: 80"),
        ("{ port: 0 }", "port: \"0\" is not a port; write 1 to 65535"),
        ("{ port: 80-81 }", "port: \"80-81\" is not a port; write 1 to 65535"),
        ("{ port: 80, targetPort: 65536 }", "targetPort: \"65536\" is not a port; write 1 to 65535"),
        (
            "{ port: 80, protocol: TCP }",
            "protocol: \"TCP\" is not a transport protocol; write tcp, udp or sctp",
        ),
    ] {
        let rest = format!(", addresses: [10.100.0.1], ports: [{port}]");
        let expected = if port.contains("port:") {
            format!("ports[0].{problem}")
        } else {
            format!("ports[0]: {problem}")
        };
        service_refuses([(&rest, &expected)]);
    }
}

#[test]
fn backends_and_how_they_are_used() {
    let bad_word = "is not a backend's state; write ready, draining or down";
    let bad_way = "is not a way to remote backends; write direct, or { translateTo: [192.0.2.10] }";
    for (rest, problem) in [
        ("backends: [{ weight: 2 }]", "backends[0]: \"address\" is missing; write address: 10.0.1.2"),
        (
            "backends: [{ address: 10.0.0.2, weight: 0 }]",
            "backends[0].weight: \"0\" is not a weight; write 1 to 256",
        ),
        (
            "backends: [{ address: 10.0.0.2, state: terminating }]",
            &format!("backends[0].state: \"terminating\" {bad_word}"),
        ),
        (
            "externalTrafficPolicy: Local",
            "externalTrafficPolicy: \"Local\" is not a traffic policy; write cluster or local",
        ),
        ("sessionAffinity: 0", "sessionAffinity: 0 s is out of range; write 1 to 86400 seconds"),
        ("sessionAffinity: 25h", "sessionAffinity: 90000 s is out of range; write 1 to 86400 seconds"),
        ("remoteBackends: snat", &format!("remoteBackends: \"snat\" {bad_way}")),
        ("remoteBackends: {}", "remoteBackends: \"translateTo\" is missing; write translateTo: [192.0.2.10]"),
        (
            "remoteBackends: [192.0.2.10]",
            "remoteBackends: is not a mapping; write keys and values: translateTo",
        ),
        (
            "remoteBackends: { translateTo: [] }",
            "remoteBackends.translateTo: is empty; write one address of this node for each family: [192.0.2.10]",
        ),
        ("gracefulShutdown: 1", "gracefulShutdown: \"1\" is not a boolean; write true or false"),
    ] {
        service_refuses([(&format!(", addresses: [10.100.0.1], ports: [{{ port: 80 }}], {rest}"), problem)]);
    }
}

#[test]
fn egress_policies() {
    let number = "is not a number of ports; write 1 to 1024";
    let range = "is not a port or a range of ports; write one such as 80 or 1024-65535";
    for (rest, problem) in [
        ("sources: [10.0.0.0/8]", "\"addresses\" is missing; write addresses: [192.0.2.7]"),
        ("addresses: []", "addresses: is empty; write one egress address or more: [192.0.2.7]"),
        (
            "addresses: [192.0.2.7], sources: [10.0.0.1/8]",
            "sources[0]: 10.0.0.1/8 has bits set beyond its first 8; write 10.0.0.0/8",
        ),
        (
            "addresses: [192.0.2.7], destinations: []",
            "destinations: is empty; write prefixes, or leave the key out",
        ),
        (
            "addresses: [192.0.2.7], gateway: { addresses: [] }",
            "gateway.addresses: is empty; write those of the policy's addresses that this node has, or leave the key out",
        ),
        (
            "addresses: [192.0.2.7], gateway: { localPreference: 4294967296 }",
            "gateway.localPreference: \"4294967296\" is not a LOCAL_PREF; write 0 to 4294967295",
        ),
        (
            "addresses: [192.0.2.7], gateway: { ports: 2000-1999 }",
            &format!("gateway.ports: \"2000-1999\" {range}"),
        ),
        (
            "addresses: [192.0.2.7], gateway: { ports: 1-65536 }",
            &format!("gateway.ports: \"1-65536\" {range}"),
        ),
        ("addresses: [192.0.2.7], gateway: { ports: -5 }", &format!("gateway.ports: \"-5\" {range}")),
        ("addresses: [192.0.2.7], gateway: { portBlock: 0 }", &format!("gateway.portBlock: \"0\" {number}")),
        (
            "addresses: [192.0.2.7], gateway: { portBlock: 1025 }",
            &format!("gateway.portBlock: \"1025\" {number}"),
        ),
        (
            "addresses: [192.0.2.7], gateway: true",
            "gateway: is not a mapping; write keys and values: addresses, localPreference, communities, color, ports, portBlock, gracefulShutdown",
        ),
    ] {
        assert_eq!(refused("egress", &format!("{{ name: internet, {rest} }}")), problem);
    }
}

#[test]
fn names_that_the_maps_carry_are_short() {
    let long = "a".repeat(32);
    let problem = format!("name: \"{long}\" is not a name; write 1 to 31 letters, digits, '-', '_' or '.'");
    assert_eq!(refused("egress", &format!("{{ name: {long}, addresses: [192.0.2.7] }}")), problem);
    assert_eq!(refused("filter", &format!("{{ name: {long}, direction: in, action: drop }}")), problem);
}

#[test]
fn rules_of_filters() {
    for (rest, problem) in [
        ("action: drop", "\"direction\" is missing; write direction: in"),
        ("direction: in", "\"action\" is missing; write action: drop"),
        (
            "direction: ingress, action: drop",
            "direction: \"ingress\" is not a direction; write in (from the circuit) or out (to it)",
        ),
        ("direction: in, action: deny", "action: \"deny\" is not an action; write accept or drop"),
        (
            "direction: in, action: drop, protocol: 256",
            "protocol: \"256\" is not an IP protocol; write tcp, udp, sctp, icmp, icmpv6 or a number, 0 to 255",
        ),
        (
            "direction: in, action: drop, protocol: tcp, ports: http",
            "ports: \"http\" is not a port or a range of ports; write one such as 80 or 1024-65535",
        ),
        (
            "direction: in, action: drop, protocol: tcp, ports: [80, 443]",
            "ports: is a list; write one value: one such as 80 or 1024-65535",
        ),
    ] {
        assert_eq!(refused("filter", &format!("{{ name: a, {rest} }}")), problem);
    }
    assert_eq!(
        mistake_in_vrf("attachmentCircuits: [{ interface: eth1, filter: [{ name: a, direction: in }] }]"),
        "7:52: vrfs[0].attachmentCircuits[0].filter[0]: \"action\" is missing; write action: drop"
    );
}

#[test]
fn sizes_of_flow_tables() {
    for flows in ["1023", "4194305", "many"] {
        assert_eq!(
            mistake_in_vrf(&format!("maxFlows: {flows}")),
            format!("7:13: vrfs[0].maxFlows: \"{flows}\" is not a number of flows; write 1024 to 4194304")
        );
    }
}

/// What is wrong only beside something else comes back to its place as well.
#[test]
fn contradictions_have_their_place() {
    assert_eq!(
        mistake_in_vrf("filter: [{ name: a, direction: in, action: drop, ports: 80 }]"),
        "7:59: vrfs[0].filter[0].ports: only TCP, UDP and SCTP have ports; \
         write protocol: tcp, udp or sctp beside it, or leave the ports away"
    );
    assert_eq!(
        mistake_in_vrf(
            "egress: [{ name: a, sources: [10.0.0.0/8], addresses: [192.0.2.7], gateway: { addresses: [192.0.2.8] } }]"
        ),
        "7:93: vrfs[0].egress[0].gateway.addresses[0]: 192.0.2.8 is no address of the policy; \
         add it to the policy's addresses, or remove it here"
    );
}
