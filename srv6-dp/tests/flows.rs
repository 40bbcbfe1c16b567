//! What a VRF remembers of flows outlives processes and maps, and nothing else. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration, time::Instant};

use aya::maps::{HashMap, Map, MapData};
use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane,
    ebpf::{Opened, Options, Sizes},
    model::{FlowKind, FlowState, IfIndex, TrackedFlow, Vrf},
};
use srv6_types::{
    VrfId,
    maps::{FlowEntry, FlowKey, flow_kind, flow_state},
};

const RED: VrfId = VrfId(1);
const BLUE: VrfId = VrfId(2);
const TCP: u8 = 6;
const UDP: u8 = 17;

fn open(lab: &Lab) -> EbpfDataplane {
    EbpfDataplane::open(&lab.options()).unwrap()
}

fn set(dataplane: &mut EbpfDataplane, vrf: VrfId, flows: Option<u32>) {
    dataplane.apply(&Change::SetVrf(vrf, Vrf { flows, ..Vrf::default() })).unwrap();
}

/// The table as the programs of the maps in force see it.
fn table(lab: &Lab, vrf: VrfId) -> HashMap<MapData, FlowKey, FlowEntry> {
    let outer = MapData::from_pin(lab.options().pin_dir.join("maps/FLOWS")).unwrap();
    let outer = aya::maps::ArrayOfMaps::<MapData>::try_from(Map::ArrayOfMaps(outer)).unwrap();
    HashMap::try_from(Map::LruHashMap(outer.get(&vrf.0, 0).unwrap())).unwrap()
}

fn pin(lab: &Lab, vrf: VrfId) -> std::path::PathBuf {
    lab.options().pin_dir.join(format!("flows/v1-44-40/{vrf}"))
}

#[allow(unsafe_code, reason = "reads the clock of the programs")]
fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is ours to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap()
}

fn octets(address: [u8; 4]) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[..4].copy_from_slice(&address);
    octets
}

fn ports(source: u16, destination: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
    [a, b, c, d]
}

/// A client's flow to a VIP, told apart by the client.
fn key(client: u32) -> FlowKey {
    FlowKey {
        source: octets(Ipv4Addr::from(0x0a00_0000 + client).octets()),
        destination: octets([10, 100, 0, 1]),
        ports: ports(40_000, 80),
        scope: 0,
        protocol: UDP,
        family: 4,
        kind: flow_kind::BALANCED,
    }
}

fn entry(seen: u64) -> FlowEntry {
    FlowEntry {
        address: octets([10, 1, 0, 2]),
        ports: ports(40_000, 8080),
        target: 7,
        generation: 3,
        state: flow_state::ESTABLISHED,
        seen,
    }
}

fn remember(lab: &Lab, vrf: VrfId, clients: impl IntoIterator<Item = u32>) {
    let (mut table, now) = (table(lab, vrf), now());
    clients.into_iter().for_each(|client| table.insert(key(client), entry(now), 0).unwrap());
}

fn clients(dataplane: &EbpfDataplane, vrf: VrfId) -> BTreeSet<u32> {
    let flows = dataplane.flows(vrf, usize::MAX).unwrap();
    let client = |flow: TrackedFlow| match flow.source.ip() {
        std::net::IpAddr::V4(address) => u32::from(address) - 0x0a00_0000,
        std::net::IpAddr::V6(_) => panic!("{flow:?}"),
    };
    flows.into_iter().map(client).collect()
}

#[test]
fn a_flow_survives_the_process_and_maps_of_another_layout() {
    let lab = Lab::new();
    let mut first = open(&lab);
    set(&mut first, RED, Some(64));
    remember(&lab, RED, [1]);
    drop(first);
    let second = open(&lab);
    assert_eq!(*second.opened(), Opened::Adopted);
    assert_eq!(clients(&second, RED), [1].into());
    assert_eq!(table(&lab, RED).get(&key(1), 0).unwrap().target, 7);
    drop(second);

    let larger = Options { sizes: Sizes { vrfs: 32, ..lab.options().sizes }, ..lab.options() };
    let mut staged = EbpfDataplane::open(&larger).unwrap();
    assert!(matches!(staged.opened(), Opened::Staged { .. }), "{:?}", staged.opened());
    set(&mut staged, RED, Some(64));
    // The old programs are in force, and both see what comes meanwhile.
    remember(&lab, RED, [2]);
    assert_eq!(clients(&staged, RED), [1, 2].into());
    staged.commit().unwrap();
    drop(staged);
    let last = EbpfDataplane::open(&larger).unwrap();
    assert_eq!(*last.opened(), Opened::Adopted);
    assert_eq!(clients(&last, RED), [1, 2].into());
    assert_eq!(table(&lab, RED).get(&key(1), 0).unwrap().generation, 3);
}

#[test]
fn tenants_with_equal_addresses_have_tables_of_their_own() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(64));
    set(&mut dataplane, BLUE, Some(64));
    remember(&lab, RED, [1, 2]);
    remember(&lab, BLUE, [2]);
    assert_eq!((clients(&dataplane, RED), clients(&dataplane, BLUE)), ([1, 2].into(), [2].into()));
    // A flood of one takes its own flows only.
    remember(&lab, RED, 3..1000);
    assert!(clients(&dataplane, RED).len() <= 64);
    assert_eq!(clients(&dataplane, BLUE), [2].into());
}

