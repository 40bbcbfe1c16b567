//! Pods on veths, alone and behind a bridge, in real namespaces. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;
#[path = "common/namespace.rs"]
mod namespace;

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    process::Command,
    thread,
    time::Duration,
};

use ipnet::IpNet;
use lab::Lab;
use namespace::Namespace;
use nix::sched::{CloneFlags, setns};
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    model::{Circuit, IfIndex, NextHop},
};
use srv6_types::{DropReason, VrfId};

const RED: VrfId = VrfId(1);
const BLUE: VrfId = VrfId(2);
const PORT: u16 = 8080;
/// Longer than a SYN's first repetition.
const PATIENCE: Duration = Duration::from_millis(1500);

struct Pod {
    namespace: Namespace,
    host_interface: String,
    index: IfIndex,
    mac: [u8; 6],
}

impl Pod {
    fn new(lab: &Lab, number: u8) -> Self {
        let namespace = Namespace::new();
        let host_interface = format!("pod{number}");
        let id = namespace.id();
        let mac = [2, 0, 0, 0, 0xb0, number];
        lab.ip(&format!(
            "link add {host_interface} address 02:00:00:00:a0:{number:02x} type veth peer name eth0 \
             address 02:00:00:00:b0:{number:02x} netns {id}"
        ));
        // A tentative link-local address asks for no neighbours, for the first second or two.
        namespace.run("sysctl -qw net.ipv6.conf.eth0.accept_dad=0");
        sysctl(&format!("net.ipv6.conf.{host_interface}.accept_dad=0"));
        lab.ip(&format!("link set {host_interface} up"));
        namespace.run("ip link set lo up");
        namespace.run("ip link set eth0 up");
        let index = lab.index(&host_interface);
        Self { namespace, host_interface, index, mac }
    }

    /// With /32 and /128, and routes by gateways on the link.
    fn alone(lab: &Lab, number: u8, addresses: &[&str]) -> Self {
        let pod = Self::new(lab, number);
        for address in addresses {
            pod.ip(&format!("address add {address} dev eth0 nodad"));
        }
        pod.ip("route add 169.254.1.1 dev eth0 scope link");
        pod.ip("route add default via 169.254.1.1 dev eth0");
        pod.ip("-6 route add default via 2001:db8::1 dev eth0 onlink");
        pod
    }

    fn ip(&self, arguments: &str) {
        self.namespace.run(&format!("ip {arguments}"));
    }

    fn pings(&self, to: &str) -> bool {
        let mut ping = self.namespace.command(&format!("ping -q -c 2 -i 0.05 -W 1 {to}"));
        ping.output().unwrap().status.success()
    }

    fn add_to(&self, state: &mut State, vrf: VrfId, circuit: Circuit, hosts: &[&str]) {
        state.vrfs.entry(vrf).or_default();
        state.circuits.insert(self.index, circuit);
        for host in hosts {
            let host: IpAddr = host.parse().unwrap();
            state.routes.insert((vrf, IpNet::from(host)), NextHop::Connected { interface: self.index });
        }
    }

    fn circuit(&self, vrf: VrfId, gateways: (Ipv4Addr, &str)) -> Circuit {
        Circuit {
            vrf,
            mtu: 1500,
            mac: [2, 0, 0, 0, 0xa0, self.mac[5]],
            gateway4: Some(gateways.0),
            gateway6: Some(gateways.1.parse().unwrap()),
            filter: None,
            proxy: false,
            probes: false,
            strict: true,
            host_mac: None,
        }
    }

    /// A thread in the pod's namespace.
    fn run<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
        let namespace = File::open(format!("/proc/{}/ns/net", self.namespace.id())).unwrap();
        thread::spawn(move || {
            setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
            what()
        })
    }

    /// Serves one connection after the other, each with the client's address.
    fn serve(&self, address: &str) {
        let listener = listen(address);
        let listener = self.run(listener).join().unwrap();
        thread::spawn(move || answer(&listener));
    }

    fn connects(&self, to: &str) -> Result<String, ErrorKind> {
        let to = to.to_owned();
        self.run(move || connect(&to)).join().unwrap()
    }
}

fn sysctl(line: &str) {
    lab::run(Command::new("sysctl").args(["-qw", line]));
}

fn listen(address: &str) -> impl FnOnce() -> TcpListener + Send + 'static {
    let at = SocketAddr::new(address.parse().unwrap(), PORT);
    move || TcpListener::bind(at).unwrap()
}

fn answer(listener: &TcpListener) {
    while let Ok((mut stream, client)) = listener.accept() {
        let _ = stream.write_all(client.ip().to_string().as_bytes());
    }
}

/// What the server says.
fn connect(to: &str) -> Result<String, ErrorKind> {
    let to = SocketAddr::new(to.parse().unwrap(), PORT);
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).map_err(|error| error.kind())?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|error| error.kind())?;
    Ok(text)
}

