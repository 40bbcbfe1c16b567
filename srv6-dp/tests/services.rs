//! Services in the maps: what flows know of a service stays with it. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, PerCpuValues};
use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Opened, Options, Sizes},
    model::{Backend, FlowKind, Node, Reach, Service, ServiceId, Tally, Transport, Vrf},
};
use srv6_types::{
    VrfId,
    maps::{
        BackendEntry, FlowEntry, FlowKey, MaglevRow, MaglevTable, ServiceEntry, ServiceKey, backend_flag,
        flow_kind, service_counter,
    },
};

const RED: VrfId = VrfId(1);

fn open(lab: &Lab) -> EbpfDataplane {
    let mut dataplane = EbpfDataplane::open(&lab.options()).unwrap();
    dataplane.apply(&Change::SetVrf(RED, Vrf::default())).unwrap();
    dataplane
}

fn id(number: u32) -> ServiceId {
    let address = Ipv4Addr::from(0x0a64_0000 + number).into();
    ServiceId { vrf: RED, address, transport: Transport::Tcp, port: 80 }
}

const HERE: Backend = Backend { weight: 1, reach: Reach::Here };
const DIRECT: Backend = Backend { weight: 1, reach: Reach::Direct };
const DRAINING: Backend = Backend { weight: 0, reach: Reach::Here };

/// A service with these backends by the last octets of their addresses.
fn service(backends: &[(u16, Backend)]) -> Service {
    let at = |number: u16| (Ipv4Addr::from(0x0a01_0000 + u32::from(number)).into(), 8080);
    let backends = backends.iter().map(|(number, backend)| (at(*number), *backend)).collect();
    Service { backends, ..Service::default() }
}

fn map(lab: &Lab, name: &str) -> MapData {
    MapData::from_pin(lab.options().pin_dir.join("maps").join(name)).unwrap()
}

fn live_backends(lab: &Lab) -> BTreeMap<u32, BackendEntry> {
    let backends = Array::<_, BackendEntry>::try_from(Map::Array(map(lab, "BACKENDS"))).unwrap();
    let entries = (0..).zip(backends.iter().map(Result::unwrap));
    entries.filter(|(_, entry)| entry.flags & backend_flag::LIVE != 0).collect()
}

/// Slot and generation by the last octet of the address: what flows know of a backend.
fn identities(lab: &Lab) -> BTreeMap<u8, (u32, u32)> {
    live_backends(lab).into_iter().map(|(slot, entry)| (entry.address[3], (slot, entry.generation))).collect()
}

fn entry(lab: &Lab) -> ServiceEntry {
    let services =
        HashMap::<_, ServiceKey, ServiceEntry>::try_from(Map::HashMap(map(lab, "SERVICES"))).unwrap();
    let entries: Vec<_> = services.iter().map(|entry| entry.unwrap().1).collect();
    let [entry] = entries[..] else { panic!("{entries:?}") };
    entry
}

/// The last octets of the backends in a table, as the programs find them.
fn in_table(lab: &Lab, table: MaglevTable) -> BTreeSet<u8> {
    let rows = Array::<_, MaglevRow>::try_from(Map::Array(map(lab, "MAGLEV"))).unwrap();
    let backends = live_backends(lab);
    let slot = |at: u32| rows.get(&(table.row + at / 64), 0).unwrap()[at as usize % 64];
    (0..table.size).map(|at| backends[&slot(at)].address[3]).collect()
}

#[test]
fn tables_hold_ready_backends_and_those_here_apart() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let wanted = service(&[(1, HERE), (2, DIRECT), (3, DRAINING), (4, HERE)]);
    dataplane.apply(&Change::SetService(id(1), wanted)).unwrap();
    assert_eq!(identities(&lab).keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(in_table(&lab, entry(&lab).all), [1, 2, 4].into());
    assert_eq!(in_table(&lab, entry(&lab).here), [1, 4].into());
    dataplane.apply(&Change::SetService(id(1), service(&[(3, DRAINING)]))).unwrap();
    assert_eq!((entry(&lab).all.size, entry(&lab).here.size), (0, 0));
    assert_eq!(
        identities(&lab).keys().copied().collect::<Vec<_>>(),
        [3],
        "draining, it takes the flows it has"
    );
}

