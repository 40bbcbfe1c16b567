//! A PE of two tenants with the programs loaded, in a network namespace of its own, and packets to put to it.
//!
//! | interface | duty | VRF | addresses of the PE |
//! |---|---|---|---|
//! | red1 | circuit | 1 | 10.1.0.1, 2001:db8:1::1 |
//! | red2 | circuit, MTU 1400 | 1 | none |
//! | blue1 | circuit | 2 | 10.1.0.1, 2001:db8:1::1 |
//! | core0 | core, MTU 1500 | | fc00:ff::1 |
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part, and none is an interface"
)]

pub mod packet;

use std::{
    collections::BTreeMap,
    mem::offset_of,
    net::{IpAddr, Ipv6Addr},
    process::Command,
};

use aya::{
    Ebpf, EbpfLoader, Pod, TestRun as _,
    maps::{
        Array, ArrayOfMaps, HashMap, LpmTrie, Map, MapData, PerCpuArray, PerCpuHashMap, RingBuf,
        lpm_trie::Key,
    },
    programs::{SchedClassifier, TestRunOptions},
};
use packet::{Ip, frame};
use srv6_dp::object::{OBJECT, flow_table};
use srv6_types::{
    Behavior, DropReason,
    maps::{
        CircuitEntry, DropEvent, DropKey, FibKey4, FibKey6, FlowEntry, FlowKey, HostKey, NextHopEntry,
        NodeConfig, SidEntry, Tally, VrfEntry, egress_counter, next_hop_kind as kind, service_counter,
        vrf_counter, vrf_flag,
    },
};

pub const RED: u32 = 1;
pub const BLUE: u32 = 2;
pub const HOST: [u8; 6] = [0x02, 0, 0, 0, 0xaa, 0x01];
pub const RED1_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
pub const CORE_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x09];
pub const NODE: &str = "fc00:0:1::";
pub const DT4: &str = "fc00:0:1:4::";
pub const DT6: &str = "fc00:0:1:6::";
pub const DT46: &str = "fc00:0:1:46::";
pub const UDT46: &str = "fc00:0:1:146::";
pub const REMOTE: &str = "fc00:0:2:46::";

/// TC_ACT_UNSPEC: the next program, and the kernel at last.
pub const NEXT: u32 = u32::MAX;
pub const SHOT: u32 = 2;
pub const REDIRECT: u32 = 7;

pub struct Pe {
    object: Ebpf,
    flows: BTreeMap<u32, HashMap<MapData, FlowKey, FlowEntry>>,
    next_hops: u32,
    pub red1: u32,
    pub red2: u32,
    pub blue1: u32,
    pub core0: u32,
}

/// What the program did to a packet.
pub struct Run {
    pub action: u32,
    pub frame: Vec<u8>,
    /// All drops so far, for messages.
    pub drops: Vec<(u32, &'static str, u64)>,
}

impl Run {
    pub fn ethertype(&self) -> u16 {
        u16::from_be_bytes([self.frame[12], self.frame[13]])
    }

    pub fn ip(&self) -> &[u8] {
        &self.frame[14..]
    }

    pub fn flow_label(&self) -> u32 {
        u32::from_be_bytes(self.frame[14..18].try_into().unwrap()) & 0xf_ffff
    }

    /// The packet went into the core as `expected`, whatever its flow label, which must not be zero.
    pub fn assert_encapsulated(&self, what: &str, expected: Ip) {
        assert_ne!(self.flow_label(), 0, "{what}: flow label");
        self.assert_sent(what, &Ip { flow_label: self.flow_label(), ..expected });
    }

