//! Traffic goes on while processes die and others take over. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/customer.rs"]
mod customer;
#[path = "common/lab.rs"]
mod lab;
#[path = "common/namespace.rs"]
mod namespace;

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use customer::Customer;
use lab::Lab;
use namespace::Namespace;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Attach, Mechanism, Opened, Options, Sizes},
    model::{IfIndex, LocalSid, NextHop, SidRole, Tally, Vrf},
};
use srv6_types::{Behavior, DropReason, Sid, VrfId};

const RED: VrfId = VrfId(1);
/// Processes that die, or layouts that follow each other, under one flood of pings.
const ROUNDS: u32 = 6;
/// Tells the process to be killed where to pin, and how to attach.
const HOLD: &str = "DP_HOLD";

fn options(lab: &Lab, mechanism: Mechanism) -> Options {
    Options { attach: Attach::Only(mechanism), ..lab.options() }
}

/// Two customers in one VRF, each behind its circuit.
fn two_customers(lab: &Lab) -> (Customer, Customer, State) {
    let customers = (Customer::new(lab, 1), Customer::new(lab, 2));
    let mut state = State::default();
    state.vrfs.insert(RED, Vrf::default());
    for customer in [&customers.0, &customers.1] {
        customer.add_to(&mut state, RED);
    }
    (customers.0, customers.1, state)
}

fn reach(dataplane: &mut EbpfDataplane, wanted: &State) {
    let changes = Change::between(&dataplane.observe().unwrap(), wanted);
    dataplane.apply_all(&changes).unwrap();
}

