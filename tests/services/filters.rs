//! Filters of circuits, and of a tenant's all: `red` is filtered at pe1, `blue` is not.

use std::{io, net::SocketAddr};

use lab::wait_until;

use crate::{
    hosts::{Connection, ask},
    net::{Net, Vip, host},
    peers::items,
};

/// b1 takes connections to its service only, and opens any itself; nobody of the tenant speaks telnet.
const CIRCUIT: &str = "      - interface: eth4
        addresses: [10.0.11.1/24, \"fd00:11::1/64\"]
        filter:
          - { name: service-only, direction: out, protocol: tcp, ports: 8080, action: accept }
          - { name: ping, direction: out, protocol: icmp, action: accept }
          - { name: ping6, direction: out, protocol: icmpv6, action: accept }
          - { name: nothing-else, direction: out, action: drop }
";
const TENANT: &str =
    "    filter: [ { name: no-telnet, direction: in, protocol: tcp, ports: 23, action: drop } ]\n";

fn filtered(vrf: &str) -> String {
    let open = "      - { interface: eth4, addresses: [10.0.11.1/24, \"fd00:11::1/64\"] }\n";
    assert!(vrf.contains(open), "{vrf}");
    vrf.replace(open, CIRCUIT) + TENANT
}

/// Connects, or is left without an answer.
#[track_caller]
fn assert_silence(net: &Net, node: &str, to: SocketAddr) {
    let kind = Connection::open(&net.node(node), 0, to).unwrap_err().kind();
    assert!(
        matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable),
        "{node} to {to}: {kind:?}"
    );
}

/// `show drops` lists a packet to this port under this rule.
#[track_caller]
fn assert_named(net: &Net, rule: &str, port: u16) {
    let listed = || {
        let drops = net.pe("pe1").show(&["drops"]);
        items(&drops["recent"]).any(|drop| {
            let to_port = drop["ports"][1] == port;
            drop["vrf"] == "red" && drop["reason"] == "filtered" && drop["rule"] == rule && to_port
        })
    };
    assert!(wait_until(crate::net::PATIENCE, listed), "{}", net.pe("pe1").show(&["drops"]));
}

#[test]
fn a_rule_drops_by_its_name_and_answers_come_back() {
    let net = Net::up("filters");
    let b1 = |ipv4, port| SocketAddr::new(host(11, ipv4), port);
    let mut before = [true, false].map(|ipv4| net.connect("red", 3, 0, b1(ipv4, 8080)));
    net.edit_vrf("services/pe1.yaml", "red", filtered);
    net.pe("pe1").reload();

    before.iter_mut().for_each(|open| open.echoes().unwrap());
    for ipv4 in [true, false] {
        for site in [1, 3] {
            assert_eq!(net.connect("red", site, 0, b1(ipv4, 8080)).answer.by, "red-b1");
        }
        // By way of the VIP the rules see the backend's port.
        let answered =
            (0..20).map(|_| net.connect("red", 3, 0, Vip::Web.sockets()[usize::from(!ipv4)]).answer.by);
        assert!(answered.into_iter().any(|by| by == "red-b1"));
        // b1 asks, and is answered though nothing may come in.
        let b3 = SocketAddr::new(host(13, ipv4), 8080);
        Connection::open(&net.node("red-b1"), 0, b3).unwrap().echoes().unwrap();
        assert_eq!(ask(&net.node("red-b1"), 0, b3).unwrap().by, "red-b3");
        let ping = ["ping", "-n", "-c", "1", "-W", "2"].map(str::to_owned);
        net.node("red-c3").check(ping.iter().cloned().chain([b1(ipv4, 0).ip().to_string()]));
    }
    for ipv4 in [true, false] {
        assert_silence(&net, "red-c3", b1(ipv4, 5201));
        assert_named(&net, "nothing-else", 5201);
        assert_silence(&net, "red-c1", SocketAddr::new(host(13, ipv4), 23));
        assert_named(&net, "no-telnet", 23);
        ask(&net.node("red-c1"), 0, b1(ipv4, 8080)).unwrap_err();
        ask(&net.node("blue-c1"), 0, b1(ipv4, 8080)).unwrap();
    }
    assert_eq!(net.pe("pe1").dropped("blue", "filtered"), 0);
    let telnet = Connection::open(&net.node("blue-c1"), 0, SocketAddr::new(host(13, true), 23)).unwrap_err();
    assert_eq!(
        telnet.kind(),
        io::ErrorKind::ConnectionRefused,
        "blue's host itself says that it has no telnet"
    );
}