    /// The packet went out as `expected`, octet by octet.
    pub fn assert_sent(&self, what: &str, expected: &Ip) {
        assert_eq!(self.action, REDIRECT, "{what}: action; dropped so far: {:?}", self.drops);
        let ethertype = if expected.source.is_ipv4() { 0x0800 } else { 0x86dd };
        assert_eq!(self.ethertype(), ethertype, "{what}: EtherType");
        assert_eq!(hex(self.ip()), hex(&expected.bytes()), "{what}: packet");
    }
}

fn hex(octets: &[u8]) -> String {
    octets
        .chunks(4)
        .map(|word| word.iter().map(|octet| format!("{octet:02x}")).collect::<String>() + " ")
        .collect()
}

impl Pe {
    pub fn new() -> Self {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .expect("packet tables need root, to load programs and to have a network namespace of their own");
        for line in INTERFACES.lines().filter(|line| !line.is_empty()) {
            run(line);
        }
        let index = |name: &str| nix::net::if_::if_nametoindex(name).unwrap();
        let (red1, red2, blue1, core0) = (index("red1"), index("red2"), index("blue1"), index("core0"));
        let mut pe = Self { object: load(), flows: BTreeMap::new(), next_hops: 0, red1, red2, blue1, core0 };
        pe.fill();
        pe
    }

    /// The programs loaded in the namespace that this thread is in, and nothing in the maps.
    pub fn bare() -> Self {
        Self { object: load(), flows: BTreeMap::new(), next_hops: 0, red1: 0, red2: 0, blue1: 0, core0: 0 }
    }

    pub fn attach(&mut self, program: &str, interface: &str) {
        let program: &mut SchedClassifier = self.object.program_mut(program).unwrap().try_into().unwrap();
        program.attach(interface, aya::programs::TcAttachType::Ingress).unwrap();
    }

    fn fill(&mut self) {
        let source = NODE.parse::<Ipv6Addr>().unwrap().octets();
        self.array("NODE", 0, NodeConfig { source, ..NodeConfig::default() });
        for id in [RED, BLUE] {
            self.vrf(id, vrf_flag::EXISTS, 0);
        }
        for (ifindex, vrf, mtu) in [(self.red1, RED, 1500), (self.red2, RED, 1400), (self.blue1, BLUE, 1500)]
        {
            let gateway = ifindex != self.red2;
            let circuit = CircuitEntry {
                vrf,
                mtu,
                gateway4: if gateway { [10, 1, 0, 1] } else { [0; 4] },
                mac: RED1_MAC,
                flags: 0,
                gateway6: if gateway { octets6("2001:db8:1::1") } else { [0; 16] },
                filter: 0,
                egress: 0,
                host_mac: [0; 6],
                reserved: [0; 2],
            };
            self.hash("CIRCUITS", ifindex, circuit);
        }
        let sids = [
            (DT4, Behavior::END_DT4),
            (DT6, Behavior::END_DT6),
            (DT46, Behavior::END_DT46),
            (UDT46, Behavior::END_DT46_NEXT),
            ("fc00:0:1:99::", Behavior::END_DX4),
        ];
        for (counter, (sid, Behavior(behavior))) in sids.into_iter().enumerate() {
            let entry = SidEntry {
                behavior: behavior.into(),
                vrf: RED,
                counter: counter as u32,
                flags: 0,
                egress: 0,
            };
            self.hash("SIDS", octets6(sid), entry);
        }
        self.trie("LOCATORS", 48, octets6("fc00:0:1::"), 1_u32);
        self.trie("DOMAIN", 32, octets6("fc00::"), 1_u32);
    }

    pub fn route(&mut self, vrf: u32, prefix: &str, next_hop: NextHopEntry) {
        self.next_hops += 1;
        let index = self.next_hops;
        self.array("NEXT_HOPS", index, next_hop);
        self.route_to_index(vrf, prefix, index);
        let (address, _) = prefix.split_once('/').unwrap();
        let (family, address) = family_and_octets(address.parse().unwrap());
        let key = HostKey { vrf, family, address };
        match next_hop.kind {
            kind::SERVICE | kind::EGRESS => self.hash("OWN", key, index),
            _ => self.remove("OWN", key),
        }
    }

    pub fn route_to_index(&mut self, vrf: u32, prefix: &str, index: u32) {
        let (address, length) = prefix.split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        let vrf = vrf.to_be_bytes();
        match address.parse().unwrap() {
            IpAddr::V4(address) => {
                self.trie("FIB4", 32 + length, FibKey4 { vrf, addr: address.octets() }, index);
            }
            IpAddr::V6(address) => {
                self.trie("FIB6", 32 + length, FibKey6 { vrf, addr: address.octets() }, index);
            }
        }
    }