/// The process that dies: this very test program, told to run [`holder`] alone.
fn start_holder(lab: &Lab, mechanism: Mechanism) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--ignored", "--nocapture"])
        .env(HOLD, format!("{}={mechanism:?}", lab.options().pin_dir.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")), "the holder ended without opening");
    child
}

#[test]
#[ignore = "not a test: the process that the others kill"]
fn holder() {
    let Ok(hold) = std::env::var(HOLD) else { return };
    let (pin_dir, mechanism) = hold.split_once('=').unwrap();
    let mechanism = if mechanism == "Tcx" { Mechanism::Tcx } else { Mechanism::Clsact };
    let sizes = lab::SIZES;
    let options = Options {
        pin_dir: PathBuf::from(pin_dir),
        sizes,
        attach: Attach::Only(mechanism),
        ..Options::default()
    };
    let _dataplane = EbpfDataplane::open(&options).unwrap();
    println!("holding");
    loop {
        sleep(Duration::from_secs(1));
    }
}

fn takeovers_lose_nothing(mechanism: Mechanism) {
    let lab = Lab::new();
    let options = options(&lab, mechanism);
    let (one, two, wanted) = two_customers(&lab);
    reach(&mut EbpfDataplane::open(&options).unwrap(), &wanted);
    let flood = one.flood(two.address());
    for _ in 0..ROUNDS {
        let mut holder = start_holder(&lab, mechanism);
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
    let flooded = flood.stop();
    println!("{mechanism:?}: {ROUNDS} processes killed under {flooded:?}");
    flooded.assert_nothing_lost();

    let dataplane = EbpfDataplane::open(&options).unwrap();
    assert_eq!(*dataplane.opened(), Opened::Adopted);
    let red = dataplane.counters().unwrap().vrfs[&RED];
    assert!(
        red.delivered.packets >= 2 * flooded.answered,
        "echo and reply, counted over all takeovers: {red:?}"
    );
}

#[test]
fn killed_processes_lose_no_packet_with_tcx() {
    takeovers_lose_nothing(Mechanism::Tcx);
}

#[test]
fn killed_processes_lose_no_packet_with_clsact() {
    takeovers_lose_nothing(Mechanism::Clsact);
}

#[test]
fn going_over_to_another_layout_loses_no_packet() {
    for mechanism in [Mechanism::Tcx, Mechanism::Clsact] {
        let lab = Lab::new();
        let small = options(&lab, mechanism);
        let large = Options { sizes: Sizes { vrfs: 32, ..small.sizes }, ..small.clone() };
        let (one, two, wanted) = two_customers(&lab);
        reach(&mut EbpfDataplane::open(&small).unwrap(), &wanted);
        let flood = one.flood(two.address());
        for round in 0..ROUNDS {
            let next = if round % 2 == 0 { &large } else { &small };
            let mut dataplane = EbpfDataplane::open(next).unwrap();
            assert!(matches!(dataplane.opened(), Opened::Staged { .. }), "{:?}", dataplane.opened());
            reach(&mut dataplane, &wanted);
            dataplane.commit().unwrap();
        }
        let flooded = flood.stop();
        println!("{mechanism:?}: {ROUNDS} layouts under {flooded:?}");
        flooded.assert_nothing_lost();
    }
}

fn sid(text: &str) -> Sid {
    text.parse::<std::net::Ipv6Addr>().unwrap().into()
}

/// The far PE: the kernel itself with H.Encaps.Red and End.DX4, behind the interface `core0`.
fn kernel_pe(lab: &Lab) -> (Namespace, IfIndex) {
    let far = Namespace::new();
    lab.ip(&format!("link add core0 type veth peer name eth0 netns {}", far.id()));
    lab.ip("link set core0 up");
    lab.ip("-6 address add 2001:db8:c::1/64 dev core0 nodad");
    lab.ip("-6 route add fc00:0:9::/48 via 2001:db8:c::2");
    for line in [
        "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0",
        "ip link set lo up",
        "ip link set eth0 up",
        "ip -6 address add 2001:db8:c::2/64 dev eth0 nodad",
        "ip address add 10.9.0.1/32 dev lo",
        "ip -6 route add fc00:0:1::/48 via 2001:db8:c::1",
        "ip route add 10.1.0.0/24 encap seg6 mode encap.red segs fc00:0:1:1:: dev eth0 src 10.9.0.1",
        "ip -6 route add fc00:0:9:1::/128 encap seg6local action End.DX4 nh4 10.9.0.1 dev eth0",
    ] {
        far.run(line);
    }
    (far, lab.index("core0"))
}

/// Also: a SID keeps its counter over a takeover, and neither a SID nor a VRF starts with another's counts.
#[test]
fn a_site_behind_the_core_is_reached_while_processes_die() {
    let lab = Lab::new();
    let customer = Customer::new(&lab, 1);
    let (_far, core) = kernel_pe(&lab);
    let mut wanted = State { core: [core].into(), ..State::default() };
    wanted.node.source = Some("2001:db8:c::1".parse().unwrap());
    wanted.node.locators = ["fc00:0:1::/48".parse().unwrap()].into();
    wanted.node.domain = ["fc00::/16".parse().unwrap()].into();
    wanted.vrfs.insert(RED, Vrf::default());
    customer.add_to(&mut wanted, RED);
    wanted.sids.insert(
        sid("fc00:0:1:1::"),
        LocalSid { behavior: Behavior::END_DT4, vrf: RED, role: SidRole::Deliver },
    );
    let far_site = NextHop::Encapsulate { segments: vec![sid("fc00:0:9:1::")], reduced: true };
    wanted.routes.insert((RED, "10.9.0.0/16".parse().unwrap()), far_site);
    reach(&mut EbpfDataplane::open(&lab.options()).unwrap(), &wanted);

    let flood = customer.flood([10, 9, 0, 1].into());
    for _ in 0..ROUNDS {
        let mut holder = start_holder(&lab, Mechanism::Tcx);
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
    let flooded = flood.stop();
    println!("over the core: {ROUNDS} processes killed under {flooded:?}");

    let mut dataplane = EbpfDataplane::open(&lab.options()).unwrap();
    let counters = dataplane.counters().unwrap();
    flooded.assert_nothing_lost();
    assert!(counters.sids[&sid("fc00:0:1:1::")].packets >= flooded.answered, "{counters:?}");
    assert!(counters.vrfs[&RED].encapsulated.packets >= flooded.answered, "{counters:?}");
    assert_eq!(dataplane.verify(&[core].into()).unwrap(), []);

    reach(&mut dataplane, &State::default());
    let idle = State { vrfs: wanted.vrfs, sids: wanted.sids, ..State::default() };
    reach(&mut dataplane, &idle);
    let counters = dataplane.counters().unwrap();
    assert_eq!(counters.sids[&sid("fc00:0:1:1::")], Tally::default());
    assert_eq!(counters.vrfs[&RED], srv6_dp::model::VrfCounters::default());
}

#[test]
fn a_drop_is_counted_and_told_with_its_reason() {
    let lab = Lab::new();
    let customer = Customer::new(&lab, 1);
    let mut wanted = State::default();
    wanted.vrfs.insert(RED, Vrf::default());
    customer.add_to(&mut wanted, RED);
    let mut dataplane = EbpfDataplane::open(&lab.options()).unwrap();
    reach(&mut dataplane, &wanted);
    let mut events = dataplane.events().unwrap().unwrap();
    let flood = customer.flood([192, 0, 2, 1].into());
    sleep(Duration::from_millis(500));
    assert_eq!(flood.stop().answered, 0);

    let told = events.find(|told| told.reason == DropReason::NoRouteInVrf).unwrap();
    assert_eq!((told.vrf, told.interface), (RED, customer.circuit_interface()));
    let flow = told.flow.unwrap();
    assert_eq!((flow.source, flow.destination), (customer.address(), [192, 0, 2, 1].into()));
    let counters = dataplane.counters().unwrap();
    let dropped = counters.drops[&(RED, DropReason::NoRouteInVrf)];
    // The customer's kernel speaks MLD as well.
    let of_all_reasons: u64 = counters.drops.values().sum();
    assert_eq!(counters.vrfs[&RED].dropped.packets, of_all_reasons);
    assert!(dropped >= 10, "{counters:?}");
}
