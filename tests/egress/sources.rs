//! Whom the outside sees.

use std::{collections::BTreeSet, net::SocketAddr};

use crate::{
    hosts::{Answer, Connection, ask},
    net::{Net, TENANTS, egress, excepted, outside},
    packet::Packet,
    peers::reaches,
    wire::{self, Capture},
};

/// From the same ports in both tenants, who thus have all five parts of the tuple in common.
#[test]
fn pods_leave_under_the_tenants_egress_address_and_nothing_else_does() {
    const FLOWS: u16 = 40;
    let net = Net::up("sources");
    for (to, address) in outside().into_iter().zip(egress()) {
        let mut open: Vec<Connection> = Vec::new();
        let mut seen: Vec<(&str, SocketAddr)> = Vec::new();
        let mut note = |tenant: &'static str, answer: &Answer| {
            assert_eq!((answer.by.as_str(), answer.sees.ip()), (&*format!("{tenant}-fw"), address));
            seen.push((tenant, answer.sees));
        };
        for port in 20_000..20_000 + FLOWS {
            for tenant in TENANTS {
                let connection = net.connect(&format!("{tenant}-pod"), port, to);
                note(tenant, &connection.answer);
                open.push(connection);
                note(tenant, &net.ask(&format!("{tenant}-pod"), port, to));
            }
        }
        open.iter_mut().for_each(|connection| connection.echoes().unwrap());
        // Of each protocol a port for each flow, and the other tenant has the same ones.
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert!(distinct.len() >= usize::from(2 * FLOWS), "{} ports of {} flows", distinct.len(), seen.len());
        for tenant in TENANTS {
            reaches(&net.node(&format!("{tenant}-pod")), &to.ip().to_string());
        }
    }
    for tenant in TENANTS {
        for (ipv4, (to, within)) in [true, false].into_iter().zip(outside().into_iter().zip(excepted())) {
            let own = |node: u8| if ipv4 { format!("10.0.{node}.2") } else { format!("fd00:{node}::2") };
            let pod = net.connect(&format!("{tenant}-pod"), 0, within).answer;
            assert_eq!(pod.sees.ip().to_string(), own(1), "an exception");
            let db = net.connect(&format!("{tenant}-db"), 0, to).answer;
            assert_eq!(db.sees.ip().to_string(), own(2), "not of the policy");
        }
    }
}

/// Endpoint-independent mapping (RFC 4787 section 4.1), and no port that two flows share.
#[test]
fn a_port_of_a_pod_is_one_port_outside_whomever_it_speaks_to() {
    let net = Net::up("mapping");
    net.node("red-fw").check(["ip", "address", "add", "203.0.113.11/24", "dev", "eth1"]);
    let [to, _] = outside();
    let other = "203.0.113.11:8080".parse().unwrap();
    let pod = net.node("red-pod");
    let mut taken = BTreeSet::new();
    for port in 30_000..30_030 {
        let one = ask(&pod, port, to).unwrap().sees;
        assert_eq!(ask(&pod, port, other).unwrap().sees, one);
        assert!(taken.insert(one.port()), "port {} has two owners", one.port());
    }
    // 10.0.1.2 is 167772418, which is 394 modulo 504 blocks.
    assert!(taken.iter().all(|port| (51_456..51_584).contains(port)), "{taken:?}");
}

#[test]
fn what_comes_unasked_or_forged_goes_nowhere() {
    let net = Net::up("forged");
    let mut open = TENANTS.map(|tenant| net.connect(&format!("{tenant}-pod"), 0, outside()[0]));
    let ears = ["red-pod", "blue-pod", "blue-fw"]
        .map(|node| Capture::start(&net.node(node), "eth1", "udp port 47111"));
    let send = |node: &str, pe: &str, packet: &Packet| {
        let frame = packet.frame(wire::mac(&net.node(pe), "eth2"), wire::mac(&net.node(node), "eth1"));
        wire::send(&net.node(node), "eth1", &[frame]);
    };
    for (address, outside) in [("192.0.2.7", "203.0.113.10"), ("2001:db8:2::7", "2001:db8:113::10")] {
        let before = net.pe("pe2").dropped("red", "no-mapping");
        send("red-fw", "pe3", &Packet::new(outside, address).udp(47111, 51_500));
        send("red-fw", "pe3", &Packet::new(outside, address).udp(47111, 0));
        let dropped = || net.pe("pe2").dropped("red", "no-mapping") >= before + 2;
        assert!(lab::wait_until(std::time::Duration::from_secs(10), dropped), "nobody had asked");
    }
    // A pod with the egress address as its own source: not the policy's, and the answers are not its own.
    send("red-pod", "pe1", &Packet::new("192.0.2.7", "203.0.113.10").udp(47111, 8080));
    send("red-pod", "pe1", &Packet::new("10.0.1.2", "203.0.113.10").udp(0, 47111));
    open.iter_mut().for_each(|connection| connection.echoes().unwrap());
    for ear in &ears[1..] {
        assert_eq!(ear.frames().len(), 0, "the other tenant hears of it");
    }
    assert_eq!(net.pe("pe2").dropped("blue", "no-mapping"), 0);
}