    pub fn circuit(&mut self, ip: &Ip) -> Run {
        self.on_circuit(self.red1, ip)
    }

    pub fn on_circuit(&mut self, ifindex: u32, ip: &Ip) -> Run {
        let ethertype = if ip.source.is_ipv4() { 0x0800 } else { 0x86dd };
        self.run("circuit_ingress", ifindex, &frame(RED1_MAC, HOST, ethertype, &ip.bytes()), 0)
    }

    pub fn core(&mut self, ip: &Ip) -> Run {
        self.run("core_ingress", self.core0, &frame(CORE_MAC, HOST, 0x86dd, &ip.bytes()), 0)
    }

    /// Runs a program on a frame; `gso_size` as of a super-packet, or 0.
    pub fn run(&mut self, program: &str, ifindex: u32, frame: &[u8], gso_size: u32) -> Run {
        let mut context = [0_u8; 192];
        context[40..44].copy_from_slice(&ifindex.to_ne_bytes());
        context[176..180].copy_from_slice(&gso_size.to_ne_bytes());
        let mut out = vec![0; 4096];
        let program: &SchedClassifier = self.object.program(program).unwrap().try_into().unwrap();
        let result = program
            .test_run(TestRunOptions {
                data_in: Some(frame),
                data_out: Some(&mut out),
                ctx_in: Some(&context),
                ..TestRunOptions::default()
            })
            .unwrap();
        out.truncate(result.data_size_out as usize);
        Run { action: result.return_value, frame: out, drops: self.all_drops() }
    }

    pub fn all_drops(&mut self) -> Vec<(u32, &'static str, u64)> {
        let drops =
            PerCpuHashMap::<_, DropKey, u64>::try_from(self.object.map_mut("DROPS").unwrap()).unwrap();
        let entries = drops.iter().map(Result::unwrap);
        let word = |code| DropReason::from_code(code).map_or("?", DropReason::word);
        entries.map(|(key, cpus)| (key.vrf, word(key.reason), cpus.iter().sum())).collect()
    }

    /// The drops of IPv4 packets that were told one by one: VRF, reason, destination.
    pub fn events(&mut self) -> Vec<(u32, DropReason, [u8; 4])> {
        let mut ring = RingBuf::try_from(self.object.map_mut("EVENTS").unwrap()).unwrap();
        let mut told = vec![];
        while let Some(event) = ring.next() {
            let word = |at: usize| u32::from_ne_bytes(event[at..at + 4].try_into().unwrap());
            let destination = offset_of!(DropEvent, destination);
            let reason = DropReason::from_code(word(offset_of!(DropEvent, reason))).unwrap();
            told.push((
                word(offset_of!(DropEvent, vrf)),
                reason,
                event[destination..destination + 4].try_into().unwrap(),
            ));
        }
        told
    }

    /// How often a VRF has dropped for a reason.
    pub fn drops(&mut self, vrf: u32, reason: DropReason) -> u64 {
        let drops =
            PerCpuHashMap::<_, DropKey, u64>::try_from(self.object.map_mut("DROPS").unwrap()).unwrap();
        drops.get(&DropKey { vrf, reason: reason as u32 }, 0).map_or(0, |cpus| cpus.iter().sum())
    }

    /// Packets and octets of one of [`vrf_counter`].
    pub fn counter(&mut self, vrf: u32, counter: u32) -> (u64, u64) {
        self.tally("VRF_COUNTERS", vrf * vrf_counter::COUNT + counter)
    }

    pub fn sid_counter(&mut self, counter: u32) -> (u64, u64) {
        self.tally("SID_COUNTERS", counter)
    }

    pub fn tally(&mut self, map: &str, index: u32) -> (u64, u64) {
        let tallies = PerCpuArray::<_, Tally>::try_from(self.object.map_mut(map).unwrap()).unwrap();
        let cpus = tallies.get(&index, 0).unwrap();
        (cpus.iter().map(|tally| tally.packets).sum(), cpus.iter().map(|tally| tally.bytes).sum())
    }

    /// Packets and octets of one of [`service_counter`].
    pub fn service_counter(&mut self, service: u32, counter: u32) -> (u64, u64) {
        self.tally("SERVICE_COUNTERS", service * service_counter::COUNT + counter)
    }

