//! CE - PE - PE - CE in network namespaces, MTU 1500 everywhere and offloads on: real pings and real TCP through
//! both programs, chained on one machine. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod services;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::Ipv6Addr,
    os::fd::AsFd,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::sched::{CloneFlags, setns};
use srv6_types::{
    Behavior, DropReason,
    maps::{CircuitEntry, NodeConfig, SidEntry, VrfEntry, next_hop_kind as kind, vrf_counter},
};
use support::*;

/// Sides of the lab: 1 and 2.
struct Lab {
    prefix: String,
    pes: Vec<Pe>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.pes.clear();
        for name in NAMES {
            let _ = Command::new("ip").args(["netns", "del", &format!("{}-{name}", self.prefix)]).status();
        }
    }
}

const NAMES: [&str; 5] = ["ce1", "pe1", "pe2", "ce2", "ce3"];

/// `N` is the lab's prefix, `S` this side, `T` the other.
const LINKS: &str = "
ip -n N-pe1 link add core address 02:00:00:00:0c:01 type veth peer name core address 02:00:00:00:0c:02 netns N-pe2
";
const SIDE: &str = "
ip -n N-peS link set lo up
ip netns exec N-peS sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n N-peS link add ac address 02:00:00:00:0a:0S type veth peer name eth0 netns N-ceS
ip -n N-peS link set core up
ip -n N-peS link set ac up
ip -n N-peS addr add fc00:ff::S/64 dev core nodad
ip -n N-peS -6 route add fc00:0:T::/48 via fc00:ff::T
ip -n N-ceS link set lo up
ip -n N-ceS link set eth0 up
ip -n N-ceS addr add 10.0.S.2/24 dev eth0
ip -n N-ceS addr add 2001:db8:S::2/64 dev eth0 nodad
ip -n N-ceS route add default via 10.0.S.1
ip -n N-ceS -6 route add default via 2001:db8:S::1
";

const DETOUR: &str = "
ip -n N-pe1 link add ac3 address 02:00:00:00:0a:03 type veth peer name eth0 netns N-ce3
ip -n N-pe1 link set ac3 up
ip -n N-ce3 link set eth0 up
ip -n N-ce3 addr add 10.0.3.2/24 dev eth0
ip -n N-ce3 addr add 2001:db8:3::2/64 dev eth0 nodad
ip -n N-ce3 route add default via 10.0.3.1
ip -n N-ce3 -6 route add default via 2001:db8:3::1
ip -n N-pe2 link add ac2 type veth peer name eth1 netns N-ce2
ip -n N-pe2 link set ac2 up
ip -n N-ce2 link set eth1 up
ip -n N-ce2 addr add 10.0.4.2/24 dev eth1
ip -n N-ce2 addr add 2001:db8:4::2/64 dev eth1 nodad
ip netns exec N-ce2 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip netns exec N-ce2 sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
";

/// A second link between the PEs, and nothing of the tenants on it yet.
const SECOND_LINK: &str = "
ip -n N-pe1 link add core2 address 02:00:00:00:0e:01 type veth peer name core2 address 02:00:00:00:0e:02 netns N-pe2
ip -n N-pe1 link set core2 up
ip -n N-pe2 link set core2 up
ip -n N-pe1 addr add fc00:fe::1/64 dev core2 nodad
ip -n N-pe2 addr add fc00:fe::2/64 dev core2 nodad
";

impl Lab {
    fn new() -> Self {
        let prefix = format!("ebpf-{}", nix::unistd::gettid());
        let mut lab = Self { prefix, pes: vec![] };
        for name in NAMES {
            run(&format!("ip netns add {}-{name}", lab.prefix));
            // A link-local address that is still tentative asks for no neighbours, for the first second or two.
            lab.exec(name, "sysctl -qw net.ipv6.conf.default.accept_dad=0");
        }
        lab.script(LINKS, 1);
        for side in [1, 2] {
            lab.script(SIDE, side);
        }
        for side in [1, 2] {
            let pe = lab.program(side);
            lab.pes.push(pe);
        }
        lab
    }

    fn script(&self, script: &str, side: u8) {
        for line in script.lines().filter(|line| !line.is_empty()) {
            let line = line.replace("N-", &format!("{}-", self.prefix));
            run(&line.replace('S', &side.to_string()).replace('T', &(3 - side).to_string()));
        }
    }