#[test]
fn a_backend_keeps_its_slot_as_long_as_the_service_has_it() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let set = |dataplane: &mut EbpfDataplane, backends: &[(u16, Backend)]| {
        dataplane.apply(&Change::SetService(id(1), service(backends))).unwrap();
        identities(&lab)
    };
    let first = set(&mut dataplane, &[(1, HERE), (2, HERE)]);
    let heavier = Backend { weight: 5, reach: Reach::Direct };
    let second = set(&mut dataplane, &[(1, heavier), (2, DRAINING), (3, HERE)]);
    assert_eq!((second[&1], second[&2]), (first[&1], first[&2]));
    let third = set(&mut dataplane, &[(1, HERE)]);
    assert_eq!(third, [(1, first[&1])].into());
    drop(dataplane);

    let mut dataplane = open(&lab);
    assert_eq!(identities(&lab), third);
    // Of 256 slots each is used again, and never as the one it was.
    let mut before = BTreeSet::from_iter(first.values().chain(second.values()).copied());
    for _ in 0..300 {
        let now = set(&mut dataplane, &[(1, HERE), (2, HERE)]);
        assert_eq!(now[&1], first[&1]);
        assert!(before.insert(now[&2]), "{:?} was another's", now[&2]);
        set(&mut dataplane, &[(1, HERE)]);
    }
}

/// With it the flows stay valid: they survive an upgrade that changes maps.
#[test]
fn a_backend_keeps_its_slot_also_in_maps_of_another_layout() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    for number in 0..9u16 {
        let backends = service(&[(10 * number, HERE), (10 * number + 1, HERE)]);
        dataplane.apply(&Change::SetService(id(number.into()), backends)).unwrap();
    }
    // Says of which layout the maps are.
    let node = Node { source: Some(std::net::Ipv6Addr::LOCALHOST), ..Node::default() };
    dataplane.apply(&Change::SetNode(node)).unwrap();
    let before = identities(&lab);
    drop(dataplane);
    let larger = Options { sizes: Sizes { services: 128, ..lab.options().sizes }, ..lab.options() };
    let mut staged = EbpfDataplane::open(&larger).unwrap();
    assert!(matches!(staged.opened(), Opened::Staged { .. }), "{:?}", staged.opened());
    staged.apply(&Change::SetVrf(RED, Vrf::default())).unwrap();
    staged.apply(&Change::SetService(id(100), service(&[(200, HERE)]))).unwrap();
    for number in (1..9u16).rev() {
        let backends = service(&[(10 * number, HERE), (10 * number + 2, HERE)]);
        staged.apply(&Change::SetService(id(number.into()), backends)).unwrap();
    }
    staged.commit().unwrap();
    let after = identities(&lab);
    for (octet, identity) in &after {
        let kept = octet % 10 == 0 && *octet != 200;
        let same = before.get(octet) == Some(identity);
        let was_anothers = before.values().any(|old| old == identity);
        assert_eq!((same, was_anothers), (kept, kept), "{octet}: {identity:?} of {before:?}");
    }
    assert_eq!(after.len(), 17);
    // The slots that nobody has taken again are free: all can be used.
    let rest = (0..256 - 17).map(|number| (1000 + number, DRAINING)).collect::<Vec<_>>();
    staged.apply(&Change::SetService(id(50), service(&rest))).unwrap();
    assert_eq!(staged.observe().unwrap().services.len(), 10);
}

#[test]
fn a_service_with_torn_tables_is_set_again() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let wanted = service(&[(1, HERE), (2, DIRECT)]);
    dataplane.apply(&Change::SetService(id(1), wanted.clone())).unwrap();
    let state = dataplane.observe().unwrap();
    assert_eq!(state.services[&id(1)], wanted);
    let mut rows = Array::<_, MaglevRow>::try_from(Map::Array(map(&lab, "MAGLEV"))).unwrap();
    rows.set(entry(&lab).all.row, [0; 64], 0).unwrap();
    for reopen in [false, true] {
        if reopen {
            drop(dataplane);
            dataplane = open(&lab);
        }
        let observed = dataplane.observe().unwrap();
        assert_eq!(observed.services[&id(1)], Service::default());
        if reopen {
            dataplane.apply_all(&Change::between(&observed, &state)).unwrap();
        }
    }
    assert_eq!(dataplane.observe().unwrap(), state);
    assert_eq!(identities(&lab).len(), 2);
}

