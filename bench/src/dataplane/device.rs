//! A device under test: a namespace between the generator's and the sink's, that forwards from `in0` to `out0`.

use std::{fs, path::PathBuf, time::Duration};

use aya::Ebpf;
use nix::net::if_::if_nametoindex;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Options, Sizes},
    model::{Circuit, IfIndex},
};

use super::{
    DataplaneBenchError as Error,
    frames::{GENERATOR_MAC, IN_MAC, OUT_MAC, SINK_MAC, Side},
    generator::{self, Generator},
};
use crate::{folder::Folder, namespace::Namespace};

/// The two ends that all devices share.
pub(crate) struct Ends {
    generator: Namespace,
    sink: Namespace,
}

impl Ends {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { generator: Namespace::new("generator")?, sink: Namespace::new("sink")? })
    }

    fn at(&self, side: Side) -> &Namespace {
        match side {
            Side::Near => &self.generator,
            Side::Far => &self.sink,
        }
    }
}

/// Where the underlay leads, and how the device is reached from both sides.
const SET_UP: &str = "
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
sysctl -qw net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.in0.seg6_enabled=1 net.ipv4.conf.in0.rp_filter=0
ip link set in0 up
ip link set out0 up
ethtool -K in0 gro on
ethtool -K out0 gro on
ip address add 10.1.0.1/24 dev in0
ip address add 10.2.0.1/24 dev out0
ip -6 address add 2001:db8:1::1/64 dev in0 nodad
ip -6 address add fd00:c::1/64 dev out0 nodad
ip sr tunsrc set fd00:c::1
ip -6 route add fc00:0:2::/48 via fd00:c::2
";

/// A device under test with its links.
pub(crate) struct Device {
    pub(crate) namespace: Namespace,
    number: usize,
    /// The sinks' programs, and the device's where it is the bare redirect.
    programs: Vec<Ebpf>,
    dataplane: Option<EbpfDataplane>,
    /// Where its maps are pinned.
    pins: PathBuf,
}

/// Flows would outlive the device.
impl Drop for Device {
    fn drop(&mut self) {
        self.dataplane = None;
        let _never_there = fs::remove_dir_all(&self.pins);
    }
}

impl Device {
    pub(crate) fn new(ends: &Ends, number: usize) -> Result<Self, Error> {
        let namespace = Namespace::new(&format!("device-{number}"))?;
        let (generator, sink, here) = (ends.generator.name(), ends.sink.name(), namespace.name());
        let [near_mac, in_mac, out_mac, far_mac] = [GENERATOR_MAC, IN_MAC, OUT_MAC, SINK_MAC].map(mac);
        namespace.script(&format!(
            "ip link add g{number} address {near_mac} netns {generator} type veth peer name in0 address {in_mac} netns {here}
             ip link add s{number} address {far_mac} netns {sink} type veth peer name out0 address {out_mac} netns {here}"
        ))?;
        ends.generator.run(&format!("ip link set g{number} up"))?;
        ends.sink.run(&format!("ip link set s{number} up"))?;
        namespace.script(SET_UP)?;
        namespace.script(&format!(
            "ip neighbor add 10.1.0.2 lladdr {near_mac} dev in0 nud permanent
             ip neighbor add 2001:db8:1::2 lladdr {near_mac} dev in0 nud permanent
             ip neighbor add 10.2.0.2 lladdr {far_mac} dev out0 nud permanent
             ip neighbor add fd00:c::2 lladdr {far_mac} dev out0 nud permanent"
        ))?;
        let mut device =
            Self { namespace, number, programs: Vec::new(), dataplane: None, pins: PathBuf::new() };
        for side in [Side::Near, Side::Far] {
            let sink = ends.at(side).enter(|| generator::attach("sink", &device.interface(side), 0))??;
            device.programs.push(sink);
        }
        Ok(device)
    }

    /// Makes the device the bare redirect.
    pub(crate) fn redirect(&mut self) -> Result<(), Error> {
        let program = self.namespace.enter(|| generator::attach("redirect", "in0", index("out0")?))??;
        self.programs.push(program);
        Ok(())
    }

