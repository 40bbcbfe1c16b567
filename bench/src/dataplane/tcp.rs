//! TCP through two PEs with the sender's segmentation offload: host, PE, PE, host, on veth, all cores.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    thread::sleep,
    time::{Duration, Instant},
};

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use nix::net::if_::if_nametoindex;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Options as Open, Sizes},
    model::{Circuit, IfIndex, LocalSid, NextHop, SidRole, Vrf},
};
use srv6_types::{Behavior, Sid};

use super::{
    DataplaneBenchError as Error, device,
    subjects::{VRF, ipnet},
};
use crate::{
    folder::Folder,
    namespace::{Daemon, Namespace},
    statistics::{median, median_ratio},
};

/// Options.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each way is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
}

/// Who the two PEs are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forwarding,
    Kernel,
    Sixedge,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Forwarding, "plain kernel forwarding"),
    (Way::Kernel, "kernel encap.red and End.DX4"),
    (Way::Sixedge, "sixedge H.Encaps.Red and End.DT46"),
];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let chains = WAYS.iter().map(|(way, _)| Chain::new(*way, folder)).collect::<Result<Vec<_>, _>>()?;
    let mut samples = vec![Vec::new(); chains.len()];
    for _ in 0..options.rounds {
        for (chain, samples) in chains.iter().zip(&mut samples) {
            samples.push(chain.throughput(options.seconds)?);
        }
    }
    println!("\nTCP, one flow, sender's offloads on, MTU 1500 at the hosts and 1600 in the core\n");
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["two PEs", "Gbit/s, best", "Gbit/s, median", "median of ratios to plain forwarding"]);
    for ((_, name), mine) in WAYS.iter().zip(&samples) {
        let best = mine.iter().copied().fold(0.0, f64::max);
        table.add_row([
            (*name).to_owned(),
            format!("{best:.2}"),
            format!("{:.2}", median(mine)),
            format!("{:.2}", median_ratio(mine, &samples[0])),
        ]);
    }
    println!("{table}");
    Ok(())
}

/// Host 1, PE 1, PE 2, host 2. Host n is 10.n.0.2, its PE 10.n.0.1, on the core fd00:c::n; PE n has the locator fc00:0:n::/48.
struct Chain {
    hosts: [Namespace; 2],
    _edges: [Namespace; 2],
    _server: Daemon,
    _dataplanes: Vec<EbpfDataplane>,
}

impl Chain {
    fn new(way: Way, folder: &Folder) -> Result<Self, Error> {
        let name = |role: &str, n: usize| Namespace::new(&format!("tcp{}-{role}{n}", way as usize));
        let (hosts, edges) = ([name("host", 1)?, name("host", 2)?], [name("pe", 1)?, name("pe", 2)?]);
        let (one, two) = (edges[0].name(), edges[1].name());
        edges[0].script(&format!(
            "ip link add core0 mtu 1600 netns {one} type veth peer name core0 mtu 1600 netns {two}"
        ))?;
        let mut dataplanes = Vec::new();
        for (n, (host, edge)) in (1..).zip(hosts.iter().zip(&edges)) {
            connect(n, host, edge)?;
            match way {
                Way::Forwarding => edge.script(&forwarding(n))?,
                Way::Kernel => edge.script(&kernel(n))?,
                Way::Sixedge => dataplanes.push(edge.enter(|| sixedge(n, way, folder))??),
            }
        }
        let server = hosts[1].daemon("iperf3 -s")?;
        let chain = Self { hosts, _edges: edges, _server: server, _dataplanes: dataplanes };
        chain.wait()?;
        Ok(chain)
    }

    /// Until host 2 answers: neighbours and the server need a moment.
    fn wait(&self) -> Result<(), Error> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match self.throughput(1) {
                Err(_) if Instant::now() < end => sleep(Duration::from_millis(200)),
                answer => return answer.map(drop),
            }
        }
    }

    /// Gigabits per second.
    fn throughput(&self, seconds: u32) -> Result<f64, Error> {
        let text = self.hosts[0].run(&format!("iperf3 -c 10.2.0.2 -t {seconds} -J"))?;
        let report: serde_json::Value = serde_json::from_str(&text).map_err(Error::ebpf)?;
        let bits = report["end"]["sum_received"]["bits_per_second"].as_f64();
        let said = || Error::Iperf(format!("{}: {}", self.hosts[0].name(), report["error"]));
        bits.map(|bits| bits / 1e9).ok_or_else(said)
    }
}