fn gateway_of(state: &mut State, vrf: VrfId, addresses: &[&str]) {
    for address in addresses {
        let address: IpAddr = address.parse().unwrap();
        state.routes.insert((vrf, IpNet::from(address)), NextHop::Local { interface: None });
    }
}

fn reach(dataplane: &mut EbpfDataplane, wanted: &State) {
    let changes = Change::between(&dataplane.observe().unwrap(), wanted);
    dataplane.apply_all(&changes).unwrap();
    assert_eq!(dataplane.observe().unwrap(), *wanted);
}

#[test]
fn pods_of_a_vrf_meet_and_tenants_with_their_addresses_do_not() {
    let lab = Lab::new();
    let mut dataplane = EbpfDataplane::open(&lab.options()).unwrap();
    let gateways = ([169, 254, 1, 1].into(), "2001:db8::1");
    let addresses =
        [["10.0.0.11", "2001:db8::11"], ["10.0.0.12", "2001:db8::12"], ["10.0.0.13", "2001:db8::13"]];
    let pods: Vec<Pod> = (1..).zip(&addresses).map(|(number, own)| Pod::alone(&lab, number, own)).collect();
    let stranger = Pod::alone(&lab, 4, &addresses[0]);
    let mut wanted = State::default();
    for (at, (pod, own)) in pods.iter().zip(&addresses).enumerate() {
        // The kernel finds the last one by ARP.
        let host_mac = (at != 2).then_some(pod.mac);
        pod.add_to(&mut wanted, RED, Circuit { host_mac, ..pod.circuit(RED, gateways) }, own);
    }
    stranger.add_to(&mut wanted, BLUE, stranger.circuit(BLUE, gateways), &addresses[0]);
    for vrf in [RED, BLUE] {
        gateway_of(&mut wanted, vrf, &["169.254.1.1", "2001:db8::1"]);
    }
    reach(&mut dataplane, &wanted);
    for pod in pods.iter().chain([&stranger]) {
        assert!(pod.pings("169.254.1.1") && pod.pings("2001:db8::1"), "{}", pod.host_interface);
    }
    for (from, to) in [(0, 1), (1, 2), (2, 0)] {
        for address in addresses[to] {
            assert!(pods[from].pings(address), "{} to {address}", pods[from].host_interface);
        }
    }
    assert!(!stranger.pings("10.0.0.12"), "another tenant's");
    for (at, address) in addresses[1].iter().enumerate() {
        pods[1].serve(address);
        assert_eq!(pods[0].connects(address), Ok(addresses[0][at].to_owned()));
        assert_ne!(stranger.connects(address), Ok(addresses[0][at].to_owned()));
    }
    // Nobody speaks for another, be it a pod or nobody at all.
    for forged in ["10.0.0.13", "10.0.0.99", "2001:db8::13"] {
        pods[0].ip(&format!("address add {forged} dev lo"));
        let before = forgeries(&dataplane);
        let to = if forged.contains(':') { "2001:db8::12" } else { "10.0.0.12" };
        assert!(!pods[0].pings(&format!("-I {forged} {to}")), "from {forged}");
        assert_eq!(forgeries(&dataplane) - before, 2, "from {forged}");
    }
    // One of several circuits goes: the gateway stays.
    wanted.circuits.remove(&pods[0].index);
    wanted.routes.retain(|_, to| *to != NextHop::Connected { interface: pods[0].index });
    reach(&mut dataplane, &wanted);
    assert!(pods[1].pings("169.254.1.1") && pods[1].pings("10.0.0.13"));
}

fn forgeries(dataplane: &EbpfDataplane) -> u64 {
    dataplane.counters().unwrap().drops.get(&(RED, DropReason::BadSource)).copied().unwrap_or(0)
}

/// A bridge with its own address, as the bridge plugin makes it: two pods in a VRF, one in none.
struct Bridged {
    lab: Lab,
    dataplane: EbpfDataplane,
    wanted: State,
    pods: [Pod; 3],
}

const ADDRESSES: [[&str; 2]; 3] =
    [["10.244.0.11", "2001:db8:f::11"], ["10.244.0.12", "2001:db8:f::12"], ["10.244.0.13", "2001:db8:f::13"]];
const GATEWAYS: [&str; 2] = ["10.244.0.1", "2001:db8:f::1"];