    /// Packets of one of [`egress_counter`].
    pub fn egress_counter(&mut self, address: u32, counter: u32) -> u64 {
        self.tally("EGRESS_COUNTERS", address * egress_counter::COUNT + counter).0
    }

    /// Gives a VRF a flow table, and services.
    pub fn flow_table(&mut self, vrf: u32, entries: u32) {
        let table = MapData::from_fd(flow_table(entries).unwrap()).unwrap();
        let tables = self.object.map_mut("FLOWS").unwrap();
        ArrayOfMaps::<_, MapData>::try_from(tables).unwrap().set(vrf, &table, 0).unwrap();
        self.flows.insert(vrf, HashMap::try_from(Map::LruHashMap(table)).unwrap());
        self.vrf(vrf, vrf_flag::EXISTS | vrf_flag::SERVICES | vrf_flag::EGRESS, entries);
    }

    /// Forgets the flows of a VRF of one kind; returns how many.
    pub fn forget_flows(&mut self, vrf: u32, kind: u16) -> usize {
        let table = self.flows(vrf);
        let keys: Vec<_> = table.keys().map(Result::unwrap).filter(|key| key.kind == kind).collect();
        keys.iter().for_each(|key| table.remove(key).unwrap());
        keys.len()
    }

    /// The flow table of a VRF.
    pub fn flows(&mut self, vrf: u32) -> &mut HashMap<MapData, FlowKey, FlowEntry> {
        self.flows.get_mut(&vrf).unwrap()
    }

    /// Forgets all drops so far.
    pub fn forget_drops(&mut self) {
        let map = self.object.map_mut("DROPS").unwrap();
        let mut drops = PerCpuHashMap::<_, DropKey, u64>::try_from(map).unwrap();
        let keys: Vec<_> = drops.keys().map(Result::unwrap).collect();
        keys.iter().for_each(|key| drops.remove(key).unwrap());
    }

    /// What one packet from a circuit takes, nanoseconds.
    pub fn nanoseconds(&mut self, ifindex: u32, ip: &Ip) -> u128 {
        let ethertype = if ip.source.is_ipv4() { 0x0800 } else { 0x86dd };
        let mut context = [0_u8; 192];
        context[40..44].copy_from_slice(&ifindex.to_ne_bytes());
        let frame = frame(RED1_MAC, HOST, ethertype, &ip.bytes());
        let program: &SchedClassifier = self.object.program("circuit_ingress").unwrap().try_into().unwrap();
        let options =
            TestRunOptions { data_in: Some(&frame), ctx_in: Some(&context), ..TestRunOptions::default() };
        program.test_run(options).unwrap().duration.as_nanos()
    }

    /// Changes the entry of a circuit.
    pub fn change_circuit(&mut self, ifindex: u32, change: impl FnOnce(&mut CircuitEntry)) {
        let map = self.object.map_mut("CIRCUITS").unwrap();
        let mut circuits = HashMap::<_, u32, CircuitEntry>::try_from(map).unwrap();
        let mut entry = circuits.get(&ifindex, 0).unwrap();
        change(&mut entry);
        circuits.insert(ifindex, entry, 0).unwrap();
    }

    /// `flows` is the size of its flow table, 0 for none.
    pub fn vrf(&mut self, vrf: u32, flags: u32, flows: u32) {
        let (icmp_source4, icmp_source6) = ([10, 1, 0, 1], octets6("2001:db8:1::1"));
        self.array("VRFS", vrf, VrfEntry { flags, icmp_source4, icmp_source6, flows, reserved: 0 });
    }

    pub fn object(&mut self) -> &mut Ebpf {
        &mut self.object
    }

    pub fn array<V: Pod>(&mut self, map: &str, index: u32, value: V) {
        Array::<_, V>::try_from(self.object.map_mut(map).unwrap()).unwrap().set(index, value, 0).unwrap();
    }

    pub fn hash<K: Pod, V: Pod>(&mut self, map: &str, key: K, value: V) {
        let map = self.object.map_mut(map).unwrap();
        HashMap::<_, K, V>::try_from(map).unwrap().insert(key, value, 0).unwrap();
    }

