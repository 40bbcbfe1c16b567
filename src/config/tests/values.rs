//! Values that do not fit their key.

use super::{mistake_after_head, mistake_in_neighbor, mistake_in_vrf, mistakes};

/// Each with the message after the path.
#[track_caller]
fn neighbor_refuses<const N: usize>(key: &str, cases: [(&str, &str); N]) {
    for (value, problem) in cases {
        let column = key.len() + 7;
        assert_eq!(
            mistake_in_neighbor(&format!("{key}: {value}")),
            format!("9:{column}: bgp.neighbors[0].{key}: {problem}")
        );
    }
}

#[test]
fn as_numbers() {
    let refused = |asn: &str| {
        mistakes(&format!("router: {{ asn: {asn}, routerId: 192.0.2.1 }}\nsrv6: {{ source: ::1 }}\n"))
    };
    for asn in ["0", "4294967296", "-1", "+1", "65000.1", "\"\"", "0x", "ninety"] {
        let text = asn.trim_matches('"');
        assert_eq!(
            refused(asn),
            [format!("1:16: router.asn: {text:?} is not an AS number; write 1 to 4294967295")]
        );
    }
}

#[test]
fn router_ids() {
    let refused =
        |id: &str| mistakes(&format!("router: {{ asn: 1, routerId: {id} }}\nsrv6: {{ source: ::1 }}\n"));
    assert_eq!(
        refused("1"),
        ["1:29: router.routerId: \"1\" is not an IPv4 address; write four numbers (192.0.2.1)"]
    );
    assert_eq!(
        refused("0.0.0.0"),
        ["1:29: router.routerId: 0.0.0.0 is no BGP identifier; write an IPv4 address of this node"]
    );
}

#[test]
fn booleans_are_true_or_false() {
    neighbor_refuses("passive", [("yes", "\"yes\" is not a boolean; write true or false")]);
}

#[test]
fn addresses() {
    neighbor_refuses(
        "localAddress",
        [
            ("fe80::1::2", "\"fe80::1::2\" is not an IP address; write one such as 192.0.2.1 or 2001:db8::1"),
            (
                "10.0.0.1/24",
                "\"10.0.0.1/24\" is not an IP address; write one such as 192.0.2.1 or 2001:db8::1",
            ),
        ],
    );
    assert_eq!(
        mistakes("router: { asn: 1, routerId: 192.0.2.1 }\nsrv6: { source: 192.0.2.1 }\n"),
        ["2:17: srv6.source: \"192.0.2.1\" is not an IPv6 address; write one such as 2001:db8::1"]
    );
}

#[test]
fn ports() {
    neighbor_refuses(
        "port",
        [
            ("0", "\"0\" is not a TCP port; write 1 to 65535"),
            ("65536", "\"65536\" is not a TCP port; write 1 to 65535"),
        ],
    );
}

#[test]
fn numbers_of_prefixes() {
    neighbor_refuses(
        "maxPrefixes",
        [
            ("0", "\"0\" is not a number of prefixes; write 1 to 4294967295"),
            ("all", "\"all\" is not a number of prefixes; write 1 to 4294967295"),
        ],
    );
}

#[test]
fn durations() {
    let not = |text: &str| {
        format!("\"{text}\" is not a duration; write seconds (90), or a number with its unit (90s, 2m, 1h)")
    };
    neighbor_refuses(
        "connectRetry",
        [
            ("soon", &not("soon")),
            ("s", &not("s")),
            ("1.5", &not("1.5")),
            ("5ms", &not("5ms")),
            ("0", "0 s is out of range; write 1 to 65535 seconds"),
            ("19h", "68400 s is out of range; write 1 to 65535 seconds"),
        ],
    );
    assert_eq!(
        mistake_after_head("bgp: { gracefulRestart: { restartTime: 4096 } }\n"),
        "5:40: bgp.gracefulRestart.restartTime: 4096 s is out of range; write 1 to 4095 seconds"
    );
}

#[test]
fn hold_time_and_keepalive() {
    neighbor_refuses(
        "holdTime",
        [
            ("2", "a hold time of 1 s or 2 s is not allowed; write 0 (no keepalives) or 3 to 65535"),
            ("65536", "65536 s is out of range; write 0 to 65535 seconds"),
        ],
    );
    neighbor_refuses("keepalive", [("31", "31 s is more than a third of holdTime (90 s); write 30 or less")]);
}

