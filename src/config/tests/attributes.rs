//! With what routes are advertised.

use bgp_wire::attribute::Community;
use vrf_manager::intent::{Network, RouteAttributes, Source};

use super::{HEAD, accepted, mistake_after_head, mistake_in_vrf};

const WRITTEN: &str = "communities: [65000:100, no-export], color: 70000, localPreference: 200";

fn attributes() -> RouteAttributes {
    RouteAttributes {
        communities: [Community(65000 << 16 | 100), Community::NO_EXPORT].into(),
        color: Some(70_000),
        local_preference: Some(200),
    }
}

#[test]
fn networks_are_prefixes_with_or_without_attributes() {
    let intent = accepted(&format!(
        "{HEAD}bgp: {{ networks: [198.51.100.0/24, {{ prefix: 2001:db8:1::/48, {WRITTEN} }}] }}\n"
    ));
    let with = Network { prefix: "2001:db8:1::/48".parse().unwrap(), attributes: attributes() };
    assert_eq!(
        intent.bgp.networks,
        [Network::from("198.51.100.0/24".parse::<ipnet::IpNet>().unwrap()), with]
    );
}

#[test]
fn sources_are_words_with_or_without_attributes() {
    let intent = accepted(&format!(
        "{HEAD}vrfs: [{{ name: red, redistribute: [connected, {{ source: static, {WRITTEN} }}] }}]\n"
    ));
    let plainly = (Source::Connected, RouteAttributes::default());
    assert_eq!(intent.vrfs[0].redistribute, [plainly, (Source::Static, attributes())].into());
}

#[test]
fn a_service_is_advertised_as_it_says_or_not_at_all() {
    let advertise = |words: &str| {
        let service = format!("{{ name: web, addresses: [10.100.0.1], ports: [{{ port: 80 }}]{words} }}");
        accepted(&format!("{HEAD}vrfs: [{{ name: red, services: [{service}] }}]\n")).vrfs[0].services[0]
            .advertise
            .clone()
    };
    assert_eq!(advertise(""), Some(RouteAttributes::default()));
    assert_eq!(advertise(", advertise: true"), Some(RouteAttributes::default()));
    assert_eq!(advertise(", advertise: false"), None);
    assert_eq!(advertise(&format!(", advertise: {{ {WRITTEN} }}")), Some(attributes()));
}

#[test]
fn an_egress_address_is_advertised_as_its_gateway_says() {
    let policy = format!(
        "{{ name: internet, sources: [10.0.0.0/8], addresses: [192.0.2.7], gateway: {{ {WRITTEN} }} }}"
    );
    let intent = accepted(&format!("{HEAD}vrfs: [{{ name: red, egress: [{policy}] }}]\n"));
    assert_eq!(intent.vrfs[0].egress[0].gateway.as_ref().unwrap().attributes, attributes());
}

#[test]
fn attributes_that_are_none_are_refused() {
    let no_community = "is not a community; write AS:number (65000:100), no-export, no-advertise, \
                        no-export-subconfed, no-peer, blackhole or graceful-shutdown";
    for (written, problem) in [
        ("communities: [65000]", &*format!("communities[0]: \"65000\" {no_community}")),
        ("communities: [65536:1]", &format!("communities[0]: \"65536:1\" {no_community}")),
        ("communities: [1:2, 1:2]", "communities[1]: is in the list already; leave one out"),
        ("communities: no-export", "communities: is not a list; write [a, b] or one \"- item\" per line"),
        ("color: 0", "color: \"0\" is not a colour; write 1 to 4294967295"),
        ("color: red", "color: \"red\" is not a colour; write 1 to 4294967295"),
        ("localPreference: -1", "localPreference: \"-1\" is not a LOCAL_PREF; write 0 to 4294967295"),
        ("colour: 1", "colour: unknown key; did you mean color?"),
    ] {
        let place = |found: String, path: &str| found.split_once(&format!("{path}.")).unwrap().1.to_owned();
        let network =
            mistake_after_head(&format!("bgp: {{ networks: [{{ prefix: 10.0.0.0/8, {written} }}] }}\n"));
        assert_eq!(place(network, "bgp.networks[0]"), problem);
        let source = mistake_in_vrf(&format!("redistribute: [{{ source: static, {written} }}]"));
        assert_eq!(place(source, "vrfs[0].redistribute[0]"), problem);
    }
}

#[test]
fn what_is_advertised_is_named_once() {
    assert_eq!(
        mistake_in_vrf("redistribute: [static, { source: static, color: 1 }]"),
        "7:26: vrfs[0].redistribute[1]: is in the list already; leave one out"
    );
    assert_eq!(
        mistake_after_head("bgp: { networks: [10.0.0.0/8, { prefix: 10.0.0.0/8, color: 1 }] }\n"),
        "5:31: bgp.networks[1]: 10.0.0.0/8 stands at bgp.networks[0] already; remove one of the two"
    );
    assert_eq!(
        mistake_in_vrf("redistribute: [{ color: 1 }]"),
        "7:18: vrfs[0].redistribute[0]: \"source\" is missing; write source: connected"
    );
    assert_eq!(
        mistake_after_head("bgp: { networks: [{ color: 1 }] }\n"),
        "5:19: bgp.networks[0]: \"prefix\" is missing; write prefix: 198.51.100.0/24"
    );
    assert_eq!(
        mistake_in_vrf(
            "services: [{ name: a, addresses: [10.100.0.1], ports: [{ port: 80 }], advertise: no }]"
        ),
        "7:84: vrfs[0].services[0].advertise: \"no\" is not a boolean; write true or false"
    );
}