#[test]
fn a_full_map_is_named_with_its_setting_and_nothing_leaks() {
    let lab = Lab::new();
    let sizes = Sizes { maglev_rows: 512, ..lab.options().sizes };
    let mut dataplane = EbpfDataplane::open(&Options { sizes, ..lab.options() }).unwrap();
    dataplane.apply(&Change::SetVrf(RED, Vrf::default())).unwrap();
    let many = |services: std::ops::Range<u32>, backends: u16| -> Vec<_> {
        let backends: Vec<_> = (0..backends).map(|number| (number, HERE)).collect();
        services.map(|number| Change::SetService(id(number), service(&backends))).collect()
    };
    let full = |dataplane: &mut EbpfDataplane, changes: &[Change], what: &str| {
        let error = dataplane.apply_all(changes).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert_eq!(dataplane.observe().unwrap().services, BTreeMap::new());
        assert_eq!(live_backends(&lab), BTreeMap::new());
    };
    for _ in 0..3 {
        full(&mut dataplane, &many(0..65, 1), "map SERVICES is full at 64 entries: raise sizes.services");
        full(&mut dataplane, &many(0..1, 257), "map BACKENDS is full at 256 entries: raise sizes.backends");
        full(&mut dataplane, &many(0..9, 27), "map MAGLEV is full at 512 entries: raise sizes.maglev_rows");
        dataplane.apply_all(&many(0..64, 4)).unwrap();
        assert_eq!(live_backends(&lab).len(), 256);
        let gone: Vec<_> = (0..64).map(|number| Change::RemoveService(id(number))).collect();
        dataplane.apply_all(&gone).unwrap();
    }
}

#[test]
fn counters_begin_at_zero_for_the_next_service() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let set = |dataplane: &mut EbpfDataplane, number| {
        dataplane.apply(&Change::SetService(id(number), service(&[(1, HERE)]))).unwrap();
        let mut counters = PerCpuArray::<_, srv6_types::maps::Tally>::try_from(Map::PerCpuArray(map(
            &lab,
            "SERVICE_COUNTERS",
        )))
        .unwrap();
        let counted = dataplane.counters().unwrap().services[&id(number)];
        for which in 0..service_counter::COUNT {
            let tally = srv6_types::maps::Tally { packets: u64::from(which) + 1, bytes: 100 };
            let cpus = aya::util::nr_cpus().unwrap();
            let values =
                PerCpuValues::try_from([vec![tally], vec![Default::default(); cpus - 1]].concat()).unwrap();
            counters.set(entry(&lab).counter * service_counter::COUNT + which, values, 0).unwrap();
        }
        counted
    };
    for number in 0..100 {
        assert_eq!(set(&mut dataplane, number), Default::default(), "service {number}");
        let counted = dataplane.counters().unwrap().services[&id(number)];
        let tally = |packets| Tally { packets, bytes: 100 };
        assert_eq!(
            [counted.forwarded, counted.replies, counted.flows, counted.refused],
            [1, 2, 3, 4].map(tally)
        );
        dataplane.apply(&Change::RemoveService(id(number))).unwrap();
    }
}