    fn remove<K: Pod>(&mut self, map: &str, key: K) {
        let map = self.object.map_mut(map).unwrap();
        // It need not be there.
        let _ = HashMap::<_, K, u32>::try_from(map).unwrap().remove(&key);
    }

    pub fn trie<K: Pod, V: Pod>(&mut self, map: &str, length: u32, key: K, value: V) {
        let map = self.object.map_mut(map).unwrap();
        LpmTrie::<_, K, V>::try_from(map).unwrap().insert(&Key::new(length, key), value, 0).unwrap();
    }
}

pub fn load() -> Ebpf {
    let mut loader = EbpfLoader::new();
    for (map, entries) in [("NEXT_HOPS", 1024), ("VRFS", 64), ("VRF_COUNTERS", 64 * vrf_counter::COUNT)] {
        loader.map_max_entries(map, entries);
    }
    let mut object = loader.load(OBJECT).unwrap();
    for name in ["circuit_ingress", "circuit_egress", "core_ingress"] {
        let program: &mut SchedClassifier = object.program_mut(name).unwrap().try_into().unwrap();
        // The verifier gives up with EAGAIN when a signal is pending.
        while let Err(why) = program.load() {
            assert!(format!("{why:?}").contains("WouldBlock"), "{name}: {why:?}");
        }
    }
    object
}

const EMPTY: NextHopEntry = NextHopEntry {
    kind: kind::NONE,
    ifindex: 0,
    vrf: 0,
    address_family: 0,
    address: [0; 16],
    segment_count: 0,
    reserved: 0,
    segments: [[0; 16]; 4],
};

fn family_and_octets(address: IpAddr) -> (u32, [u8; 16]) {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            (4, octets)
        }
        IpAddr::V6(address) => (6, address.octets()),
    }
}

pub fn encapsulate(kind: u32, path: &[&str]) -> NextHopEntry {
    let mut segments = [[0; 16]; 4];
    for (at, segment) in path.iter().enumerate() {
        segments[at] = octets6(segment);
    }
    NextHopEntry { kind, segment_count: path.len() as u32, segments, ..EMPTY }
}

pub fn gateway(ifindex: u32, address: &str) -> NextHopEntry {
    let (address_family, address) = match address.parse().unwrap() {
        IpAddr::V4(address) => (4, [&address.octets()[..], &[0; 12]].concat().try_into().unwrap()),
        IpAddr::V6(address) => (6, address.octets()),
    };
    NextHopEntry { kind: kind::GATEWAY, ifindex, address_family, address, ..EMPTY }
}

pub fn on(kind: u32, ifindex: u32) -> NextHopEntry {
    NextHopEntry { kind, ifindex, ..EMPTY }
}

pub fn leak(vrf: u32) -> NextHopEntry {
    NextHopEntry { kind: kind::VRF, vrf, ..EMPTY }
}

pub fn octets6(address: &str) -> [u8; 16] {
    address.parse::<Ipv6Addr>().unwrap().octets()
}

/// Runs one command line in the namespace of this thread.
pub fn run(line: &str) {
    let mut words = line.split_whitespace();
    let status = Command::new(words.next().unwrap()).args(words).status().unwrap();
    assert!(status.success(), "{line}: {status}");
}

const INTERFACES: &str = "
ip link set lo up
sysctl -qw net.ipv6.conf.all.forwarding=1
ip link add red1 address 02:00:00:00:00:01 type veth peer name far-red1
ip link add red2 address 02:00:00:00:00:01 mtu 1400 type veth peer name far-red2
ip link add blue1 address 02:00:00:00:00:01 type veth peer name far-blue1
ip link add core0 address 02:00:00:00:00:09 type veth peer name far-core0
ip link set red1 up
ip link set red2 up
ip link set blue1 up
ip link set core0 up
ip link set far-core0 up
ip addr add fc00:ff::1/64 dev core0 nodad
ip -6 route add fc00:0:2::/48 via fc00:ff::2 dev core0
ip -6 route add fc00:0:3::/48 via fc00:ff::2 dev core0 mtu lock 1300
";
