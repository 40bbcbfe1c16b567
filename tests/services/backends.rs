//! Backends that drain, go and come back.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::{
    hosts::{Connection, ask},
    net::{Net, Vip, names},
};

/// How many of these are with a backend, and how many of those say back what they are told.
fn alive(connections: &mut [Connection], backend: &str) -> (usize, usize) {
    let with: Vec<_> = connections.iter_mut().filter(|open| open.answer.by == backend).collect();
    (with.len(), with.into_iter().map(Connection::echoes).filter(Result::is_ok).count())
}

#[test]
fn a_draining_backend_keeps_its_connections_and_a_lost_one_takes_no_others_along() {
    const EACH: u16 = 15;
    let net = Net::up("drain");
    let open = |tenant: &str| -> Vec<Connection> {
        let vips = Vip::Web.sockets();
        vips.into_iter()
            .flat_map(|to| [1, 3].map(|site| net.connections(tenant, site, to, EACH)))
            .flatten()
            .collect()
    };
    let (mut red, mut blue) = (open("red"), open("blue"));
    let assert_alive = |connections: &mut [Connection], backends: &[&str]| {
        for backend in backends {
            let (all, living) = alive(connections, backend);
            assert!(all > 0 && living == all, "{living} of {all} connections with {backend}");
        }
    };

    net.set_backend("red", 1, "draining");
    assert_alive(&mut red, &["red-b1", "red-b2", "red-b3"]);
    let mut after = open("red");
    assert_eq!(names(after.iter().map(|open| &open.answer)), ["red-b2", "red-b3"].into());

    net.set_backend("red", 1, "down");
    let (all, living) = alive(&mut red, "red-b1");
    assert!(all > 0 && living == 0, "{living} of {all} connections are still with a backend that is down");
    assert_alive(&mut red, &["red-b2", "red-b3"]);
    assert_alive(&mut after, &["red-b2", "red-b3"]);

    net.set_backend("red", 1, "ready");
    assert_alive(&mut red, &["red-b2", "red-b3"]);
    assert_alive(&mut after, &["red-b2", "red-b3"]);
    assert_eq!(names(open("red").iter().map(|open| &open.answer)), ["red-b1", "red-b2", "red-b3"].into());
    assert_alive(&mut blue, &["blue-b1", "blue-b2", "blue-b3"]);
}

#[test]
fn a_vip_is_withdrawn_with_its_last_ready_backend() {
    let net = Net::up("withdraw");
    net.set_backend("red", 1, "draining");
    net.set_backend("red", 2, "draining");
    net.await_vip("red", Vip::Shop, &["pe2"]);
    net.await_vip("red", Vip::Web, &["pe1", "pe2"]);
    net.await_vip("blue", Vip::Shop, &["pe1", "pe2"]);
    for to in Vip::Shop.sockets() {
        assert_eq!(net.connect("red", 3, 0, to).answer.by, "red-b3");
        assert_eq!(net.connect("red", 1, 0, to).answer.by, "red-b3", "rather a far one than none");
    }

    net.set_backend("red", 3, "down");
    net.await_vip("red", Vip::Shop, &[]);
    net.await_vip("red", Vip::Web, &[]);
    for to in Vip::Web.sockets().into_iter().chain(Vip::Shop.sockets()) {
        let refused = Connection::open(&net.node("red-c1"), 0, to).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{to}");
        Connection::open(&net.node("red-c3"), 0, to).unwrap_err();
    }
    assert!(net.pe("pe1").dropped("red", "no-backend") >= 4);
    assert!(net.pe("pe3").dropped("red", "no-route-in-vrf") >= 4);
    assert_eq!(net.pe("pe1").dropped("blue", "no-backend"), 0);

    net.set_backend("red", 2, "ready");
    net.await_vip("red", Vip::Shop, &["pe1"]);
    net.await_vip("red", Vip::Web, &["pe1", "pe2"]);
    assert_eq!(net.connect("red", 3, 0, Vip::Shop.sockets()[0]).answer.by, "red-b2");
}

/// Withdrawn first, removed when others have heard: nobody who still sends here meets nothing.
#[test]
fn a_service_that_one_node_gives_up_is_served_by_the_other_without_a_gap() {
    let net = Net::up("giveup");
    let done = AtomicBool::new(false);
    let (asked, lost) = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let node = net.node("red-c3");
            let (mut asked, mut lost) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                for to in Vip::Dns.sockets() {
                    asked += 1;
                    lost += usize::from(ask(&node, 0, to).is_err());
                }
            }
            (asked, lost)
        });
        for pe in ["pe1", "pe2"] {
            let without = |vrf: &str| {
                vrf.replace(
                    "      - name: dns\n        addresses: [10.100.0.2, \"fd00:100::2\"]",
                    "      - name: dns\n        addresses: [10.100.9.2]",
                )
            };
            net.edit_vrf(&format!("services/{pe}.yaml"), "red", without);
            net.pe(pe).reload();
            let other = if pe == "pe1" { "pe2" } else { "pe1" };
            net.await_vip("red", Vip::Dns, &[other]);
            let with = |vrf: &str| vrf.replace("[10.100.9.2]", "[10.100.0.2, \"fd00:100::2\"]");
            net.edit_vrf(&format!("services/{pe}.yaml"), "red", with);
            net.pe(pe).reload();
            net.await_vip("red", Vip::Dns, &["pe1", "pe2"]);
        }
        done.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    println!("{asked} requests while each node gave the service up and took it back, {lost} lost");
    assert_eq!(lost, 0);
}
