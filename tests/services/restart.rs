//! Agents that are killed in the middle of connections through VIPs.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use lab::Signal;

use crate::{
    hosts::Connection,
    net::{Net, TENANTS, Vip},
};

/// Says something over every connection again and again; the longest that one of them waited for it.
fn keep_talking(mut connections: Vec<Connection>, done: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        for connection in &mut connections {
            let before = Instant::now();
            connection.echoes().unwrap_or_else(|error| panic!("with {}: {error}", connection.answer.by));
            longest = longest.max(before.elapsed());
        }
        thread::sleep(Duration::from_millis(10));
    }
    longest
}

#[test]
fn connections_survive_agents_that_are_killed_and_new_ones_are_made_meanwhile() {
    let net = Net::up("kill");
    let open = |tenant: &str| -> Vec<Connection> {
        let sockets = Vip::Web.sockets().into_iter().chain(Vip::Shop.sockets());
        sockets.flat_map(|to| [1, 3].map(|site| net.connections(tenant, site, to, 6))).flatten().collect()
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let talking = TENANTS.map(|tenant| {
            let connections = open(tenant);
            scope.spawn(|| keep_talking(connections, &done))
        });
        for pe in ["pe1", "pe2"] {
            net.pe(pe).0.kill_main(Signal::SIGKILL).unwrap();
            thread::sleep(Duration::from_secs(1));
            TENANTS.iter().for_each(|tenant| drop(open(tenant)));
            net.pe(pe).0.start_main().unwrap();
            net.pe(pe).await_agent("fd00:ff::9");
            net.await_vip("red", Vip::Shop, &["pe1", "pe2"]);
            thread::sleep(Duration::from_secs(1));
            TENANTS.iter().for_each(|tenant| drop(open(tenant)));
        }
        done.store(true, Ordering::Relaxed);
        for (tenant, talking) in TENANTS.iter().zip(talking) {
            let longest = talking.join().unwrap();
            println!("{tenant}: no word was lost, the longest took {longest:?}");
            assert!(longest < Duration::from_secs(2), "{tenant}: {longest:?}");
        }
    });
}
