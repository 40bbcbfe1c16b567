//! Plain unicast BGP with BIRD 2 and FRR 8.4: what is learnt lands in the kernel, and can carry the SRv6 underlay.

#[path = "support/peers.rs"]
mod peers;

use lab::Node;
use peers::{Network, Pe, configure, eventually, reaches, unreachable};

/// The route of the kernel's main table that the agent has put there for BGP; empty if there is none.
fn installed(edge: &Pe<'_>, prefix: &str) -> String {
    let family = if prefix.contains(':') { "-6" } else { "-4" };
    edge.0.check(["ip", family, "route", "show", prefix, "proto", "162"])
}

fn birdc(bird: &Node<'_>, words: &[&str]) -> String {
    bird.check([&["birdc", "-s", "/run/bird.ctl"], words].concat())
}

/// What an agent has by BGP and who told it: a protocol of BIRD, its route, where it leads.
const OF_BIRD: [(&str, &str, &str); 5] = [
    ("static4", "203.0.113.0/24", "via 192.0.2.2 dev eth1"),
    // Next hops of both are link-local addresses, which alone do not tell the link.
    ("static6", "2001:db8:2::/48", "dev eth1"),
    ("second6", "2001:db8:3::/48", "dev eth2"),
    ("over6", "203.0.114.0/24", "via inet6 fe80:"),
    ("inner", "10.77.0.0/16", "via 192.0.2.2 dev eth1"),
];

#[track_caller]
fn await_installed(edge: &Pe<'_>, prefix: &str, leads: &str) {
    eventually(&format!("the kernel has {prefix} {leads}"), || installed(edge, prefix).contains(leads));
}

#[track_caller]
fn await_not_installed(edge: &Pe<'_>, prefix: &str) {
    eventually(&format!("the kernel has no {prefix} any more"), || installed(edge, prefix).is_empty());
}

fn with_bird(name: &str) -> Network {
    let network = Network::up("bird", name, &["edge"], &[]);
    let edge = network.pe("edge");
    ["192.0.2.2", "fd00:b::2", "fd00:d::2", "192.0.3.2"].iter().for_each(|peer| edge.await_session(peer));
    OF_BIRD.iter().for_each(|(_, prefix, leads)| await_installed(&edge, prefix, leads));
    drop(edge);
    network
}

#[test]
fn birds_routes_are_in_the_kernel_until_they_are_withdrawn() {
    let network = with_bird("t-interop-bird-in");
    let (edge, bird) = (network.pe("edge"), network.node("bird"));
    for (protocol, prefix, leads) in OF_BIRD {
        birdc(&bird, &["disable", protocol]);
        await_not_installed(&edge, prefix);
        for (_, other, _) in OF_BIRD.iter().filter(|(_, other, _)| *other != prefix) {
            assert!(!installed(&edge, other).is_empty(), "{other} has nothing to do with {prefix}");
        }
        birdc(&bird, &["enable", protocol]);
        await_installed(&edge, prefix, leads);
    }
    birdc(&bird, &["disable", "edge6"]);
    await_not_installed(&edge, "2001:db8:2::/48");
    birdc(&bird, &["enable", "edge6"]);
    await_installed(&edge, "2001:db8:2::/48", "dev eth1");
}

#[test]
fn a_reload_takes_bgps_routes_out_of_the_kernel_and_puts_them_back() {
    let network = with_bird("t-interop-bird-toggle");
    let edge = network.pe("edge");
    network.edit("edge.yaml", "installUnicast: true", "installUnicast: false");
    edge.reload();
    OF_BIRD.iter().for_each(|(_, prefix, _)| await_not_installed(&edge, prefix));
    network.edit("edge.yaml", "installUnicast: false", "installUnicast: true");
    edge.reload();
    OF_BIRD.iter().for_each(|(_, prefix, leads)| await_installed(&edge, prefix, leads));
}

