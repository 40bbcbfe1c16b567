//! Over random packets of random hosts: no two ends share a port, and what answers a translated packet comes to its sender.

use std::collections::BTreeMap;

use proptest::{
    collection,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{lab::*, support::packet::*};

#[derive(Clone, Debug)]
struct Sent {
    host: u8,
    port: u16,
    far: u8,
    tcp: bool,
    v6: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    (2_u8..12, 0_u16..40, 1_u8..4, any::<bool>(), any::<bool>()).prop_map(|(host, port, far, tcp, v6)| Sent {
        host,
        port: 4000 + 37 * port,
        far,
        tcp,
        v6,
    })
}

fn packet(sent: &Sent) -> Ip {
    let Sent { host, port, far, tcp, v6 } = sent;
    let packet = match v6 {
        false => ip(&format!("10.1.0.{host}"), &format!("203.0.113.{far}")),
        true => ip(&format!("2001:db8:1::{host}"), &format!("2001:db8:ffff::{far}")),
    };
    if *tcp { packet.tcp(*port, 80, 2, 5) } else { packet.checked_udp(*port, 80, 5) }
}

#[test]
fn translation_is_a_bijection_and_the_way_back_its_inverse() {
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    runner
        .run(&collection::vec(sent(), 300), |all| {
            // Blocks that hosts share.
            let mut lab = Lab::with_ports(FIRST_PORT, 128, 3);
            let (mut outside, mut inside) = (BTreeMap::new(), BTreeMap::new());
            for sent in &all {
                let packet = packet(sent);
                let (address, port) = lab.leaves(&packet);
                let end = (packet.source, sent.port, sent.tcp);
                prop_assert_eq!(*outside.entry(end).or_insert((address, port)), (address, port));
                prop_assert_eq!(*inside.entry((address, port, sent.tcp)).or_insert(end), end);
                let (host, far) = (packet.source.to_string(), packet.destination.to_string());
                let answer = packet.clone().between((&far, 80), (&address.to_string(), port));
                let back = answer.clone().between((&far, 80), (&host, sent.port)).ttl(63);
                lab.answer(&answer).assert_sent("answer", &back);
            }
            Ok(())
        })
        .unwrap();
}