impl Bridged {
    fn new() -> Self {
        let lab = Lab::new();
        lab.ip("link add cni0 address 02:00:00:00:c0:01 type bridge");
        // Duplicate address detection of the bridge would ask for a second.
        for line in ["accept_dad=0", "forwarding=1"] {
            sysctl(&format!("net.ipv6.conf.cni0.{line}"));
        }
        lab.ip("link set cni0 up");
        lab.ip(&format!("address add {}/24 dev cni0", GATEWAYS[0]));
        lab.ip(&format!("address add {}/64 dev cni0 nodad", GATEWAYS[1]));
        let dataplane = EbpfDataplane::open(&lab.options()).unwrap();
        let pods = [1, 2, 3].map(|number| {
            let pod = Pod::new(&lab, number);
            let [v4, v6] = ADDRESSES[usize::from(number) - 1];
            lab.ip(&format!("link set {} master cni0", pod.host_interface));
            pod.ip(&format!("address add {v4}/24 dev eth0"));
            pod.ip(&format!("address add {v6}/64 dev eth0 nodad"));
            pod.ip(&format!("route add default via {}", GATEWAYS[0]));
            pod.ip(&format!("-6 route add default via {}", GATEWAYS[1]));
            pod
        });
        let mut wanted = State::default();
        for (pod, own) in pods.iter().zip(&ADDRESSES).take(2) {
            let circuit = pod.circuit(RED, ([10, 244, 0, 1].into(), GATEWAYS[1]));
            let circuit = Circuit { proxy: true, probes: true, host_mac: Some(pod.mac), ..circuit };
            pod.add_to(&mut wanted, RED, circuit, own);
        }
        gateway_of(&mut wanted, RED, &GATEWAYS);
        let mut bridged = Self { lab, dataplane, wanted, pods };
        bridged.reach();
        bridged
    }

    fn reach(&mut self) {
        reach(&mut self.dataplane, &self.wanted);
    }

    fn delivered(&self) -> u64 {
        self.dataplane.counters().unwrap().vrfs[&RED].delivered.packets
    }

    fn drops(&self, reason: DropReason) -> u64 {
        self.dataplane.counters().unwrap().drops.get(&(RED, reason)).copied().unwrap_or(0)
    }
}

#[test]
fn behind_a_bridge_pods_meet_by_their_vrf() {
    let bridged = Bridged::new();
    let [one, two, _] = &bridged.pods;
    for (at, gateway) in GATEWAYS.iter().enumerate() {
        assert!(one.pings(gateway), "{gateway}");
        let before = bridged.delivered();
        assert!(one.pings(ADDRESSES[1][at]) && two.pings(ADDRESSES[0][at]), "{:?}", ADDRESSES[1][at]);
        assert_eq!(bridged.delivered() - before, 8, "by the VRF, and not by the bridge");
        two.serve(ADDRESSES[1][at]);
        assert_eq!(one.connects(ADDRESSES[1][at]), Ok(ADDRESSES[0][at].to_owned()));
    }
    // Who is on the bridge and in no VRF is not reached, though it has an address of the same subnet.
    for address in ADDRESSES[2] {
        let before = bridged.drops(DropReason::NoRouteInVrf);
        assert!(!one.pings(address), "{address}");
        assert_eq!(bridged.drops(DropReason::NoRouteInVrf) - before, 2, "{address}");
    }
    // Who has learnt the bridge's MAC address for the gateway's before stays in the VRF.
    for gateway in GATEWAYS {
        one.ip(&format!("neigh replace {gateway} lladdr 02:00:00:00:c0:01 dev eth0"));
        let before = bridged.drops(DropReason::NoRouteInVrf);
        assert!(one.pings(gateway));
        assert!(!one.pings(if gateway.contains(':') { "2001:db8:9::1" } else { "192.0.2.1" }));
        assert_eq!(bridged.drops(DropReason::NoRouteInVrf) - before, 2, "{gateway}");
    }
}

#[test]
fn the_node_probes_a_pod_and_a_pod_opens_nothing_to_the_node() {
    let mut bridged = Bridged::new();
    for (at, own) in ADDRESSES[0].iter().enumerate() {
        bridged.pods[0].serve(own);
        assert_eq!(connect(own), Ok(GATEWAYS[at].to_owned()), "a probe");
        let listener = listen(GATEWAYS[at])();
        thread::spawn(move || answer(&listener));
        assert!(bridged.pods[0].connects(GATEWAYS[at]).is_err(), "the node itself");
        assert_eq!(
            bridged.pods[2].connects(GATEWAYS[at]),
            Ok(ADDRESSES[2][at].to_owned()),
            "from outside of VRFs"
        );
    }
    // Nobody listens: the refusal is heard at once.
    assert_eq!(connect(ADDRESSES[1][0]), Err(ErrorKind::ConnectionRefused));
    bridged.wanted.circuits.values_mut().for_each(|circuit| circuit.probes = false);
    bridged.reach();
    assert!(connect(ADDRESSES[0][0]).is_err(), "without probes");
    assert_eq!(connect(ADDRESSES[1][0]), Err(ErrorKind::TimedOut));
    bridged.lab.ip("link del cni0");
}