    /// Makes the device a PE of ours, with what `fill` says beyond the interfaces.
    pub(crate) fn provider_edge(
        &mut self,
        folder: &Folder,
        fill: impl FnOnce(&mut State, Interfaces) + Send,
    ) -> Result<(), Error> {
        self.pins = folder.bpffs().join(format!("device-{}", self.number));
        let pin_dir = self.pins.clone();
        let sizes = Sizes {
            routes: 1_000_000,
            next_hops: 1024,
            circuits: 64,
            sids: 64,
            vrfs: 16,
            ..Sizes::default()
        };
        self.dataplane = Some(self.namespace.enter(|| {
            let options = Options { pin_dir, sizes, ..Options::default() };
            let mut dataplane = EbpfDataplane::open(&options).map_err(Error::ebpf)?;
            let interfaces = Interfaces { inward: IfIndex(index("in0")?), outward: IfIndex(index("out0")?) };
            let mut wanted = State::default();
            fill(&mut wanted, interfaces);
            let changes = Change::between(&State::default(), &wanted);
            dataplane.apply_all(&changes).map_err(Error::ebpf)?;
            Ok::<_, Error>(dataplane)
        })??);
        Ok(())
    }

    pub(crate) fn dataplane(&mut self) -> Option<&mut EbpfDataplane> {
        self.dataplane.as_mut()
    }

    /// Sends `packets` through the device; nanoseconds of CPU for each. All have to come out.
    pub(crate) fn measure(
        &self,
        ends: &Ends,
        traffic: &Generator,
        packets: u32,
        subject: &str,
    ) -> Result<f64, Error> {
        let before = self.delivered(ends, traffic.from)?;
        let time = self.send(ends, traffic, packets)?;
        let delivered = self.delivered(ends, traffic.from)? - before;
        let sent = u64::from(packets);
        // Neighbour discovery and the like may add a few.
        if delivered < sent || delivered > sent + 100 {
            return Err(Error::Lost { subject: subject.to_owned(), sent, delivered, why: self.why() });
        }
        Ok(time.as_nanos() as f64 / delivered as f64)
    }

    /// Sends `packets` to the device, whatever becomes of them; the CPU time.
    pub(crate) fn send(&self, ends: &Ends, traffic: &Generator, packets: u32) -> Result<Duration, Error> {
        let interface = self.interface(traffic.from);
        ends.at(traffic.from).enter(|| traffic.send(index(&interface)?, packets))?
    }

    /// Name of the interface at an end.
    fn interface(&self, side: Side) -> String {
        let letter = match side {
            Side::Near => 'g',
            Side::Far => 's',
        };
        format!("{letter}{}", self.number)
    }

    /// What the other end has received.
    fn delivered(&self, ends: &Ends, from: Side) -> Result<u64, Error> {
        let to = match from {
            Side::Near => Side::Far,
            Side::Far => Side::Near,
        };
        let read = || fs::read_to_string("/proc/thread-self/net/dev");
        let text = ends.at(to).enter(read)?.map_err(Error::ebpf)?;
        let name = format!("{}:", self.interface(to));
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(&name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .ok_or(Error::Missing("the sink's counter"))
    }

    fn why(&self) -> String {
        match self.dataplane.as_ref().map(Dataplane::counters) {
            Some(Ok(counters)) => format!("drops: {:?}", counters.drops),
            Some(Err(error)) => error.to_string(),
            None => self.namespace.run("nstat -as").unwrap_or_else(|error| error.to_string()),
        }
    }
}

/// The device's interfaces.
#[derive(Clone, Copy)]
pub(crate) struct Interfaces {
    pub(crate) inward: IfIndex,
    pub(crate) outward: IfIndex,
}

/// An interface of a device as a circuit.
pub(crate) fn circuit(vrf: srv6_types::VrfId, mac: [u8; 6]) -> Circuit {
    Circuit {
        vrf,
        mtu: 1500,
        mac,
        gateway4: None,
        gateway6: None,
        filter: None,
        proxy: false,
        probes: false,
        strict: false,
        host_mac: None,
    }
}

fn index(name: &str) -> Result<u32, Error> {
    if_nametoindex(name).map_err(Error::ebpf)
}

fn mac(octets: [u8; 6]) -> String {
    octets.map(|octet| format!("{octet:02x}")).join(":")
}