#[test]
fn families() {
    assert_eq!(
        mistake_after_head("bgp:\n  neighbors:\n  - { address: 192.0.2.2, asn: 1, families: [] }\n"),
        "7:45: bgp.neighbors[0].families: names no family; \
         write one or more of ipv4-unicast, ipv6-unicast, vpnv4, vpnv6"
    );
}

#[test]
fn prefixes_have_no_host_bits() {
    assert_eq!(
        mistake_after_head("bgp: { networks: [10.0.1.1/24] }\n"),
        "5:19: bgp.networks[0]: 10.0.1.1/24 has bits set beyond its first 24; write 10.0.1.0/24"
    );
    assert_eq!(
        mistake_after_head("underlayRoutes: [{ prefix: 10.0.0.0, via: 10.0.0.1 }]\n"),
        "5:28: underlayRoutes[0].prefix: \"10.0.0.0\" is not a prefix; \
         write address/length, such as 10.0.0.0/8 or \"2001:db8::/32\""
    );
}

#[test]
fn names() {
    for name in ["two words", "a/b", "é"] {
        assert_eq!(
            mistake_after_head(&format!("vrfs: [{{ name: {name} }}]\n")),
            format!(
                "5:16: vrfs[0].name: {name:?} is not a name; write 1 to 63 letters, digits, '-', '_' or '.'"
            )
        );
    }
}

#[test]
fn interface_names() {
    for name in ["sixteen-letters-", "eth/0", "eth 0", "eth:0", ".."] {
        assert_eq!(
            mistake_in_vrf(&format!("attachmentCircuits: [{{ interface: {name} }}]")),
            format!(
                "7:37: vrfs[0].attachmentCircuits[0].interface: {name:?} is not an interface name; \
                 write 1 to 15 characters without '/', ':' and blanks, as \"ip link\" shows it"
            )
        );
    }
}

#[test]
fn circuit_addresses_have_a_length() {
    assert_eq!(
        mistake_in_vrf("attachmentCircuits: [{ interface: eth1, addresses: [10.0.1.1] }]"),
        "7:55: vrfs[0].attachmentCircuits[0].addresses[0]: \"10.0.1.1\" is not an address with its subnet's length; \
         write one such as 10.0.1.1/24 or 2001:db8::1/64"
    );
}

#[test]
fn words_of_a_vrf() {
    for (line, problem) in [
        (
            "sidMode: per-ce",
            "7:12: vrfs[0].sidMode: \"per-ce\" is not a SID mode; write per-vrf or per-family",
        ),
        (
            "encapsulation: red",
            "7:18: vrfs[0].encapsulation: \"red\" is not an encapsulation; write reduced or full",
        ),
        (
            "redistribute: [bgp]",
            "7:18: vrfs[0].redistribute[0]: \"bgp\" is not a kind of route; write connected, static or hosts",
        ),
    ] {
        assert_eq!(mistake_in_vrf(line), problem);
    }
}

#[test]
fn static_routes_lead_to_one_place() {
    for (route, problem) in [
        (
            "{ prefix: 10.0.0.0/8 }",
            "7:18: vrfs[0].staticRoutes[0]: leads nowhere; write via: ADDRESS, segments: [SID, ...] or blackhole: true",
        ),
        (
            "{ prefix: 10.0.0.0/8, via: 10.0.0.1, blackhole: true }",
            "7:18: vrfs[0].staticRoutes[0]: leads to more than one place; write only one of via, segments and blackhole",
        ),
        (
            "{ prefix: 10.0.0.0/8, blackhole: false }",
            "7:51: vrfs[0].staticRoutes[0].blackhole: says nothing when false; write true, or leave the key out",
        ),
        (
            "{ prefix: 10.0.0.0/8, segments: [] }",
            "7:50: vrfs[0].staticRoutes[0].segments: has 0 segments; write 1 to 4",
        ),
        (
            "{ prefix: 10.0.0.0/8, segments: [::1, ::2, ::3, ::4, ::5] }",
            "7:50: vrfs[0].staticRoutes[0].segments: has 5 segments; write 1 to 4",
        ),
    ] {
        assert_eq!(mistake_in_vrf(&format!("staticRoutes: [{route}]")), problem);
    }
}

