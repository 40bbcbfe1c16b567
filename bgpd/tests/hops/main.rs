//! Two speakers in different ASes with a router between them. Needs root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use bgp_core::config::{Listen, PeerConfig, SpeakerConfig, Transport};
use bgp_wire::Family;
use bgpd::Event;
use tokio::sync::oneshot;

const PATIENCE: Duration = Duration::from_secs(20);
/// Attempts are made every second.
const SILENCE: Duration = Duration::from_secs(3);

/// `hops-1` and `hops-2` with `hops-r` between them; gone when dropped.
struct Network;

impl Network {
    fn new() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "network namespaces need root; run as root, or sudo -E make test"
        );
        remove();
        let network = Self;
        ["1", "2", "r"].iter().for_each(|name| ip(&format!("netns add hops-{name}")));
        for end in 1..=2 {
            ip(&format!("link add hops-to{end} netns hops-r type veth peer name hops-up netns hops-{end}"));
            for (namespace, link, host) in
                [("r", format!("hops-to{end}"), 254), (&*end.to_string(), "hops-up".into(), 1)]
            {
                ip(&format!("-n hops-{namespace} addr add 10.98.{end}.{host}/24 dev {link}"));
                ip(&format!("-n hops-{namespace} addr add fd00:98:{end}::{host}/64 dev {link} nodad"));
                ip(&format!("-n hops-{namespace} link set {link} up"));
            }
            ip(&format!("-n hops-{end} route add default via 10.98.{end}.254"));
            ip(&format!("-n hops-{end} route add default via fd00:98:{end}::254"));
        }
        for setting in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            run("ip", &["netns", "exec", "hops-r", "sysctl", "-qw", setting]);
        }
        network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        remove();
    }
}

fn remove() {
    for name in ["1", "2", "r"] {
        // There is none before the first start.
        let _ =
            Command::new("ip").args(["netns", "del", &format!("hops-{name}")]).stderr(Stdio::null()).status();
    }
}

fn ip(line: &str) {
    run("ip", &line.split(' ').collect::<Vec<_>>());
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn address(end: u8, ipv4: bool) -> IpAddr {
    match ipv4 {
        true => Ipv4Addr::new(10, 98, end, 1).into(),
        false => Ipv6Addr::new(0xfd00, 0x98, end.into(), 0, 0, 0, 0, 1).into(),
    }
}

fn config(end: u8, ipv4: bool, hop_limit: u8) -> SpeakerConfig {
    let router_id = Ipv4Addr::new(10, 98, end, 1);
    let other = 3 - end;
    let peer = PeerConfig {
        asn: 65000 + u32::from(other),
        port: 179,
        local_address: None,
        // The first connects, so the second's hop limit is that of an accepted connection.
        passive: end == 2,
        hold_time: Duration::from_secs(9),
        keepalive: Duration::from_secs(3),
        connect_retry: Duration::from_secs(1),
        families: [Family::Ipv4Unicast].into(),
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: None,
        transport: Transport { hop_limit: Some(hop_limit), password: None },
        description: String::new(),
    };
    SpeakerConfig {
        asn: 65000 + u32::from(end),
        router_id,
        cluster_id: router_id,
        listen: Listen { port: 179, addresses: vec![] },
        graceful_restart: None,
        peers: [(address(other, ipv4), peer)].into(),
        vrfs: BTreeMap::new(),
        next_hop_tracking: false,
    }
}

/// A speaker in a thread that has entered its namespace; ends when dropped.
struct Running {
    ups: Receiver<()>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(end: u8, ipv4: bool, hop_limit: u8) -> Self {
        let (up, ups) = channel();
        let (end_sender, ended) = oneshot::channel();
        let story = async move {
            let (handle, mut events) = bgpd::spawn(config(end, ipv4, hop_limit)).unwrap();
            let listen = async {
                while let Some(event) = events.recv().await {
                    if matches!(event, Event::PeerUp { .. }) {
                        // The test may have seen enough.
                        let _ = up.send(());
                    }
                }
            };
            tokio::select! { () = listen => {}, _ = ended => {} }
            handle.shutdown(false).await.unwrap();
        };
        let thread = thread::spawn(move || {
            let namespace = File::open(format!("/run/netns/hops-{end}")).unwrap();
            nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(story);
        });
        Self { ups, end: Some(end_sender), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether a session comes up with these hop limits of the one that connects and the one that accepts.
fn comes_up(ipv4: bool, limits: [u8; 2]) -> bool {
    let [_accepts, connects] = [2, 1].map(|end: u8| Running::start(end, ipv4, limits[usize::from(end) - 1]));
    let patience = if limits == [2, 2] { PATIENCE } else { SILENCE };
    match connects.ups.recv_timeout(patience) {
        Ok(()) => true,
        Err(RecvTimeoutError::Timeout) => false,
        Err(RecvTimeoutError::Disconnected) => panic!("the speaker has ended"),
    }
}

#[test]
fn a_session_goes_as_far_as_both_ends_let_it() {
    let _network = Network::new();
    for ipv4 in [true, false] {
        for (limits, up) in [([1, 1], false), ([2, 1], false), ([1, 2], false), ([2, 2], true)] {
            assert_eq!(comes_up(ipv4, limits), up, "IPv4: {ipv4}, hop limits {limits:?}");
        }
    }
}