    fn enter(&self, name: &str) {
        let namespace = File::open(format!("/run/netns/{}-{name}", self.prefix)).unwrap();
        setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET).expect("labs need root");
    }

    fn program(&self, side: u8) -> Pe {
        self.enter(&format!("pe{side}"));
        let (s, far) = (side, 3 - side);
        let ac = nix::net::if_::if_nametoindex("ac").unwrap();
        let mut pe = Pe::bare();
        let source = octets6(&format!("fc00:0:{s}::"));
        pe.array("NODE", 0, NodeConfig { source, ..NodeConfig::default() });
        let gateway6 = octets6(&format!("2001:db8:{s}::1"));
        let vrf =
            VrfEntry { flags: 1, icmp_source4: [10, 0, s, 1], icmp_source6: gateway6, flows: 0, reserved: 0 };
        pe.array("VRFS", RED, vrf);
        let circuit = CircuitEntry {
            vrf: RED,
            mtu: 1500,
            gateway4: [10, 0, s, 1],
            mac: [2, 0, 0, 0, 0x0a, s],
            flags: 0,
            gateway6,
            filter: 0,
            egress: 0,
            host_mac: [0; 6],
            reserved: [0; 2],
        };
        pe.hash("CIRCUITS", ac, circuit);
        let Behavior(behavior) = Behavior::END_DT46;
        let sid = SidEntry { behavior: behavior.into(), vrf: RED, counter: 0, flags: 0, egress: 0 };
        pe.hash("SIDS", octets6(&format!("fc00:0:{s}:46::")), sid);
        pe.trie("LOCATORS", 48, source, 1_u32);
        pe.trie("DOMAIN", 32, "fc00::".parse::<Ipv6Addr>().unwrap().octets(), 1_u32);
        let remote = format!("fc00:0:{far}:46::");
        for (prefix, next_hop) in [
            (format!("10.0.{s}.0/24"), on(kind::CONNECTED, ac)),
            (format!("10.0.{s}.1/32"), on(kind::LOCAL, ac)),
            (format!("2001:db8:{s}::/64"), on(kind::CONNECTED, ac)),
            (format!("2001:db8:{s}::1/128"), on(kind::LOCAL, ac)),
            (format!("10.0.{far}.0/24"), encapsulate(kind::ENCAPS_RED, &[&remote])),
            (format!("2001:db8:{far}::/64"), encapsulate(kind::ENCAPS_RED, &[&remote])),
        ] {
            pe.route(RED, &prefix, next_hop);
        }
        pe.attach("circuit_ingress", "ac");
        pe.attach("core_ingress", "core");
        pe
    }

    /// Output of a command in a namespace, and whether it succeeded.
    fn exec(&self, name: &str, line: &str) -> (bool, String) {
        let namespace = format!("{}-{name}", self.prefix);
        let output = Command::new("ip")
            .args(["netns", "exec", &namespace])
            .args(line.split_whitespace())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// A third customer on the first PE, in VRF blue, whom the first customer reaches only by way of the second, who
    /// routes: PE1 - PE2 - CE2 - PE2 - PE1. CE2 has a circuit in either VRF and hands back what has been encapsulated on this machine before.
    fn detour(&mut self) {
        self.script(DETOUR, 1);
        self.enter("pe2");
        let ac2 = nix::net::if_::if_nametoindex("ac2").unwrap();
        self.enter("pe1");
        let ac3 = nix::net::if_::if_nametoindex("ac3").unwrap();
        let Behavior(behavior) = Behavior::END_DT46;
        let blue = SidEntry { behavior: behavior.into(), vrf: BLUE, counter: 1, flags: 0, egress: 0 };
        let [pe1, pe2] = &mut self.pes[..] else { panic!() };
        pe1.hash("SIDS", octets6("fc00:0:1:47::"), blue);
        pe2.hash("SIDS", octets6("fc00:0:2:47::"), blue);
        let circuit = CircuitEntry {
            vrf: BLUE,
            mtu: 1500,
            gateway4: [10, 0, 3, 1],
            mac: [2, 0, 0, 0, 0x0a, 3],
            flags: 0,
            gateway6: octets6("2001:db8:3::1"),
            filter: 0,
            egress: 0,
            host_mac: [0; 6],
            reserved: [0; 2],
        };
        pe1.hash("CIRCUITS", ac3, circuit);
        pe2.hash("CIRCUITS", ac2, circuit);
        for (prefix, back, gateway_address) in [
            ("10.0.3.0/24", "10.0.1.0/24", "10.0.4.2"),
            ("2001:db8:3::/64", "2001:db8:1::/64", "2001:db8:4::2"),
        ] {
            pe1.route(RED, prefix, encapsulate(kind::ENCAPS_RED, &["fc00:0:2:47::"]));
            pe2.route(BLUE, prefix, gateway(ac2, gateway_address));
            pe2.route(RED, prefix, encapsulate(kind::ENCAPS_RED, &["fc00:0:1:47::"]));
            pe1.route(BLUE, prefix, on(kind::CONNECTED, ac3));
            pe1.route(BLUE, back, leak(RED));
        }
        for address in ["10.0.3.1/32", "2001:db8:3::1/128"] {
            pe1.route(BLUE, address, on(kind::LOCAL, ac3));
        }
        pe1.attach("circuit_ingress", "ac3");
    }

    fn assert_pings(&self, name: &str, arguments: &str) {
        let (answered, text) = self.exec(name, &format!("ping -i 0.05 -c 3 -W 2 {arguments}"));
        assert!(answered && text.contains(" 0% packet loss"), "{name}: ping {arguments}: {text}");
    }

    /// A second link, by which the second PE takes packets in.
    fn second_link(&mut self) {
        self.script(SECOND_LINK, 1);
        self.enter("pe2");
        self.pes[1].attach("core_ingress", "core2");
    }

    /// Packets that the first PE has sent out of an interface.
    fn sent(&self, interface: &str) -> u64 {
        let path = format!("/sys/class/net/{interface}/statistics/tx_packets");
        let (_, text) = self.exec("pe1", &format!("cat {path}"));
        text.trim().parse().unwrap_or_else(|_| panic!("{path}: {text}"))
    }

    /// Bits per second of one TCP connection.
    fn tcp(&self, server: &str, target: &str) -> f64 {
        self.iperf(server, &format!("-c {target} -t 2"))
    }

    /// Bits per second that the server has received.
    fn iperf(&self, server: &str, arguments: &str) -> f64 {
        let namespace = format!("{}-{server}", self.prefix);
        let mut server = Command::new("ip")
            .args(["netns", "exec", &namespace, "iperf3", "-s", "-1", "--forceflush"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("Server listening")), "iperf3 does not serve");
        let (_, text) = self.exec("ce1", &format!("iperf3 {arguments} -f m"));
        let _ = server.kill();
        let _ = server.wait();
        let line = text.lines().find(|line| line.ends_with("receiver")).unwrap_or_else(|| panic!("{text}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        let unit = words.iter().position(|word| *word == "Mbits/sec").unwrap_or_else(|| panic!("{text}"));
        words[unit - 1].parse::<f64>().unwrap() * 1e6
    }
}

#[test]
fn customers_meet_through_both_pes() {
    let mut lab = Lab::new();
    lab.assert_pings("ce1", "10.0.1.1");
    lab.assert_pings("ce1", "2001:db8:1::1");
    lab.assert_pings("ce1", "10.0.2.2");
    lab.assert_pings("ce1", "2001:db8:2::2");
    lab.assert_pings("ce2", "10.0.1.2");
    // Answered by the far PE, which sends it back into the core.
    lab.assert_pings("ce1", "10.0.2.1");
    lab.assert_pings("ce1", "2001:db8:2::1");
    // Fragments; the first pings tell the customer the path MTU.
    lab.exec("ce1", "ping -i 0.05 -c 2 -W 1 -s 4000 10.0.2.2");
    lab.exec("ce1", "ping -i 0.05 -c 2 -W 1 -s 4000 2001:db8:2::2");
    lab.assert_pings("ce1", "-s 4000 10.0.2.2");
    lab.assert_pings("ce1", "-s 4000 2001:db8:2::2");
    for pe in &mut lab.pes {
        assert_eq!(pe.drops(RED, DropReason::NoRouteInVrf), 0);
        assert!(pe.counter(RED, vrf_counter::DELIVERED).0 >= 6);
    }
}

#[test]
fn each_pe_is_a_hop() {
    let mut lab = Lab::new();
    for (ttl, target, hop) in [
        (1, "10.0.2.2", "10.0.1.1"),
        (2, "10.0.2.2", "10.0.2.1"),
        (1, "2001:db8:2::2", "2001:db8:1::1"),
        (2, "2001:db8:2::2", "2001:db8:2::1"),
    ] {
        let (_, text) = lab.exec("ce1", &format!("ping -n -c 1 -W 2 -t {ttl} {target}"));
        let dropped: Vec<_> =
            lab.pes.iter_mut().map(|pe| (pe.all_drops(), pe.counter(RED, vrf_counter::ANSWERED))).collect();
        let line = text.lines().find(|line| line.contains("exceeded"));
        let line = line.unwrap_or_else(|| panic!("{text}; dropped and answered: {dropped:?}"));
        assert!(line.contains(hop), "hop {ttl} to {target}: {line}");
    }
    lab.assert_pings("ce1", "-t 3 10.0.2.2");
}

#[test]
fn path_mtu_is_found() {
    let mut lab = Lab::new();
    // 1500 less 40 of the outer header less 28 of IPv4 and ICMP.
    lab.assert_pings("ce1", "-M do -s 1432 10.0.2.2");
    let (_, text) = lab.exec("ce1", "ping -M do -s 1433 -c 1 -W 2 10.0.2.2");
    assert!(text.contains("mtu = 1460") || text.contains("mtu=1460"), "{text}");
    let (_, text) = lab.exec("ce1", "ping -M do -s 1413 -c 1 -W 2 2001:db8:2::2");
    assert!(text.contains("mtu = 1460") || text.contains("mtu=1460"), "{text}");
    assert_eq!(lab.pes[0].drops(RED, DropReason::TooBig), 2);
    // Longer than 65535 octets with the outer header, which no length field holds.
    run(&format!("ip -n {}-pe1 link set ac mtu 65535", lab.prefix));
    run(&format!("ip -n {}-ce1 link set eth0 mtu 65535", lab.prefix));
    lab.exec("ce1", "ip route flush cache");
    let (_, text) = lab.exec("ce1", "ping -M do -s 65490 -c 1 -W 2 10.0.2.2");
    assert!(text.contains("mtu = 1460") || text.contains("mtu=1460"), "{text}");
    // A circuit at the far end that is smaller still: the egress PE says so, through the core.
    run(&format!("ip -n {}-pe2 link set ac mtu 1300", lab.prefix));
    let (_, text) = lab.exec("ce1", "ping -M do -s 1400 -c 1 -W 2 10.0.2.2");
    assert!(text.contains("mtu = 1300") || text.contains("mtu=1300"), "{text}");
    assert_eq!(lab.pes[1].drops(RED, DropReason::TooBig), 1);
}

#[test]
fn tcp_runs_with_offloads() {
    let mut lab = Lab::new();
    for target in ["10.0.2.2", "2001:db8:2::2"] {
        let rate = lab.tcp("ce2", target);
        println!("TCP to {target}: {:.2} Gbit/s", rate / 1e9);
        assert!(rate > 5e8, "TCP to {target}: {rate} bit/s");
    }
    // Super-packets crossed whole: were they cut before, a packet would hold 1420 octets.
    let (packets, octets) = lab.pes[0].counter(RED, vrf_counter::ENCAPSULATED);
    assert!(octets / packets > 5000, "{octets} octets in {packets} packets");
}

#[test]
fn what_was_encapsulated_before_is_encapsulated_again() {
    let mut lab = Lab::new();
    lab.detour();
    for target in ["10.0.3.2", "2001:db8:3::2"] {
        lab.assert_pings("ce1", target);
        let rate = lab.tcp("ce3", target);
        println!("TCP to {target} by a detour: {:.2} Gbit/s", rate / 1e9);
        assert!(rate > 2e8, "TCP to {target}: {rate} bit/s");
    }
    // An error about such a packet, from the PE that has it on a circuit.
    let (_, text) = lab.exec("ce1", "ping -n -c 1 -W 2 -t 4 10.0.3.2");
    assert!(text.contains("From 10.0.2.1 ") && text.contains("exceeded"), "{text}");
    assert_eq!(lab.pes[1].drops(RED, DropReason::AdjustRoomFailed), 0);
}

#[test]
fn the_underlays_routes_are_followed() {
    let mut lab = Lab::new();
    lab.second_link();
    lab.assert_pings("ce1", "10.0.2.2");
    let namespace = format!("{}-ce1", lab.prefix);
    let flood = Command::new("ip")
        .args(["netns", "exec", &namespace, "ping", "-q", "-i", "0.002", "-c", "1500", "-W", "2", "10.0.2.2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let before = lab.sent("core");
    wait("pings leave by the first link", || lab.sent("core") > before + 50);
    run(&format!("ip -n {}-pe1 -6 route change fc00:0:2::/48 via fc00:fe::2", lab.prefix));
    let before = lab.sent("core2");
    wait("pings leave by the second link", || lab.sent("core2") > before + 50);
    let output = flood.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" 0% packet loss"), "{text}");

    lab.assert_pings("ce1", "-M do -s 1400 10.0.2.2");
    run(&format!("ip -n {}-pe1 -6 route change fc00:0:2::/48 via fc00:fe::2 mtu lock 1300", lab.prefix));
    wait("the smaller MTU is told", || {
        let (_, text) = lab.exec("ce1", "ping -M do -s 1400 -c 1 -W 1 10.0.2.2");
        text.contains("mtu = 1260") || text.contains("mtu=1260")
    });
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
