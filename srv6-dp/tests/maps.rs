//! What is written to the maps is what is read back. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;
#[path = "common/states.rs"]
mod states;

use std::time::Instant;

use ipnet::{IpNet, Ipv4Net};
use lab::Lab;
use proptest::{
    collection,
    test_runner::{Config, TestRunner},
};
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Options, Sizes},
    model::{IfIndex, NextHop, Vrf},
};
use srv6_types::{Sid, VrfId};

fn encapsulate(to: u32) -> NextHop {
    NextHop::Encapsulate { segments: vec![Sid::from_bits(0xfc00 << 112 | u128::from(to))], reduced: true }
}

fn open(lab: &Lab) -> EbpfDataplane {
    EbpfDataplane::open(&lab.options()).unwrap()
}

/// A veth pair whose ends both stay here; the index of the end `name`.
fn veth(lab: &Lab, name: &str) -> IfIndex {
    lab.ip(&format!("link add {name} type veth peer name {name}-peer"));
    lab.ip(&format!("link set {name}-peer up"));
    lab.ip(&format!("link set {name} up"));
    lab.index(name)
}

#[test]
fn any_state_is_reached_from_any_other_and_survives_reopening() {
    let lab = Lab::new();
    let interfaces = (0..5).map(|number| veth(&lab, &format!("if{number}"))).collect();
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    runner
        .run(&collection::vec(states::state(interfaces), 4), |states| {
            for wanted in states {
                let mut dataplane = open(&lab);
                let changes = Change::between(&dataplane.observe().unwrap(), &wanted);
                dataplane.apply_all(&changes).unwrap();
                assert_eq!(dataplane.observe().unwrap(), wanted);
                let distinct: std::collections::BTreeSet<_> = wanted.routes.values().collect();
                assert_eq!(dataplane.next_hops_in_use(), distinct.len());
                drop(dataplane);
                let reopened = open(&lab);
                assert_eq!(reopened.observe().unwrap(), wanted);
                assert_eq!(reopened.next_hops_in_use(), distinct.len());
                assert_eq!(reopened.verify(&wanted.core).unwrap(), []);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_full_map_is_named_with_its_setting_and_nothing_leaks() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let vrf = VrfId(1);
    dataplane.apply(&Change::SetVrf(vrf, Vrf::default())).unwrap();
    let route = |host: u32, next_hop| {
        Change::SetRoute(vrf, IpNet::V4(Ipv4Net::new(host.into(), 32).unwrap()), next_hop)
    };
    let too_many: Vec<_> = (0..5000).map(|host| route(host, encapsulate(1))).collect();
    let error = dataplane.apply_all(&too_many).unwrap_err().to_string();
    assert!(error.contains("map FIB4 is full at 4096 entries: raise sizes.routes"), "{error}");
    assert_eq!(dataplane.observe().unwrap().routes.len(), 4096);

    dataplane.apply(&Change::RemoveVrf(vrf)).unwrap();
    assert_eq!(dataplane.observe().unwrap(), State::default());
    assert_eq!(dataplane.next_hops_in_use(), 0);

    dataplane.apply(&Change::SetVrf(vrf, Vrf::default())).unwrap();
    let too_many: Vec<_> = (0..300).map(|host| route(host, encapsulate(host))).collect();
    let error = dataplane.apply_all(&too_many).unwrap_err().to_string();
    assert!(error.contains("map NEXT_HOPS is full at 256 entries: raise sizes.next_hops"), "{error}");
    assert_eq!(dataplane.next_hops_in_use(), 0, "a batch that failed gives its next hops back");
    // The slots given back can be used, all 255 of them and again and again.
    for round in 0..3 {
        let all: Vec<_> = (0..255).map(|host| route(host, encapsulate(1000 * round + host))).collect();
        let gone: Vec<_> = (0..255)
            .map(|host| {
                Change::RemoveRoute(vrf, IpNet::new(std::net::Ipv4Addr::from(host).into(), 32).unwrap())
            })
            .collect();
        dataplane.apply_all(&all).unwrap();
        dataplane.apply_all(&gone).unwrap();
    }
    let error = dataplane.apply(&Change::SetVrf(VrfId(16), Vrf::default())).unwrap_err().to_string();
    assert!(error.contains("full at 16 entries: raise sizes.vrfs"), "{error}");
}

#[test]
fn what_names_a_missing_vrf_is_refused() {
    let lab = Lab::new();
    let mut dataplane = open(&lab);
    let route = Change::SetRoute(VrfId(3), "10.0.0.0/8".parse().unwrap(), NextHop::Blackhole);
    let error = dataplane.apply(&route).unwrap_err().to_string();
    assert_eq!(
        error,
        "set route 10.0.0.0/8 of VRF 3: VRF 3 does not exist: set the VRF before what refers to it"
    );
}

/// 100,000 routes over 1,000 remote SIDs: loaded, read back, taken over, removed with the VRF.
#[test]
fn bulk_load() {
    let lab = Lab::new();
    let options =
        Options { sizes: Sizes { routes: 200_000, next_hops: 4096, ..lab.options().sizes }, ..lab.options() };
    let mut dataplane = EbpfDataplane::open(&options).unwrap();
    let mut wanted = State::default();
    wanted.vrfs.insert(VrfId(1), Vrf::default());
    for number in 0..100_000u32 {
        let prefix = Ipv4Net::new((0x0a00_0000 + (number << 8)).into(), 24).unwrap();
        wanted.routes.insert((VrfId(1), prefix.into()), encapsulate(number % 1000));
    }
    let changes = Change::between(&State::default(), &wanted);
    let timed = |what: &str, start: Instant| println!("100,000 routes {what} in {:?}", start.elapsed());
    let start = Instant::now();
    dataplane.apply_all(&changes).unwrap();
    timed("loaded", start);
    let start = Instant::now();
    assert_eq!(dataplane.observe().unwrap(), wanted);
    timed("read back", start);
    assert_eq!(dataplane.next_hops_in_use(), 1000);
    drop(dataplane);
    let start = Instant::now();
    let mut dataplane = EbpfDataplane::open(&options).unwrap();
    timed("taken over", start);
    assert_eq!(dataplane.next_hops_in_use(), 1000);
    let start = Instant::now();
    dataplane.apply(&Change::RemoveVrf(VrfId(1))).unwrap();
    timed("removed", start);
    assert_eq!(dataplane.observe().unwrap(), State::default());
}