fn connect(n: usize, host: &Namespace, edge: &Namespace) -> Result<(), Error> {
    let (inside, outside) = (host.name(), edge.name());
    edge.script(&format!(
        "ip link add ac0 netns {outside} type veth peer name eth0 netns {inside}
         sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
         sysctl -qw net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.core0.seg6_enabled=1 net.ipv4.conf.core0.rp_filter=0
         ip link set ac0 up
         ip link set core0 up
         ip address add 10.{n}.0.1/24 dev ac0
         ip -6 address add fd00:c::{n}/64 dev core0 nodad
         ip -6 route add fc00:0:{other}::/48 via fd00:c::{other}",
        other = 3 - n
    ))?;
    host.script(&format!(
        "ip link set eth0 up
         ip address add 10.{n}.0.2/24 dev eth0
         ip route add default via 10.{n}.0.1"
    ))?;
    Ok(())
}

fn forwarding(n: usize) -> String {
    let other = 3 - n;
    format!(
        "ip address add 10.99.0.{n}/24 dev core0
         ip route add 10.{other}.0.0/24 via 10.99.0.{other}"
    )
}

fn kernel(n: usize) -> String {
    let other = 3 - n;
    format!(
        "ip sr tunsrc set fd00:c::{n}
         ip route add 10.{other}.0.0/24 encap seg6 mode encap.red segs fc00:0:{other}:46:: dev core0 mtu 1500
         ip -6 route add fc00:0:{n}:46::/128 encap seg6local action End.DX4 nh4 10.{n}.0.2 dev ac0"
    )
}

fn sixedge(n: usize, way: Way, folder: &Folder) -> Result<EbpfDataplane, Error> {
    let index = |name: &str| if_nametoindex(name).map(IfIndex).map_err(Error::ebpf);
    let (circuit, core) = (index("ac0")?, index("core0")?);
    let n = n as u16;
    let sid = |n: u16| Sid::from(Ipv6Addr::new(0xfc00, 0, n, 0x46, 0, 0, 0, 0));
    let subnet = |n: u16| ipnet(IpAddr::V4(Ipv4Addr::new(10, n as u8, 0, 0)), 24);
    let mut wanted = State { core: [core].into(), ..State::default() };
    wanted.node.source = Some(Ipv6Addr::new(0xfd00, 0xc, 0, 0, 0, 0, 0, n));
    wanted.vrfs.insert(VRF, Vrf::default());
    let gateway = Ipv4Addr::new(10, n as u8, 0, 1);
    wanted.routes.insert((VRF, ipnet(gateway.into(), 32)), NextHop::Local { interface: Some(circuit) });
    let entry = Circuit { gateway4: Some(gateway), ..device::circuit(VRF, mac_of("ac0")?) };
    wanted.circuits.insert(circuit, entry);
    wanted.sids.insert(sid(n), LocalSid { behavior: Behavior::END_DT46, vrf: VRF, role: SidRole::Deliver });
    wanted.routes.insert((VRF, subnet(n)), NextHop::Connected { interface: circuit });
    let far = NextHop::Encapsulate { segments: vec![sid(3 - n)], reduced: true };
    wanted.routes.insert((VRF, subnet(3 - n)), far);
    let sizes = Sizes { routes: 1024, next_hops: 64, circuits: 64, sids: 64, vrfs: 16, ..Sizes::default() };
    let pin_dir = folder.bpffs().join(format!("tcp{}-pe{n}", way as usize));
    let mut dataplane =
        EbpfDataplane::open(&Open { pin_dir, sizes, ..Open::default() }).map_err(Error::ebpf)?;
    dataplane.apply_all(&Change::between(&State::default(), &wanted)).map_err(Error::ebpf)?;
    Ok(dataplane)
}

/// From `ip`, for sysfs shows another namespace.
fn mac_of(interface: &str) -> Result<[u8; 6], Error> {
    let text = crate::namespace::run(
        std::process::Command::new("ip").args(["-j", "link", "show", "dev", interface]),
    )?;
    let links: serde_json::Value = serde_json::from_str(&text).map_err(Error::ebpf)?;
    let mut octets =
        links[0]["address"].as_str().unwrap_or_default().split(':').map(|o| u8::from_str_radix(o, 16));
    let mut mac = [0; 6];
    for octet in &mut mac {
        *octet = octets.next().and_then(Result::ok).ok_or(Error::Missing("a MAC address"))?;
    }
    Ok(mac)
}
