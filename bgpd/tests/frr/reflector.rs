//! FRR as route reflector in a network namespace of its own, joined by a veth to the one that the speakers run in.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const REFLECTOR: &str = "session-rr";
pub(super) const SPEAKERS: &str = "session-pe";

const CONFIG: &str = "\
frr defaults traditional
hostname rr
router bgp 65000
 bgp router-id 10.99.0.1
 no bgp default ipv4-unicast
 neighbor PE peer-group
 neighbor PE remote-as 65000
 neighbor PE capability extended-nexthop
 neighbor PE timers connect 1
 neighbor fd00:99::2 peer-group PE
 neighbor fd00:99::3 peer-group PE
 neighbor fd00:99::4 peer-group PE
 address-family ipv4 vpn
  neighbor PE activate
  neighbor PE route-reflector-client
 exit-address-family
 address-family ipv6 vpn
  neighbor PE activate
  neighbor PE route-reflector-client
 exit-address-family
exit
";

/// Takes its namespaces and daemons away when dropped.
pub(super) struct Reflector;

impl Reflector {
    pub(super) fn start() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "network namespaces need root; run as root, or sudo -E make test"
        );
        let frr = Path::new("/usr/lib/frr/bgpd");
        assert!(frr.exists(), "{} is missing; install FRR (apt-get install frr)", frr.display());
        remove();
        let reflector = Self;
        for namespace in [REFLECTOR, SPEAKERS] {
            ip(&format!("netns add {namespace}"));
            ip(&format!("-n {namespace} link set lo up"));
        }
        ip(&format!("link add session-a netns {REFLECTOR} type veth peer name session-b netns {SPEAKERS}"));
        for (namespace, link, addresses) in
            [(REFLECTOR, "session-a", &["1"][..]), (SPEAKERS, "session-b", &["2", "3", "4", "5"][..])]
        {
            for host in addresses {
                ip(&format!("-n {namespace} addr add fd00:99::{host}/64 dev {link} nodad"));
            }
            ip(&format!("-n {namespace} link set {link} up"));
        }
        fs::create_dir_all(etc()).unwrap();
        fs::write(etc().join("frr.conf"), CONFIG).unwrap();
        fs::write(etc().join("vtysh.conf"), "").unwrap();
        run("install", &["-d", "-o", "frr", "-g", "frr", &format!("/run/frr/{REFLECTOR}")]);
        reflector.start_daemon("zebra");
        reflector.start_bgpd();
        reflector
    }

    pub(super) fn start_bgpd(&self) {
        self.start_daemon("bgpd");
        self.vtysh_file();
    }

    /// As a crash: no NOTIFICATION, the kernel closes the connections.
    pub(super) fn kill_bgpd(&self) {
        kill("bgpd");
    }

    pub(super) fn vtysh(&self, command: &str) -> String {
        run("vtysh", &["-N", REFLECTOR, "-c", command])
    }

    pub(super) fn configure(&self, lines: &[&str]) {
        let lines = lines.iter().flat_map(|line| ["-c", *line]);
        run(
            "vtysh",
            &["-N", REFLECTOR, "-c", "configure terminal"].into_iter().chain(lines).collect::<Vec<_>>(),
        );
    }

    fn vtysh_file(&self) {
        run("vtysh", &["-N", REFLECTOR, "-b"]);
    }

    /// It forks before it listens for vtysh.
    fn await_daemon(&self, daemon: &str) {
        let socket = format!("/run/frr/{REFLECTOR}/{daemon}.vty");
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "{daemon} does not answer at {socket}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn start_daemon(&self, daemon: &str) {
        let binary = format!("/usr/lib/frr/{daemon}");
        let pid = pid_file(daemon).display().to_string();
        let line = ["netns", "exec", REFLECTOR, &binary, "-N", REFLECTOR, "-d", "-i", &pid];
        run("ip", &line);
        self.await_daemon(daemon);
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        remove();
    }
}

fn remove() {
    ["bgpd", "zebra"].into_iter().for_each(kill);
    for namespace in [REFLECTOR, SPEAKERS] {
        // There is none before the first start.
        let _ = Command::new("ip").args(["netns", "del", namespace]).stderr(Stdio::null()).status();
    }
    let _ = fs::remove_dir_all(etc());
    let _ = fs::remove_dir_all(format!("/run/frr/{REFLECTOR}"));
}

fn kill(daemon: &str) {
    let Ok(pid) = fs::read_to_string(pid_file(daemon)) else { return };
    let Ok(pid) = pid.trim().parse() else { return };
    // A daemon that is gone already is what we want.
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    let _ = fs::remove_file(pid_file(daemon));
    thread::sleep(Duration::from_millis(200));
}

fn pid_file(daemon: &str) -> PathBuf {
    format!("/run/frr/{REFLECTOR}/{daemon}.pid").into()
}

fn etc() -> PathBuf {
    format!("/etc/frr/{REFLECTOR}").into()
}

fn ip(line: &str) {
    run("ip", &line.split(' ').collect::<Vec<_>>());
}

/// The daemons keep their output open, so it goes to a file and not through a pipe.
fn run(program: &str, arguments: &[&str]) -> String {
    let path = std::env::temp_dir().join(format!("session-frr-{}.out", std::process::id()));
    let file = fs::File::create(&path).unwrap();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let _ = fs::remove_file(&path);
    assert!(status.success(), "{program} {arguments:?}: {text}");
    text
}