#[test]
fn our_networks_are_at_bird_until_they_leave_the_file() {
    let network = with_bird("t-interop-bird-out");
    let (edge, bird) = (network.pe("edge"), network.node("bird"));
    let route = |prefix: &str| birdc(&bird, &["show", "route", prefix, "all"]);
    for (prefix, protocol, next_hop) in
        [("198.51.100.0/24", "edge4", "192.0.2.1"), ("2001:db8:1::/48", "edge6", "fd00:b::1")]
    {
        let wanted = [
            format!("[{protocol} "),
            "BGP.origin: IGP".to_owned(),
            "BGP.as_path: 65001\n".to_owned(),
            format!("BGP.next_hop: {next_hop}"),
        ];
        eventually(&format!("BIRD has {prefix}"), || wanted.iter().all(|line| route(prefix).contains(line)));
    }
    // From and to addresses that only BGP has told the other of.
    for (from, to) in [("198.51.100.1", "203.0.113.1"), ("2001:db8:1::1", "2001:db8:2::1")] {
        let answers = || edge.0.run(["ping", "-c1", "-W1", "-I", from, to]).status.success();
        eventually(&format!("{to} answers {from}"), answers);
    }
    network.edit("edge.yaml", r#"["198.51.100.0/24", "2001:db8:1::/48"]"#, "[]");
    edge.reload();
    for prefix in ["198.51.100.0/24", "2001:db8:1::/48"] {
        eventually(&format!("BIRD has lost {prefix}"), || {
            !String::from_utf8_lossy(
                &bird.run(["birdc", "-s", "/run/bird.ctl", "show", "route", prefix]).stdout,
            )
            .contains("[edge")
        });
    }
}

#[test]
fn a_network_has_its_attributes_at_bird_and_a_change_of_them_alone_is_told() {
    let network = with_bird("t-interop-bird-color");
    let (edge, bird) = (network.pe("edge"), network.node("bird"));
    let has = |wanted: &[&str]| {
        let route = || birdc(&bird, &["show", "route", "198.51.100.0/24", "all"]);
        eventually(&format!("BIRD has {wanted:?}"), || wanted.iter().all(|line| route().contains(line)));
    };
    let colored = |color: &str| {
        format!(r#"{{ prefix: 198.51.100.0/24, communities: [65001:7, blackhole], color: {color} }}"#)
    };
    network.edit("edge.yaml", r#""198.51.100.0/24""#, &colored("100"));
    edge.reload();
    has(&["BGP.community: (65001,7) (65535,666)\n", "BGP.ext_community: (generic, 0x30b0000, 0x64)\n"]);
    let [own] = &edge.paths("ipv4-unicast", "198.51.100.0/24")[..] else { panic!("one path") };
    assert_eq!(own["communities"], serde_json::json!(["65001:7", "blackhole"]));
    assert_eq!(own["extendedCommunities"], serde_json::json!(["color:100"]));
    network.edit("edge.yaml", "color: 100", "color: 200");
    edge.reload();
    has(&["BGP.ext_community: (generic, 0x30b0000, 0xc8)\n"]);
}

/// RFC 2385.
#[test]
fn a_password_is_read_with_the_file_and_is_shown_nowhere() {
    let network = with_bird("t-interop-bird-md5");
    let (edge, bird) = (network.pe("edge"), network.node("bird"));
    let write = |password: &str| edge.0.check(["sh", "-c", &format!("echo {password} > /tmp/bird.password")]);
    write("geheim");
    let is_down = || edge.neighbor("192.0.2.2")["state"] != "Established";
    let signed = "192.0.2.2, asn: 65002, passwordFile: /tmp/bird.password";
    network.edit("edge.yaml", "192.0.2.2, asn: 65002", signed);
    edge.reload();
    eventually("the session that BIRD does not sign is down", is_down);

    let unsigned = "neighbor 192.0.2.1 as 65001;";
    network.edit("bird.conf", unsigned, &format!("{unsigned} password \"geheim\";"));
    birdc(&bird, &["configure"]);
    edge.await_session("192.0.2.2");

    write("geheimnis");
    edge.reload();
    eventually("the session with another password is down", is_down);
    let shown = format!("{}{}", edge.show(&["neighbors"]), edge.0.logs());
    assert!(!shown.contains("geheim"), "{shown}");
    edge.await_session("fd00:b::2");
}

#[test]
fn an_external_neighbor_behind_a_router_is_hinted_at_until_it_may_be_there() {
    let network = with_bird("t-interop-bird-far");
    let edge = network.pe("edge");
    let hint = || {
        let shown = edge.show(&["neighbors"]);
        let neighbors = shown["neighbors"].as_array().cloned().unwrap_or_default();
        let far = neighbors.into_iter().find(|neighbor| neighbor["address"] == "203.0.113.9");
        far.and_then(|neighbor| neighbor["hint"].as_str().map(str::to_owned))
    };
    let far = "    - { address: 203.0.113.9, asn: 65009, families: [ipv4-unicast] }\n";
    network.edit("edge.yaml", "underlayRoutes", &format!("{far}underlayRoutes"));
    edge.reload();
    eventually("the router on the way is named", || {
        hint().is_some_and(|hint| hint.contains("ends at 192.0.2.2; write multihop"))
    });
    network.edit("edge.yaml", "asn: 65009", "asn: 65009, multihop: 2");
    edge.reload();
    eventually("no hint is left", || edge.neighbor("203.0.113.9")["state"].is_string() && hint().is_none());
}

/// RFC 4271 section 5.1.3: the next hop of an internal route need not be a neighbor.
#[test]
fn a_route_follows_the_way_to_its_next_hop() {
    let network = with_bird("t-interop-bird-recursive");
    let edge = network.pe("edge");
    let [path] = &edge.paths("ipv4-unicast", "10.77.0.0/16")[..] else { panic!("one path") };
    assert_eq!(path["nextHop"], "10.8.8.8");
    reaches(&edge.0, "10.77.0.1");

    network.edit("edge.yaml", "via: 192.0.2.2 }", "via: 192.0.3.2 }");
    edge.reload();
    await_installed(&edge, "10.77.0.0/16", "via 192.0.3.2 dev eth2");
    reaches(&edge.0, "10.77.0.1");

    network.edit("edge.yaml", "underlayRoutes: [ { prefix: 10.8.8.8/32, via: 192.0.3.2 } ]", "");
    edge.reload();
    await_not_installed(&edge, "10.77.0.0/16");
    assert!(unreachable(&edge.0, "10.77.0.1"));
}

#[test]
fn bgp_alone_carries_the_underlay_of_two_pes() {
    let network = Network::up("underlay", "t-interop-underlay", &["pe1", "pe2"], &[]);
    let (pe1, pe2, p) = (network.pe("pe1"), network.pe("pe2"), network.node("p"));
    let of_pe2 = ["fc00:0:2::/48", "fd00:ff::2"];
    let whole = || {
        of_pe2.iter().for_each(|prefix| await_installed(&pe1, prefix, "dev eth1"));
        ["fc00:0:1::/48", "fd00:ff::1"].iter().for_each(|prefix| await_installed(&pe2, prefix, "dev eth1"));
        pe1.await_session("fd00:ff::2");
        ["10.0.2.0/24", "fd00:2::/64"].iter().for_each(|prefix| drop(pe1.await_learnt("red", prefix)));
        ["10.0.1.0/24", "fd00:1::/64"].iter().for_each(|prefix| drop(pe2.await_learnt("red", prefix)));
        reaches(&network.node("ce1"), "10.0.2.2");
        reaches(&network.node("ce1"), "fd00:2::2");
    };
    whole();
    configure(&p, &["router bgp 65100", "neighbor fd00:c:2::1 shutdown"]);
    of_pe2.iter().for_each(|prefix| await_not_installed(&pe1, prefix));
    assert!(unreachable(&network.node("ce1"), "10.0.2.2"));
    assert_ne!(pe1.dropped("red", "no-route-in-vrf"), 0, "a PE without a way to it has no route");
    configure(&p, &["router bgp 65100", "no neighbor fd00:c:2::1 shutdown"]);
    whole();
}