#[test]
fn locators_fit_their_lengths() {
    for (locator, problem) in [
        (
            "prefix: fc00:0:1::/64",
            "3:51: srv6.locators[0].prefix: /64 does not tell block from node; write format: classic (40 + 24) or blockLength, nodeLength and functionLength",
        ),
        (
            "prefix: fc00:0:1::/48, format: classic",
            "3:51: srv6.locators[0].prefix: /48 is not block and node length, 40 + 24; write /64",
        ),
        (
            "prefix: fc00:0:1:1::/48",
            "3:51: srv6.locators[0].prefix: the prefix has bits set beyond its first 48 (block and node); write fc00:0:1::/48",
        ),
        (
            "prefix: fc00:0:1::",
            "3:51: srv6.locators[0].prefix: \"fc00:0:1::\" is not an IPv6 prefix; write address/length, such as \"fc00:0:1::/48\"",
        ),
        (
            "prefix: fc00:0:1::/48, format: usid",
            "3:74: srv6.locators[0].format: \"usid\" is not a locator format; write f3216 or classic",
        ),
        (
            "prefix: fc00:0:1::/48, blockLength: 129",
            "3:79: srv6.locators[0].blockLength: \"129\" is not a number of bits; write 0 to 128",
        ),
        (
            "prefix: fc00:0:1::/48, blockLength: 32",
            "3:29: srv6.locators[0]: lengths are missing; write blockLength, nodeLength and functionLength, or format: f3216 or classic",
        ),
        (
            "prefix: fc00:0:1::/48, format: f3216, argumentLength: 16",
            "3:29: srv6.locators[0]: \"format\" says the lengths already; leave the lengths or \"format\" out",
        ),
        (
            "prefix: fc00:0:1::/48, blockLength: 32, nodeLength: 16, functionLength: 81",
            "3:29: srv6.locators[0]: the SID's parts add up to 129 bits, more than 128; shorten one of the lengths",
        ),
    ] {
        // Quoted where a colon would end it.
        let locator = locator
            .strip_suffix("::")
            .map_or(locator.to_owned(), |_| locator.replace("fc00:0:1::", "\"fc00:0:1::\""));
        let text = format!(
            "router: {{ asn: 1, routerId: 192.0.2.1 }}\nsrv6:\n  {{ source: ::1, locators: [{{ name: main, {locator} }}] }}\n"
        );
        assert_eq!(mistakes(&text), [problem]);
    }
}

#[test]
fn numbers_after_a_wide_administrator_have_16_bits() {
    assert_eq!(
        mistake_in_vrf("importRouteTargets: [4200000000:70000]"),
        "7:24: vrfs[0].importRouteTargets[0]: \"4200000000:70000\" is too long, 4200000000 leaves 16 bits to the number; \
         write 4200000000:0 to 4200000000:65535"
    );
    assert_eq!(
        mistake_in_vrf("rd: 192.0.2.1:65536"),
        "7:7: vrfs[0].rd: \"192.0.2.1:65536\" is too long, 192.0.2.1 leaves 16 bits to the number; \
         write 192.0.2.1:0 to 192.0.2.1:65535"
    );
}

#[test]
fn hosts_of_a_circuit() {
    for (keys, problem) in [
        (
            "hosts: [10.0.0.0/24]",
            "7:51: vrfs[0].attachmentCircuits[0].hosts[0]: \"10.0.0.0/24\" is not an IP address; \
             write one such as 192.0.2.1 or 2001:db8::1",
        ),
        (
            "hosts: [10.0.0.1, 10.0.0.1]",
            "7:61: vrfs[0].attachmentCircuits[0].hosts[1]: is in the list already; leave one out",
        ),
        (
            "hosts: [224.0.0.1]",
            "7:51: vrfs[0].attachmentCircuits[0].hosts[0]: 224.0.0.1 cannot be a host's address; \
             write a unicast address that the tenant routes, such as 10.100.0.1",
        ),
        (
            "hostMac: 01:00:5e:00:00:01",
            "7:52: vrfs[0].attachmentCircuits[0].hostMac: \"01:00:5e:00:00:01\" is not a station's MAC address; \
             write six octets (02:00:5e:10:00:01)",
        ),
        (
            "hostMac: 02:00:5e:10:00:+1",
            "7:52: vrfs[0].attachmentCircuits[0].hostMac: \"02:00:5e:10:00:+1\" is not a station's MAC address; \
             write six octets (02:00:5e:10:00:01)",
        ),
        (
            "proxy: arp",
            "7:50: vrfs[0].attachmentCircuits[0].proxy: \"arp\" is not a boolean; write true or false",
        ),
        (
            "probes: yes",
            "7:51: vrfs[0].attachmentCircuits[0].probes: \"yes\" is not a boolean; write true or false",
        ),
    ] {
        assert_eq!(mistake_in_vrf(&format!("attachmentCircuits: [{{ interface: eth1, {keys} }}]")), problem);
    }
}
