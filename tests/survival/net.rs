//! `containerlab/l3vpn.clab.yml` under a name of its own, with configurations that the test may change.

use std::{
    fs::{self, File},
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use lab::{Lab, Node, Signal, wait_until};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use crate::{config::Config, flood::Flood};

/// For what takes a second or two on a machine that does nothing else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What each host of the topology is called and how it is reached; site 2 is the other end.
pub(crate) const SITE2_V4: &str = "10.0.2.2";
pub(crate) const SITE2_V6: &str = "fd00:2::2";

/// The lab, and the folder that its files are in; both go with the value.
pub(crate) struct Net {
    lab: Lab,
    name: String,
    files: Files,
}

/// A copy of `containerlab/`.
struct Files(PathBuf);

impl Net {
    /// Up, with all sessions, and with both tenants' sites reaching each other.
    pub(crate) fn up(name: &str) -> Self {
        let name = format!("survival-{name}");
        let files = Files::copy(&name);
        let lab = Lab::up_as(files.0.join("l3vpn.clab.yml"), &name).unwrap_or_else(|error| panic!("{error}"));
        let net = Self { lab, name, files };
        for tenant in ["red", "blue"] {
            net.await_reachable(tenant);
        }
        net
    }

    pub(crate) fn node(&self, name: &str) -> Node<'_> {
        self.lab.node(name)
    }

    /// As `ip netns` has it.
    pub(crate) fn namespace(&self, node: &str) -> String {
        format!("clab-{}-{node}", self.name)
    }

    /// What is in the file of a PE.
    pub(crate) fn config(&self, pe: &str) -> Config {
        Config::parse(&fs::read_to_string(self.config_path(pe)).unwrap())
    }

    /// Writes the file of a PE; its agent, if it runs, finds out by itself.
    pub(crate) fn write(&self, pe: &str, config: &Config) {
        self.write_text(pe, &config.to_string());
    }

    pub(crate) fn write_text(&self, pe: &str, text: &str) {
        // In place: it is this file that is bound into the node.
        fs::write(self.config_path(pe), text).unwrap();
    }

    /// Writes the file of a PE and waits until its agent has taken it over.
    pub(crate) fn reload(&self, pe: &str, config: &Config) {
        let before = self.taken_over(pe);
        self.write(pe, config);
        self.until(pe, "the agent takes the configuration over", || self.taken_over(pe) > before);
    }

    /// How often the agent has taken over a configuration.
    pub(crate) fn taken_over(&self, pe: &str) -> usize {
        self.node(pe).logs().matches("configuration taken over").count()
    }

    fn config_path(&self, pe: &str) -> PathBuf {
        self.files.0.join(format!("l3vpn/{pe}.yaml"))
    }

    /// What `sixedge show` answers; `None` when there is no agent, or no such thing.
    pub(crate) fn try_show(&self, pe: &str, words: &str) -> Option<Value> {
        let command = ["sixedge", "show", "--json"].into_iter().chain(words.split_whitespace());
        let output = self.node(pe).run(command);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    #[track_caller]
    pub(crate) fn show(&self, pe: &str, words: &str) -> Value {
        self.try_show(pe, words)
            .unwrap_or_else(|| panic!("{pe}: no answer to show {words}\n{}", self.log(pe)))
    }

    /// The VRF's own numbers: id, route distinguisher, SIDs.
    #[track_caller]
    pub(crate) fn numbers(&self, pe: &str, vrf: &str) -> Vec<String> {
        let vrf = &self.show(pe, &format!("vrf {vrf}"))["vrfs"][0];
        let sids = vrf["sids"].as_array().unwrap().iter().map(|sid| sid["sid"].to_string());
        [vrf["id"].to_string(), vrf["rd"].to_string()].into_iter().chain(sids).collect()
    }

    /// The VRF's route, if there is one; of several the best.
    pub(crate) fn route(&self, pe: &str, vrf: &str, prefix: &str) -> Option<Value> {
        let routes = self.try_show(pe, &format!("vrf {vrf} routes"))?;
        let mut routes = routes["routes"].as_array().unwrap().clone();
        routes.retain(|route| route["prefix"] == prefix);
        routes.into_iter().next()
    }

    /// Learnt from BGP and not stale.
    pub(crate) fn has_fresh(&self, pe: &str, vrf: &str, prefix: &str) -> bool {
        let fresh = |route: &Value| {
            route["source"] == "internalBgp" && route["programmed"] == true && route["stale"] == false
        };
        self.route(pe, vrf, prefix).as_ref().is_some_and(fresh)
    }

    /// The neighbor in `show bgp summary`.
    pub(crate) fn neighbor(&self, pe: &str, address: &str) -> Option<Value> {
        let summary = self.try_show(pe, "bgp summary")?;
        summary["neighbors"].as_array().unwrap().iter().find(|n| n["address"] == address).cloned()
    }

    pub(crate) fn established(&self, pe: &str, address: &str) -> bool {
        self.neighbor(pe, address).is_some_and(|neighbor| neighbor["state"] == "Established")
    }

    /// The route reflector's paths of a prefix, one for each route distinguisher.
    pub(crate) fn at_reflector(&self, prefix: &str) -> Vec<Value> {
        let table = self.vtysh("show bgp ipv4 vpn json");
        // There is no such key while there is no route at all.
        let by_rd = table["routes"]["routeDistinguishers"].as_object();
        let paths =
            by_rd.into_iter().flat_map(|by_rd| by_rd.values()).filter_map(|routes| routes[prefix].as_array());
        paths.flatten().cloned().collect()
    }

    pub(crate) fn stale_at_reflector(&self, prefix: &str) -> Vec<bool> {
        self.at_reflector(prefix).iter().map(|path| path["stale"] == true).collect()
    }

    /// How often the route reflector had a session with a PE.
    pub(crate) fn sessions_at_reflector(&self, address: &str) -> u64 {
        let neighbor = &self.vtysh(&format!("show bgp neighbors {address} json"))[address];
        neighbor["connectionsEstablished"].as_u64().unwrap()
    }

    /// VPNv4 routes that the route reflector has advertised to a PE.
    pub(crate) fn sent_by_reflector(&self, address: &str) -> usize {
        let summary = self.vtysh("show bgp ipv4 vpn summary json");
        let sent = summary["peers"][address]["pfxSnt"].as_u64();
        sent.map_or(0, |sent| usize::try_from(sent).unwrap())
    }

    fn vtysh(&self, command: &str) -> Value {
        serde_json::from_str(&self.node("rr").check(["vtysh", "-c", command])).unwrap()
    }

    /// Runs `ip` with these words in a node.
    #[track_caller]
    pub(crate) fn ip(&self, node: &str, words: &str) {
        self.node(node).check(["ip"].into_iter().chain(words.split_whitespace()));
    }

    /// Makes the circuit between eth3 of pe1 and blue's host of site 1 anew, as another interface of the same name.
    pub(crate) fn make_blue_circuit(&self) {
        let (pe, ce) = (self.namespace("pe1"), self.namespace("blue-ce1"));
        let link = format!("link add eth3 mtu 1500 netns {pe} type veth peer eth1 mtu 1500 netns {ce}");
        assert!(Command::new("ip").args(link.split_whitespace()).status().unwrap().success());
        self.ip("pe1", "link set eth3 up");
        for words in [
            "link set eth1 up",
            "address add 10.0.1.2/24 dev eth1",
            "address add fd00:1::2/64 dev eth1 nodad",
            "route add 10.0.0.0/8 via 10.0.1.1",
            "route add fd00::/16 via fd00:1::1",
        ] {
            self.ip("blue-ce1", words);
        }
    }

    /// Waits; when it was in vain, fails with what the PE's agent wrote.
    #[track_caller]
    pub(crate) fn until(&self, pe: &str, what: &str, condition: impl FnMut() -> bool) {
        assert!(wait_until(PATIENCE, condition), "in vain: {what}\n{}", self.log(pe));
    }

    /// Site 1 of a tenant reaches its site 2, by both families.
    #[track_caller]
    pub(crate) fn await_reachable(&self, tenant: &str) {
        for address in [SITE2_V4, SITE2_V6] {
            let what = format!("{tenant} reaches {address}");
            self.until("pe1", &what, || self.reaches(&format!("{tenant}-ce1"), address));
        }
    }

    pub(crate) fn reaches(&self, from: &str, address: &str) -> bool {
        self.node(from).run(["ping", "-n", "-q", "-c1", "-W1", address]).status.success()
    }

    /// Both families, from a tenant's site 1 to its site 2.
    pub(crate) fn floods(&self, tenant: &'static str) -> [Flood<'_>; 2] {
        let flood = |address| Flood::start(self, &format!("{tenant}-ce1"), &format!("{tenant}-ce2"), address);
        [SITE2_V4, SITE2_V6].map(flood)
    }

    /// Echo requests that a host's kernel has seen.
    pub(crate) fn echoes(&self, node: &str, family: IpAddr) -> u64 {
        match family {
            IpAddr::V4(_) => in_echos4(&self.node(node).check(["cat", "/proc/net/snmp"])),
            IpAddr::V6(_) => in_echos6(&self.node(node).check(["cat", "/proc/net/snmp6"])),
        }
    }

    /// kill -9: the agent is gone when this returns.
    pub(crate) fn kill(&self, pe: &str) {
        self.node(pe).kill_main(Signal::SIGKILL).unwrap();
    }

    /// A new agent; returns when BGP has told it all and it has taken away what nobody confirmed.
    #[track_caller]
    pub(crate) fn start(&self, pe: &str) {
        let starts = self.swept(pe).len();
        self.node(pe).start_main().unwrap();
        self.until(pe, "the new agent sweeps", || self.swept(pe).len() > starts);
        assert!(self.established(pe, RR), "BGP cannot have told it all");
    }

    #[track_caller]
    pub(crate) fn await_session(&self, pe: &str) {
        self.until(pe, "the session with rr is up", || self.established(pe, RR));
    }

    /// Says how many unconfirmed routes the agent has taken away after each start.
    pub(crate) fn swept(&self, pe: &str) -> Vec<usize> {
        let log = self.node(pe).logs();
        let lines = log.lines().filter(|line| line.contains("nobody confirmed"));
        let removed = lines.map(|line| line.rsplit_once("removed=").unwrap().1.trim().parse().unwrap());
        removed.collect()
    }

    fn log(&self, pe: &str) -> String {
        format!("log of {pe}:\n{}", self.node(pe).logs())
    }
}

/// Address of pe1, where the core knows it.
pub(crate) const PE1: &str = "fd00:ff::1";
/// Address of the route reflector.
pub(crate) const RR: &str = "fd00:ff::9";

fn in_echos4(snmp: &str) -> u64 {
    let mut icmp = snmp.lines().filter(|line| line.starts_with("Icmp:")).map(str::split_whitespace);
    let (names, values) = (icmp.next().unwrap(), icmp.next().unwrap());
    names.zip(values).find(|(name, _)| *name == "InEchos").unwrap().1.parse().unwrap()
}

fn in_echos6(snmp6: &str) -> u64 {
    snmp6.lines().find_map(|line| line.strip_prefix("Icmp6InEchos")).unwrap().trim().parse().unwrap()
}

/// Opens something in a network namespace, where it stays.
pub(crate) fn in_namespace<T: Send>(name: &str, open: impl FnOnce() -> T + Send) -> T {
    let path = Path::new("/run/netns").join(name);
    let enter_and_open = || {
        setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
        open()
    };
    // The namespace is the thread's, and goes with it.
    thread::scope(|scope| scope.spawn(enter_and_open).join().unwrap())
}

impl Files {
    fn copy(name: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("containerlab");
        let to = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(to.join("l3vpn")).unwrap();
        for file in ["l3vpn.clab.yml", "l3vpn/pe1.yaml", "l3vpn/pe2.yaml", "l3vpn/rr.conf", "l3vpn/daemons"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
        Self(to)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
