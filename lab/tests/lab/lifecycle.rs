//! A lab leaves nothing behind, however it ends.
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::time::Duration;

use crate::common::{LAB, Topology, stderr, traces};
use lab::{Lab, LabError, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const NONE: Vec<String> = Vec::new();

#[test]
fn down_removes_all_that_up_made() {
    let topology = Topology::pair("labtest-down", "cmd: sleep 1000");
    assert!(topology.run(&["up"]).status.success());
    // Two namespaces, the state, two inits: what `traces` would show if it were left.
    assert_eq!(traces(&topology.name).len(), 5, "{:?}", traces(&topology.name));
    assert!(topology.run(&["down"]).status.success());
    assert_eq!(traces(&topology.name), NONE);
    assert!(stderr(&topology.run(&["down"])).contains("start it first: lab up"));
}

#[test]
fn a_second_up_is_refused_with_the_remedy() {
    let topology = Topology::pair("labtest-twice", "");
    let lab = Lab::up(&topology.file).unwrap();
    assert!(matches!(Lab::up(&topology.file), Err(LabError::AlreadyUp { .. })));
    let refused = topology.run(&["up"]);
    assert!(
        stderr(&refused).contains(&format!("lab down {}", topology.file.display())),
        "{}",
        stderr(&refused)
    );
    assert!(lab.node("a").run(["true"]).status.success(), "the refused up has harmed the lab");
}

#[test]
fn an_up_that_fails_removes_what_it_made_and_says_where() {
    let topology = Topology::pair("labtest-fail", "exec: [\"ip address add nonsense dev eth1\"]");
    let failed = topology.run(&["up"]);
    assert_eq!(failed.status.code(), Some(1));
    let place = format!("{}:5:", topology.file.display());
    assert!(stderr(&failed).contains(&place) && stderr(&failed).contains("nonsense"), "{}", stderr(&failed));
    assert_eq!(traces(&topology.name), NONE);
}

#[test]
fn an_up_that_is_interrupted_removes_what_it_made() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let topology = Topology::pair("labtest-interrupt", "exec: [sleep 1000]");
        let mut up = topology.lab(&["up"]).stderr(Stdio::piped()).spawn().unwrap();
        assert!(wait_until(Duration::from_secs(5), || traces(&topology.name).len() > 5));
        kill(Pid::from_raw(up.id().cast_signed()), signal).unwrap();
        assert!(!up.wait().unwrap().success());
        assert_eq!(traces(&topology.name), NONE);
    }
}

#[test]
fn down_cleans_up_after_a_crash_of_up() {
    let topology = Topology::pair("labtest-crash", "exec: [sleep 1000]");
    let mut up = topology.lab(&["up"]).stderr(Stdio::null()).spawn().unwrap();
    assert!(wait_until(Duration::from_secs(5), || traces(&topology.name).len() > 5));
    up.kill().unwrap();
    up.wait().unwrap();
    assert!(topology.run(&["down"]).status.success());
    assert_eq!(traces(&topology.name), NONE);
}

#[test]
fn down_needs_neither_the_nodes_nor_the_file_as_they_were() {
    let topology = Topology::pair("labtest-changed", "");
    assert!(topology.run(&["up"]).status.success());
    let a = lab::Running::find(&topology.file, None).unwrap().try_node("a").unwrap().pid().unwrap();
    kill(Pid::from_raw(a.cast_signed()), Signal::SIGKILL).unwrap();
    fs::write(&topology.file, "name: another\n  not: [a topology\n").unwrap();
    let down = topology.run(&["down"]);
    assert!(down.status.success(), "{}", stderr(&down));
    assert_eq!(traces(&topology.name), NONE);
}

#[test]
fn two_labs_with_the_same_addresses_run_side_by_side() {
    let topology = Topology::pair("labtest-one", "exec: [ip address add fd00::1/64 dev eth1]");
    let one = Lab::up(&topology.file).unwrap();
    let two = Lab::up_as(&topology.file, "labtest-two").unwrap();
    for lab in [&one, &two] {
        lab.node("a").check(["ping", "-c1", "-W1", "fd00::2"]);
    }
    two.node("b").check(["ip", "link", "set", "eth1", "down"]);
    one.node("a").check(["ping", "-c1", "-W1", "fd00::2"]);
    assert!(!two.node("a").run(["ping", "-c1", "-W1", "fd00::2"]).status.success());
    drop(two);
    assert_eq!(traces("labtest-two"), NONE);
    one.node("a").check(["ping", "-c1", "-W1", "fd00::2"]);
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    let topology = Topology::pair("labtest-panic", "");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let lab = Lab::up(&topology.file).unwrap();
        lab.node("no-such-node");
    }));
    assert!(panicked.is_err());
    assert_eq!(traces(&topology.name), NONE);
}

#[test]
fn the_lab_of_a_test_that_was_killed_is_replaced() {
    let topology = Topology::pair("labtest-stale", "");
    let abandoned = Lab::up(&topology.file).unwrap();
    let pid = abandoned.node("a").pid();
    std::mem::forget(abandoned);
    // The owner as recorded becomes a process that is gone: this one's number with another start time.
    let path = format!("/run/sixedge-lab/{}/state.json", topology.name);
    let state = fs::read_to_string(&path).unwrap().replace("\"startTime\": ", "\"startTime\": 1");
    fs::write(&path, state).unwrap();
    let lab = Lab::up(&topology.file).unwrap();
    assert_ne!(lab.node("a").pid(), pid);
}

#[test]
fn the_lab_program_is_found_without_help() {
    assert!(fs::exists(LAB).unwrap());
    let error = std::process::Command::new(LAB).args(["up", "/no/such.clab.yml"]).output().unwrap();
    assert!(stderr(&error).contains("cannot read the topology /no/such.clab.yml"), "{}", stderr(&error));
}
