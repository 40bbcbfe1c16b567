//! Egress addresses and policies in pinned maps: over a restart, over circuits that come and go, and while they change. Needs
//! root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use aya::maps::{HashMap, LpmTrie, Map, MapData, lpm_trie::Key};
use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    model::{Circuit, EgressAddress, EgressPolicy, IfIndex, LocalSid, NextHop, SidRole, Vrf},
};
use srv6_types::{
    Behavior, Sid, VrfId,
    maps::{CircuitEntry, FibKey4, HostKey},
};

const RED: VrfId = VrfId(1);
const BLUE: VrfId = VrfId(2);
const PORTS: EgressAddress = EgressAddress { first_port: 1024, block_size: 128, blocks: 504 };

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn sid(function: u16) -> Sid {
    std::net::Ipv6Addr::new(0xfc00, 0, 1, function, 0, 0, 0, 0).into()
}

fn policy(sources: &[&str], circuits: &[IfIndex], except: &[&str]) -> EgressPolicy {
    let nets = |prefixes: &[&str]| prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
    EgressPolicy {
        rank: 0,
        sources: nets(sources),
        circuits: circuits.iter().copied().collect(),
        destinations: nets(&["0.0.0.0/0"]),
        exceptions: nets(except),
        addresses: vec![address(7)],
    }
}

fn circuit(vrf: VrfId) -> Circuit {
    Circuit {
        vrf,
        mtu: 1500,
        mac: [2, 0, 0, 0, 0, 1],
        gateway4: None,
        gateway6: None,
        filter: None,
        proxy: false,
        probes: false,
        strict: false,
        host_mac: None,
    }
}

/// Both tenants with the same addresses.
fn state() -> State {
    let mut state = State::default();
    for vrf in [RED, BLUE] {
        state.vrfs.insert(vrf, Vrf { flows: Some(1024), egress: true, ..Vrf::default() });
        for last in [7, 8, 9] {
            state.egress_addresses.insert((vrf, address(last)), PORTS);
            state.routes.insert((vrf, address(last).into()), NextHop::Egress);
            let role = SidRole::Egress(address(last));
            let local = LocalSid { behavior: Behavior::END_DT46, vrf, role };
            state.sids.insert(sid(vrf.0 as u16 * 16 + u16::from(last)), local);
        }
        state
            .egress_policies
            .insert((vrf, "internet".into()), policy(&["10.1.0.0/16"], &[], &["10.0.0.0/8"]));
    }
    state
}

fn reach(dataplane: &mut EbpfDataplane, wanted: &State) {
    let changes = Change::between(&dataplane.observe().unwrap(), wanted);
    dataplane.apply_all(&changes).unwrap();
    assert_eq!(dataplane.observe().unwrap(), *wanted);
}

fn open(lab: &Lab) -> EbpfDataplane {
    EbpfDataplane::open(&lab.options()).unwrap()
}

fn pinned<M: TryFrom<Map>>(lab: &Lab, name: &str, kind: fn(MapData) -> Map) -> M {
    pinned_at(lab.options().pin_dir.join("maps").join(name), kind)
}

fn pinned_at<M: TryFrom<Map>>(path: PathBuf, kind: fn(MapData) -> Map) -> M {
    let Ok(map) = M::try_from(kind(MapData::from_pin(path).unwrap())) else { panic!("another type") };
    map
}

fn indices(lab: &Lab) -> BTreeMap<(u32, [u8; 16]), u32> {
    let index: HashMap<_, HostKey, u32> = pinned(lab, "EGRESS_INDEX", Map::HashMap);
    index.iter().map(|entry| entry.unwrap()).map(|(key, index)| ((key.vrf, key.address), index)).collect()
}

fn class_of(lab: &Lab, interface: IfIndex) -> u32 {
    let circuits: HashMap<_, u32, CircuitEntry> = pinned(lab, "CIRCUITS", Map::HashMap);
    circuits.get(&interface.0, 0).unwrap().egress
}

fn veth(lab: &Lab, name: &str) -> IfIndex {
    lab.ip(&format!("link add {name} type veth peer name {name}-peer"));
    lab.index(name)
}

#[test]
fn addresses_keep_their_indices_over_a_restart_and_give_them_to_one_at_a_time() {
    let lab = Lab::new();
    let mut wanted = state();
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &wanted);
    let before = indices(&lab);
    assert_eq!(before.len(), 6);
    drop(dataplane);

    let mut dataplane = open(&lab);
    assert_eq!(dataplane.observe().unwrap(), wanted);
    assert_eq!(indices(&lab), before);
    // One goes and another comes: the rest stays where SIDs and backends look for it.
    let gone = (RED, address(8));
    wanted.egress_addresses.remove(&gone);
    wanted.routes.remove(&(RED, address(8).into()));
    wanted.sids.remove(&sid(16 + 8));
    wanted.egress_addresses.insert((RED, address(20)), PORTS);
    reach(&mut dataplane, &wanted);
    let after = indices(&lab);
    let stayed = before.iter().filter(|(key, _)| after.contains_key(*key)).count();
    assert_eq!(stayed, 5);
    assert!(before.iter().all(|(key, index)| after.get(key).is_none_or(|now| now == index)));
    let distinct: std::collections::BTreeSet<_> = after.values().collect();
    assert_eq!(distinct.len(), 6);
    let counters = dataplane.counters().unwrap().egress_addresses;
    assert_eq!(counters.keys().collect::<Vec<_>>(), wanted.egress_addresses.keys().collect::<Vec<_>>());
}

