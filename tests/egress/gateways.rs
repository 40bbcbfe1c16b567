//! Agents that are killed, gateways that leave, and gateways that die.

use std::{
    thread,
    time::{Duration, Instant},
};

use lab::Signal;

use crate::{
    net::{Net, TENANTS, egress, outside},
    peers::{Stream, eventually},
};

#[test]
fn connections_survive_agents_that_are_killed() {
    let net = Net::up("kill");
    let mut open: Vec<_> = TENANTS
        .iter()
        .flat_map(|tenant| outside().map(|to| net.connect(&format!("{tenant}-pod"), 0, to)))
        .collect();
    let streams = TENANTS.map(|tenant| Stream::start(&net.node(&format!("{tenant}-pod")), "203.0.113.10"));
    for pe in ["pe2", "pe1"] {
        net.pe(pe).0.kill_main(Signal::SIGKILL).unwrap();
        thread::sleep(Duration::from_secs(1));
        open.iter_mut().for_each(|connection| connection.echoes().unwrap());
        let new = net.connect("red-pod", 0, outside()[0]);
        assert_eq!(new.answer.sees.ip(), egress()[0], "new ones are made without an agent");
        open.push(new);
        net.pe(pe).0.start_main().unwrap();
        net.pe(pe).await_agent("fd00:ff::9");
        open.iter_mut().for_each(|connection| connection.echoes().unwrap());
    }
    for (tenant, stream) in TENANTS.iter().zip(streams) {
        let (sent, answered) = stream.stop();
        println!("{tenant}: {answered} of {sent} pings answered");
        assert!(sent - answered <= 1, "the last may be on its way");
    }
}

/// While something happens, how long was there no answer?
fn outage(net: &Net, happens: impl FnOnce()) -> Duration {
    let stream = Stream::start(&net.node("red-pod"), "203.0.113.10");
    thread::sleep(Duration::from_millis(500));
    happens();
    thread::sleep(Duration::from_millis(500));
    let (sent, answered) = stream.stop();
    Duration::from_millis(10 * (sent - answered))
}

#[track_caller]
fn assert_served(net: &Net, tenants: &[&str]) {
    for tenant in tenants {
        for (to, address) in outside().into_iter().zip(egress()) {
            let mut connection = net.connect(&format!("{tenant}-pod"), 0, to);
            assert_eq!(connection.answer.sees.ip(), address, "the same address by whatever gateway");
            connection.echoes().unwrap();
        }
    }
}

#[test]
fn the_stand_by_takes_over_from_a_gateway_that_leaves_or_dies() {
    let net = Net::up("gateways");
    let left = outage(&net, || {
        net.set_gateway("red", "localPreference: 200", "localPreference: 200, gracefulShutdown: true");
        net.await_gateway("red", "pe3");
    });
    net.await_gateway("blue", "pe2");
    assert_served(&net, &TENANTS);
    let back = outage(&net, || {
        net.set_gateway("red", ", gracefulShutdown: true", "");
        net.await_gateway("red", "pe2");
    });
    assert_served(&net, &TENANTS);

    let mut taken_over = Duration::ZERO;
    let dead = outage(&net, || {
        let since = Instant::now();
        net.node("p").check(["ip", "link", "set", "eth2", "down"]);
        net.node("pe2").kill_main(Signal::SIGKILL).unwrap();
        // As the IGP of a core does, long before BGP notices.
        for pe in ["pe1", "pe3"] {
            net.node(pe).check(["ip", "-6", "route", "add", "unreachable", "fc00:0:2::/48"]);
        }
        TENANTS.iter().for_each(|tenant| net.await_gateway(tenant, "pe3"));
        taken_over = since.elapsed();
    });
    assert_served(&net, &TENANTS);
    println!("no answer for {left:?} when pe2 left, {back:?} when it came back, {dead:?} when it died");
    println!("routes were the stand-by's {taken_over:?} after pe2 had died");
    assert!(left < Duration::from_millis(500) && back < Duration::from_millis(500), "{left:?}, {back:?}");
    assert!(
        dead < Duration::from_secs(5) && taken_over < Duration::from_secs(20),
        "{dead:?}, {taken_over:?}"
    );
    eventually("pe3 says that it has the address", || {
        net.pe("pe3").show(&["vrf", "red", "routes"])["routes"].as_array().is_some_and(|routes| {
            routes
                .iter()
                .any(|r| r["prefix"] == "192.0.2.7/32" && r["source"] == "egress" && r["programmed"] == true)
        })
    });
}
