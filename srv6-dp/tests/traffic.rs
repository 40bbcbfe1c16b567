//! Traffic goes on while processes die and others take over. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/customer.rs"]
mod customer;
#[path = "common/lab.rs"]
mod lab;

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use customer::Customer;
use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Attach, Mechanism, Opened, Options, Sizes},
    model::{NextHop, Vrf},
};
use srv6_types::VrfId;

const RED: VrfId = VrfId(1);
/// Processes that die, or layouts that follow each other, under one flood of pings.
const ROUNDS: u32 = 10;
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
        let interface = customer.circuit_interface();
        state.circuits.insert(interface, customer.circuit(RED));
        state.routes.insert((RED, customer.prefix()), NextHop::Connected { interface });
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