#[test]
fn a_policy_may_come_before_its_circuit_and_stays_when_that_is_set_again() {
    let lab = Lab::new();
    let (red, blue) = (veth(&lab, "ac0"), veth(&lab, "ac1"));
    let mut dataplane = open(&lab);
    let mut wanted = state();
    let key = (RED, "internet".to_owned());
    // That of another tenant's circuit is of no use, but no harm.
    wanted.egress_policies.insert(key.clone(), policy(&[], &[red, blue], &[]));
    reach(&mut dataplane, &wanted);
    wanted.circuits = [(red, circuit(RED)), (blue, circuit(BLUE))].into();
    reach(&mut dataplane, &wanted);
    let class = class_of(&lab, red);
    assert_ne!(class, 0);
    assert_eq!(class_of(&lab, blue), 0);

    wanted.circuits.insert(red, Circuit { mtu: 1400, ..circuit(RED) });
    reach(&mut dataplane, &wanted);
    assert_eq!(class_of(&lab, red), class);
    drop(dataplane);
    let mut dataplane = open(&lab);
    assert_eq!(class_of(&lab, red), class);
    dataplane.apply(&Change::RemoveEgressPolicy(key)).unwrap();
    assert_eq!(class_of(&lab, red), 0);
}

/// What the lookups say of a host of red that every version of the policy holds; by its address, for it has no circuit.
struct Watch {
    sources: LpmTrie<MapData, FibKey4, u32>,
    destinations: LpmTrie<MapData, FibKey4, u32>,
}

impl Watch {
    fn class(&self) -> u32 {
        let key = FibKey4 { vrf: RED.0.to_be_bytes(), addr: [10, 1, 2, 3] };
        self.sources.get(&Key::new(64, key), 0).unwrap_or(0)
    }

    /// A class may go when no packet is on its way: here one looks again where it went between two looks.
    fn is_held(&self) -> bool {
        let class = self.class();
        let key = FibKey4 { vrf: class.to_be_bytes(), addr: [203, 0, 113, 9] };
        let policy = self.destinations.get(&Key::new(64, key), 0).unwrap_or(0);
        policy != 0 || class != 0 && self.class() != class
    }
}

#[test]
fn what_a_policy_holds_before_and_after_is_held_in_between() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &state());
    let trie = |name| pinned(&lab, name, Map::LpmTrie);
    let watch = Watch { sources: trie("EGRESS_SOURCES4"), destinations: trie("EGRESS_DESTINATIONS4") };
    let done = AtomicBool::new(false);
    let versions = [
        policy(&["10.1.0.0/16"], &[], &["10.0.0.0/8"]),
        policy(&["10.0.0.0/8"], &[], &[]),
        policy(&["10.1.2.0/24", "10.1.0.0/16"], &[], &["192.168.0.0/16"]),
        policy(&["10.1.2.3/32"], &[], &["10.0.0.0/8", "203.0.112.0/24"]),
    ];
    // Around the host as well, but not around where it sends to: nobody may fall to it.
    let mut other = policy(&["10.1.0.0/17"], &[], &[]);
    other.destinations = ["10.0.0.0/8".parse().unwrap()].into();
    dataplane.apply(&Change::SetEgressPolicy((RED, "other".into()), other)).unwrap();
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                assert!(watch.is_held(), "not held at look {looks}");
                looks += 1;
            }
            looks
        });
        for round in 0..200 {
            let version = versions[(round * 7 + round / 4) % 4].clone();
            dataplane.apply(&Change::SetEgressPolicy((RED, "internet".into()), version)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let looks: u64 = looks.join().unwrap();
        assert!(looks > 1000, "{looks}");
    });
}

#[test]
fn what_the_maps_cannot_hold_is_refused_by_name() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &state());
    let mut refused = |change: Change| dataplane.apply(&change).unwrap_err().to_string();
    let role = SidRole::Egress(address(99));
    let error = refused(Change::SetSid(sid(1), LocalSid { behavior: Behavior::END_DT46, vrf: RED, role }));
    assert!(error.contains("VRF 1 has no egress address 192.0.2.99"), "{error}");
    let error = refused(Change::SetEgressAddress((RED, address(7)), EgressAddress { blocks: 505, ..PORTS }));
    assert!(error.contains("505 blocks of 128 ports from port 1024"), "{error}");
    let long = "x".repeat(32);
    let error = refused(Change::SetEgressPolicy((RED, long), policy(&[], &[], &[])));
    assert!(error.contains("keep to 31 octets"), "{error}");
    let many = EgressPolicy { addresses: (1..6).map(address).collect(), ..policy(&[], &[], &[]) };
    let error = refused(Change::SetEgressPolicy((RED, "many".into()), many));
    assert!(error.contains("up to 4 addresses of each family"), "{error}");
    assert_eq!(dataplane.observe().unwrap(), state());
}
