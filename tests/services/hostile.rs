//! A tenant who makes packets of his own to get at a service, or at another tenant's flows.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::{
    hosts::Connection,
    net::{Net, TENANTS, Vip, names},
    packet::{Packet, UDP},
    wire::{self, Capture},
};

/// From red's client at site 1 to its PE.
fn from_red(net: &Net, packets: &[Packet]) {
    let (to, from) = (wire::mac(&net.node("pe1"), "eth2"), wire::mac(&net.node("red-c1"), "eth1"));
    let frames: Vec<_> = packets.iter().map(|packet| packet.frame(to, from)).collect();
    wire::send(&net.node("red-c1"), "eth1", &frames);
}

fn drops(net: &Net, vrf: &str) -> BTreeMap<String, u64> {
    let reasons =
        ["bad-source", "malformed", "no-such-service", "no-backend", "no-flow-table", "untranslatable"];
    reasons.into_iter().map(|reason| (reason.to_owned(), net.pe("pe1").dropped(vrf, reason))).collect()
}

#[test]
fn what_a_tenant_forges_neither_passes_for_a_vip_nor_reaches_the_other_tenant() {
    let net = Net::up("forged");
    let mut open: Vec<Connection> =
        TENANTS.iter().flat_map(|tenant| net.connections(tenant, 1, Vip::Web.sockets()[0], 6)).collect();
    let ears = ["blue-c1", "blue-b1", "blue-b2", "red-b1", "red-b2"]
        .map(|node| (node, Capture::start(&net.node(node), "eth1", "udp")));
    let blue = drops(&net, "blue");
    let host = [["10.0.1.2", "10.0.11.2", "10.100.0.1"], ["fd00:1::2", "fd00:11::2", "fd00:100::1"]];
    for [own, backend, vip] in host {
        let cases = [
            ("as if the VIP spoke", "bad-source", Packet::new(vip, backend).udp(80, 47111)),
            ("as if one VIP spoke to another", "bad-source", Packet::new(vip, vip).udp(80, 80)),
            ("to port 0 of the VIP", "no-such-service", Packet::new(own, vip).udp(47111, 0)),
            ("to a port that no service has", "no-such-service", Packet::new(own, vip).udp(47111, 47111)),
            ("half a UDP header", "malformed", Packet::new(own, vip).payload(UDP, vec![0, 80, 0])),
            ("a protocol without ports", "no-such-service", Packet::new(own, vip).payload(47, vec![0; 40])),
        ];
        for (what, reason, packet) in cases {
            let mut expected = drops(&net, "red");
            from_red(&net, &[packet]);
            *expected.entry(reason.to_owned()).or_default() += 1;
            assert_eq!(drops(&net, "red"), expected, "{what} ({vip})");
        }
    }
    for (node, ear) in &ears {
        assert_eq!(ear.frames().len(), 0, "something has reached {node}");
    }
    assert_eq!(drops(&net, "blue"), blue);
    open.iter_mut().for_each(|connection| connection.echoes().unwrap());
}

/// A hundred thousand flows of red, in a table of 65536.
#[test]
fn a_tenants_flood_costs_no_other_tenant_a_flow() {
    const SOURCES: u32 = 100_000;
    let net = Net::up("flood");
    let open = |tenant: &str| -> Vec<Connection> {
        Vip::Web.sockets().into_iter().flat_map(|to| net.connections(tenant, 1, to, 20)).collect()
    };
    let mut blue = open("blue");
    let packets: Vec<_> = (0..SOURCES)
        .map(|n| {
            let source = format!("10.{}.{}.{}", 128 + (n >> 16), n >> 8 & 255, n & 255);
            Packet::new(&source, "10.100.0.2").udp(1 + (n % 60_000) as u16, 53)
        })
        .collect();
    packets.chunks(10_000).for_each(|packets| from_red(&net, packets));
    assert!(net.pe("pe1").counted("red") >= u64::from(SOURCES), "the flood has come in");
    for connection in &mut blue {
        connection.echoes().unwrap_or_else(|error| panic!("{}: {error}", connection.answer.by));
    }
    // Red itself is served on: its oldest flows have gone, new ones are made.
    let red = open("red");
    assert_eq!(names(red.iter().map(|open| &open.answer)), ["red-b1", "red-b2", "red-b3"].into());
    assert_eq!(net.pe("pe1").dropped("blue", "no-flow-table"), 0);
    let to: SocketAddr = Vip::Dns.sockets()[0];
    net.ask("red", 1, 0, to);
    net.ask("blue", 1, 0, to);
}