#[test]
fn the_next_tenant_of_a_vrf_id_sees_no_flow_of_the_last() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(64));
    remember(&lab, RED, [1]);
    dataplane.apply(&Change::RemoveVrf(RED)).unwrap();
    assert!(!pin(&lab, RED).exists());
    set(&mut dataplane, RED, Some(64));
    assert_eq!(clients(&dataplane, RED), [].into());

    // Without a table, what there was is forgotten as well.
    remember(&lab, RED, [1]);
    set(&mut dataplane, RED, None);
    assert!(!pin(&lab, RED).exists());
    assert_eq!(clients(&dataplane, RED), [].into());
    set(&mut dataplane, RED, Some(64));
    assert_eq!(clients(&dataplane, RED), [].into());
}

/// Whether it died before the VRF was gone or after.
#[test]
fn a_process_that_died_while_it_removed_a_vrf_leaves_no_flow() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(64));
    set(&mut dataplane, BLUE, Some(64));
    remember(&lab, RED, [1]);
    remember(&lab, BLUE, [1]);
    drop(dataplane);
    std::fs::remove_file(pin(&lab, RED)).unwrap();
    let vrfs = MapData::from_pin(lab.options().pin_dir.join("maps/VRFS")).unwrap();
    let mut vrfs = aya::maps::Array::<_, [u32; 8]>::try_from(Map::Array(vrfs)).unwrap();
    vrfs.set(BLUE.0, [0; 8], 0).unwrap();

    let mut dataplane = open(&lab);
    assert_eq!(dataplane.observe().unwrap().vrfs[&RED].flows, Some(64));
    assert_eq!(clients(&dataplane, RED), [].into());
    assert!(pin(&lab, RED).exists() && !pin(&lab, BLUE).exists());
    set(&mut dataplane, BLUE, Some(64));
    assert_eq!(clients(&dataplane, BLUE), [].into());
}

#[test]
fn a_table_of_another_size_takes_the_flows_over_that_were_used_last() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(1024));
    let (mut before, now) = (table(&lab, RED), now());
    for client in 1..=500 {
        before.insert(key(client), entry(now - u64::from(client) * 100_000_000), 0).unwrap();
    }
    before.insert(key(1000), entry(now.saturating_sub(301_000_000_000)), 0).unwrap();
    set(&mut dataplane, RED, Some(4096));
    assert_eq!(clients(&dataplane, RED), (1..=500).collect());
    assert_eq!(table(&lab, RED).keys().count(), 500, "what has expired is not taken over");
    set(&mut dataplane, RED, Some(100));
    let left = clients(&dataplane, RED);
    assert!(left.len() > 50 && left.iter().all(|client| *client <= 100), "{left:?}");
    drop(dataplane);
    assert_eq!(clients(&open(&lab), RED), left);
}

#[test]
fn flows_are_shown_in_the_words_of_the_model() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(1024));
    let (mut map, now) = (table(&lab, RED), now());
    let seen = now - 2_000_000_000;
    let with = |kind| FlowKey { kind, protocol: TCP, scope: 9, ..key(1) };
    for kind in flow_kind::BALANCED..=flow_kind::FRAGMENT {
        map.insert(with(kind), entry(seen), 0).unwrap();
    }
    map.insert(FlowKey { kind: 99, ..key(1) }, entry(seen), 0).unwrap();
    map.insert(FlowKey { protocol: UDP, ..key(2) }, entry(now.saturating_sub(301_000_000_000)), 0).unwrap();

    let mut flows = dataplane.flows(RED, usize::MAX).unwrap();
    flows.sort_by_key(|flow| flow.kind.word());
    let address = |text: &str| text.parse().unwrap();
    let kinds: Vec<_> = flows.iter().map(|flow| flow.kind).collect();
    assert_eq!(
        kinds,
        [
            FlowKind::Admitted(IfIndex(9)),
            FlowKind::Balanced { backend: address("10.1.0.2:8080"), port: 40_000 },
            FlowKind::Fragment(40_000, 8080),
            FlowKind::Inbound(address("10.1.0.2:8080")),
            FlowKind::Outbound(40_000),
            FlowKind::Reply { vip: address("10.1.0.2:40000"), port: 8080 },
        ],
        "not the one without a service to say how long, nor unknown or expired ones"
    );
    let balanced = flows[1];
    assert_eq!(
        (balanced.source, balanced.destination),
        (address("10.0.0.1:40000"), address("10.100.0.1:80"))
    );
    assert_eq!((balanced.protocol, balanced.state), (TCP, FlowState::Established));
    assert!(
        balanced.idle >= Duration::from_secs(1) && balanced.idle < Duration::from_secs(10),
        "{balanced:?}"
    );
    assert_eq!(dataplane.flows(RED, 2).unwrap().len(), 2);
    assert_eq!(
        dataplane.flows(BLUE, 2).unwrap_err().to_string(),
        "reading the flows of VRF 2: VRF 2 does not exist: set the VRF before what refers to it"
    );
}

#[test]
fn a_hundred_thousand_flows_are_read_at_once() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(131_072));
    remember(&lab, RED, 0..100_000);
    let start = Instant::now();
    assert_eq!(dataplane.flows(RED, usize::MAX).unwrap().len(), 100_000);
    println!("100,000 flows read in {:?}", start.elapsed());
    let start = Instant::now();
    set(&mut dataplane, RED, Some(200_000));
    println!("100,000 flows taken over in {:?}", start.elapsed());
    assert_eq!(dataplane.flows(RED, usize::MAX).unwrap().len(), 100_000);
}

#[test]
fn nothing_is_left_of_a_dismantled_dataplane() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    set(&mut dataplane, RED, Some(64));
    dataplane.dismantle().unwrap();
    assert!(!lab.options().pin_dir.exists());
}