#[test]
fn flows_name_the_backend_that_they_have() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let flows = |dataplane: &EbpfDataplane| {
        let mut flows = dataplane.flows(RED, 10).unwrap();
        flows.sort_by_key(|flow| flow.kind.word());
        flows.into_iter().map(|flow| flow.kind).collect::<Vec<_>>()
    };
    dataplane.apply(&Change::SetVrf(RED, Vrf { flows: Some(64), ..Vrf::default() })).unwrap();
    let sticky =
        Service { affinity: Some(Duration::from_secs(86_400)), ..service(&[(1, HERE), (2, DIRECT)]) };
    dataplane.apply(&Change::SetService(id(1), sticky.clone())).unwrap();

    let (slot, generation) = identities(&lab)[&2];
    let octets = |address: [u8; 4]| std::array::from_fn(|at| address.get(at).copied().unwrap_or(0));
    let affinity = FlowKey {
        source: octets([10, 0, 0, 1]),
        destination: octets([10, 100, 0, 1]),
        ports: [0, 0, 0, 80],
        scope: 0,
        protocol: Transport::Tcp.number(),
        family: 4,
        kind: flow_kind::AFFINITY,
    };
    let balanced = FlowKey { ports: [0x80, 0, 0, 80], kind: flow_kind::BALANCED, ..affinity };
    let entry = FlowEntry {
        address: octets([10, 1, 0, 2]),
        ports: balanced.ports,
        target: slot,
        generation,
        // As if it were now.
        seen: u64::MAX,
        ..FlowEntry::default()
    };
    let table = MapData::from_pin(lab.options().pin_dir.join("flows/v1-44-40/1")).unwrap();
    let mut table = HashMap::<_, FlowKey, FlowEntry>::try_from(Map::LruHashMap(table)).unwrap();
    table.insert(affinity, entry, 0).unwrap();
    table.insert(balanced, entry, 0).unwrap();
    let backend = "10.1.0.2:8080".parse().unwrap();
    let known = [FlowKind::Affinity(Some(backend)), FlowKind::Balanced { backend, port: 0x8000 }];
    assert_eq!(flows(&dataplane), known);

    let without = Service { backends: service(&[(1, HERE)]).backends, ..sticky };
    dataplane.apply(&Change::SetService(id(1), without)).unwrap();
    let gone = [
        FlowKind::Affinity(None),
        FlowKind::Balanced { backend: "10.1.0.2:80".parse().unwrap(), port: 0x8000 },
    ];
    assert_eq!(flows(&dataplane), gone);
    dataplane.apply(&Change::RemoveService(id(1))).unwrap();
    assert_eq!(flows(&dataplane), gone[1..], "nobody says how long it counts");
}

#[test]
fn what_translates_to_a_missing_egress_address_is_refused() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let far = Backend { weight: 1, reach: Reach::Translated(Ipv4Addr::new(192, 0, 2, 7).into()) };
    let error = dataplane.apply(&Change::SetService(id(1), service(&[(1, far)]))).unwrap_err().to_string();
    assert_eq!(
        error,
        "set service TCP 10.100.0.1:80 of VRF 1: VRF 1 has no egress address 192.0.2.7: set it before what translates to it"
    );
}

#[test]
fn ten_thousand_services() {
    let lab = Lab::new();
    let Sizes { services, backends, maglev_rows, .. } = Sizes::default();
    let sizes = Sizes { services, backends, maglev_rows, ..lab.options().sizes };
    let options = Options { sizes, ..lab.options() };
    let mut dataplane = EbpfDataplane::open(&options).unwrap();
    let mut wanted = State::default();
    wanted.vrfs.insert(RED, Vrf { services: true, ..Vrf::default() });
    for number in 0..10_000 {
        wanted.services.insert(id(number), service(&[(1, HERE), (2, HERE), (3, DIRECT)]));
    }
    let timed = |what: &str, start: Instant| println!("10,000 services {what} in {:?}", start.elapsed());
    let start = Instant::now();
    dataplane.apply_all(&Change::between(&State::default(), &wanted)).unwrap();
    timed("set", start);
    assert_eq!(live_backends(&lab).len(), 30_000);
    let start = Instant::now();
    assert_eq!(dataplane.observe().unwrap(), wanted);
    timed("read back", start);
    let start = Instant::now();
    assert_eq!(dataplane.counters().unwrap().services.len(), 10_000);
    timed("counted", start);
    let mut drained = wanted.clone();
    for id in wanted.services.keys() {
        drained.services.insert(*id, service(&[(1, HERE), (2, DRAINING), (3, DIRECT), (4, HERE)]));
    }
    let start = Instant::now();
    dataplane.apply_all(&Change::between(&wanted, &drained)).unwrap();
    timed("changed", start);
    assert_eq!(dataplane.observe().unwrap(), drained);
    drop(dataplane);
    let start = Instant::now();
    let mut dataplane = EbpfDataplane::open(&options).unwrap();
    timed("taken over", start);
    let start = Instant::now();
    dataplane.apply_all(&Change::between(&drained, &State::default())).unwrap();
    timed("removed", start);
    assert_eq!(dataplane.observe().unwrap(), State::default());
    assert_eq!(live_backends(&lab), BTreeMap::new());
}
