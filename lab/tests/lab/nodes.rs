//! What a node is to the programs that run in it.
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::common::{Topology, stderr, stdout};
use lab::{Lab, Signal, wait_until};

#[test]
fn nodes_reach_each_other_over_their_link() {
    let topology = Topology::pair("labtest-ping", "exec: [ip address add fd00::1/64 dev eth1]");
    let lab = Lab::up(&topology.file).unwrap();
    lab.node("a").check(["ping", "-c1", "-W1", "fd00::2"]);
    // Bytes on the link: 1500 - 40 (IPv6) - 8 (ICMPv6) fit, one more does not.
    lab.node("a").check(["ping", "-c1", "-W1", "-Mdo", "-s1452", "fd00::2"]);
    assert!(!lab.node("a").run(["ping", "-c1", "-W1", "-Mdo", "-s1453", "fd00::2"]).status.success());
}

#[test]
fn a_node_has_its_own_name_processes_and_environment() {
    let topology = Topology::pair("labtest-own", "env: { GREETING: \"hello there\" }");
    let lab = Lab::up(&topology.file).unwrap();
    let a = lab.node("a");
    assert_eq!(a.check(["hostname"]), "a\n");
    assert_eq!(a.check(["sh", "-c", "echo $GREETING, $HOME"]), "hello there, /root\n");
    assert_eq!(a.check(["sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline | cut -d' ' -f1"]), "lab-init\n");
    assert!(
        a.check(["env"]).lines().all(|line| !line.starts_with("CARGO")),
        "the caller's environment leaks in"
    );
}

#[test]
fn exit_status_and_signals_pass_through_exec() {
    let topology = Topology::pair("labtest-exit", "");
    let lab = Lab::up(&topology.file).unwrap();
    let status = |script: &str| topology.run(&["exec", "a", "--", "sh", "-c", script]).status.code();
    assert_eq!(status("exit 7"), Some(7));
    assert_eq!(status("kill -TERM $$"), Some(128 + 15));
    let missing = topology.run(&["exec", "a", "--", "no-such-program"]);
    assert!(stderr(&missing).contains("cannot run no-such-program"), "{}", stderr(&missing));
    let unknown = topology.run(&["exec", "c", "--", "true"]);
    assert!(stderr(&unknown).contains("has no node c; its nodes are a, b"), "{}", stderr(&unknown));

    let mut sleeper = lab.node("a").spawn(["sleep", "987"]).unwrap();
    let sleeps = || lab.node("a").run(["pgrep", "-f", "^sleep 987"]).status.success();
    assert!(wait_until(Duration::from_secs(5), sleeps));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert!(wait_until(Duration::from_secs(5), || !sleeps()), "the command outlived lab exec");
}

#[test]
fn what_a_node_writes_stays_in_the_node() {
    let topology = Topology::pair(
        "labtest-files",
        "binds: [\"conf:/etc/labtest/conf:ro\", \"out:/var/run/labtest-out\"]",
    );
    fs::create_dir(topology.dir().join("out")).unwrap();
    fs::write(topology.dir().join("conf"), "from the host").unwrap();
    let lab = Lab::up(&topology.file).unwrap();
    let a = lab.node("a");
    assert_eq!(a.check(["cat", "/etc/labtest/conf"]), "from the host");
    assert!(
        !a.run(["sh", "-c", "echo changed > /etc/labtest/conf"]).status.success(),
        "a read-only bind was written"
    );
    let paths = ["/etc", "/root", "/usr/bin", "/run", "/tmp", "/var/lib", "/var/log", "/dev/shm"];
    for path in paths.map(|dir| format!("{dir}/labtest-written")) {
        a.check(["touch", &path]);
        assert!(!fs::exists(&path).unwrap(), "{path} is on the host");
        assert!(!lab.node("b").run(["test", "-e", &path]).status.success(), "{path} is in another node");
    }
    assert!(
        !fs::exists("/etc/labtest").unwrap() && !fs::exists("/run/labtest-out").unwrap(),
        "mount points on the host"
    );
    a.check(["touch", "/run/labtest-out/result"]);
    assert!(topology.dir().join("out/result").exists(), "a writable bind must reach the host");
}

#[test]
fn bpf_pins_outlive_the_main_program() {
    let topology = Topology::pair(
        "labtest-pins",
        "cmd: \"sh -c 'mkdir -p /sys/fs/bpf/pin; echo run; exec sleep 1000'\"",
    );
    let lab = Lab::up(&topology.file).unwrap();
    let a = lab.node("a");
    let pinned = || a.run(["test", "-d", "/sys/fs/bpf/pin"]).status.success();
    assert!(wait_until(Duration::from_secs(5), pinned));
    let [first] = a.main_pids()[..] else { panic!("one main program") };
    a.kill_main(Signal::SIGKILL).unwrap();
    assert!(a.main_pids().is_empty() && !fs::exists(format!("/proc/{first}")).unwrap());
    assert!(pinned() && !lab.node("b").run(["test", "-d", "/sys/fs/bpf/pin"]).status.success());
    assert!(a.kill_main(Signal::SIGTERM).unwrap_err().to_string().contains("does not run"));
    a.start_main().unwrap();
    assert!(a.start_main().unwrap_err().to_string().contains("runs already"));
    assert!(wait_until(Duration::from_secs(5), || a.logs() == "run\nrun\n"), "{}", a.logs());
}

#[test]
fn inspect_tells_nodes_programs_interfaces_and_addresses() {
    let topology =
        Topology::pair("labtest-inspect", "exec: [ip address add 10.0.0.1/24 dev eth1], cmd: sleep 1000");
    let _lab = Lab::up(&topology.file).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&topology.run(&["inspect", "--json"]))).unwrap();
    let a = &json[0];
    assert_eq!((&a["name"], &a["container"]), (&"a".into(), &"clab-labtest-inspect-a".into()));
    assert_eq!((&a["state"], &a["main"][0]["name"]), (&"running".into(), &"sleep".into()));
    assert_eq!((&a["interfaces"][0]["name"], &a["interfaces"][0]["mtu"]), (&"eth1".into(), &1500.into()));
    assert_eq!(a["interfaces"][0]["addresses"], serde_json::json!(["10.0.0.1/24"]));
    let table = stdout(&topology.run(&["inspect"]));
    assert!(
        table.lines().any(|line| line.starts_with("a ") && line.ends_with("eth1       1500  10.0.0.1/24")),
        "{table}"
    );
}

#[test]
fn ip_netns_exec_reaches_the_node() {
    let topology = Topology::pair("labtest-netns", "");
    let _lab = Lab::up(&topology.file).unwrap();
    let link = Command::new("ip")
        .args(["netns", "exec", "clab-labtest-netns-a", "ip", "link", "show", "eth1"])
        .output();
    assert!(stdout(&link.unwrap()).contains("mtu 1500"));
}
