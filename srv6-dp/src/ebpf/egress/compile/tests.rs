#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{collection, prelude::*, sample::select};

use super::*;

fn nets(prefixes: &[&str]) -> BTreeSet<IpNet> {
    prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect()
}

fn policy(rank: u32, sources: &[&str], destinations: &[&str], exceptions: &[&str]) -> EgressPolicy {
    EgressPolicy {
        rank,
        sources: nets(sources),
        destinations: nets(destinations),
        exceptions: nets(exceptions),
        ..EgressPolicy::default()
    }
}

/// As the programs look it up.
fn look_up(compiled: &Compiled, circuit: u32, host: &str, destination: &str) -> u32 {
    decide(compiled, IfIndex(circuit), host.parse().unwrap(), destination.parse().unwrap())
}

fn decide(compiled: &Compiled, circuit: IfIndex, host: IpAddr, destination: IpAddr) -> u32 {
    let by_host = around(IpNet::from(host)).find_map(|prefix| compiled.sources.get(&prefix));
    let by_circuit = compiled.circuits.get(&circuit);
    let decided = [by_host, by_circuit].into_iter().flatten().map(|class| {
        let class = &compiled.classes[*class];
        around(IpNet::from(destination)).find_map(|prefix| class.get(&prefix)).copied().unwrap_or(0)
    });
    decided.into_iter().find(|id| *id != 0).unwrap_or(0)
}

/// The same from the words of the model, policy by policy.
fn oracle(policies: &[(u32, &EgressPolicy)], circuit: IfIndex, host: IpAddr, destination: IpAddr) -> u32 {
    let within = |prefixes: &BTreeSet<IpNet>| prefixes.iter().any(|prefix| prefix.contains(&destination));
    let takes = |policy: &EgressPolicy| within(&policy.destinations) && !within(&policy.exceptions);
    let length = |policy: &EgressPolicy| {
        policy.sources.iter().filter(|prefix| prefix.contains(&host)).map(|prefix| prefix.prefix_len()).max()
    };
    let mut holding: Vec<_> = policies
        .iter()
        .filter_map(|(id, policy)| {
            let circuit = policy.circuits.contains(&circuit).then_some(-1);
            let length = length(policy).map(i32::from).or(circuit)?;
            Some((-length, policy.rank, *id, *policy))
        })
        .collect();
    // Policies come in the order of their ranks, which the sort keeps.
    holding.sort_by_key(|(length, rank, ..)| (*length, *rank));
    holding.iter().find(|(.., policy)| takes(policy)).map_or(0, |(.., id, _)| *id)
}

#[test]
fn the_longest_source_prefix_goes_before_the_rank() {
    let (wide, narrow) =
        (policy(0, &["10.0.0.0/8"], &["0.0.0.0/0"], &[]), policy(9, &["10.1.0.0/16"], &["0.0.0.0/0"], &[]));
    let compiled = compile(&[(1, &wide), (2, &narrow)]);
    assert_eq!(look_up(&compiled, 0, "10.1.0.1", "8.8.8.8"), 2);
    assert_eq!(look_up(&compiled, 0, "10.2.0.1", "8.8.8.8"), 1);
    assert_eq!(look_up(&compiled, 0, "11.0.0.1", "8.8.8.8"), 0);
}

#[test]
fn of_equal_sources_each_destination_has_its_own_policy() {
    let (dns, web) =
        (policy(0, &["10.0.0.0/8"], &["8.0.0.0/8"], &[]), policy(1, &["10.0.0.0/8"], &["0.0.0.0/0"], &[]));
    let compiled = compile(&[(7, &dns), (3, &web)]);
    assert_eq!(compiled.classes.len(), 1);
    assert_eq!(look_up(&compiled, 0, "10.0.0.1", "8.8.8.8"), 7);
    assert_eq!(look_up(&compiled, 0, "10.0.0.1", "9.9.9.9"), 3);
}

#[test]
fn an_exception_hands_the_destination_to_the_next_policy() {
    let first = policy(0, &["10.0.0.0/8"], &["0.0.0.0/0", "10.9.9.0/24"], &["10.0.0.0/8"]);
    let next = policy(1, &["10.0.0.0/8"], &["10.9.0.0/16"], &[]);
    let compiled = compile(&[(1, &first), (2, &next)]);
    assert_eq!(look_up(&compiled, 0, "10.0.0.1", "10.8.0.1"), 0);
    assert_eq!(
        look_up(&compiled, 0, "10.0.0.1", "10.9.9.1"),
        2,
        "an exception wins over a longer destination"
    );
    assert_eq!(look_up(&compiled, 0, "10.0.0.1", "192.0.2.1"), 1);
}

#[test]
fn a_host_without_a_policy_of_its_own_has_that_of_its_circuit() {
    let mut circuit = policy(0, &[], &["0.0.0.0/0", "::/0"], &[]);
    circuit.circuits.insert(IfIndex(7));
    let host = policy(1, &["10.0.0.0/8"], &["8.0.0.0/8"], &[]);
    let compiled = compile(&[(1, &circuit), (2, &host)]);
    assert_eq!(look_up(&compiled, 7, "10.0.0.1", "8.8.8.8"), 2);
    assert_eq!(look_up(&compiled, 7, "10.0.0.1", "9.9.9.9"), 1);
    assert_eq!(look_up(&compiled, 7, "2001:db8::1", "2001:db8:1::1"), 1);
    assert_eq!(look_up(&compiled, 8, "10.0.0.1", "9.9.9.9"), 0);
}

#[test]
fn what_holds_nothing_makes_no_class() {
    let policy = policy(0, &["10.0.0.0/8"], &["10.0.0.0/8"], &["0.0.0.0/0"]);
    assert_eq!(compile(&[(1, &policy)]), Compiled::default());
}

/// Few addresses and lengths, so that prefixes lie in each other; with bits behind the length, too.
fn prefix() -> impl Strategy<Value = IpNet> {
    prop_oneof![
        (address4(), select(vec![0_u8, 8, 16, 24, 32]))
            .prop_map(|(ip, len)| IpNet::new(ip.into(), len).unwrap()),
        (address6(), select(vec![0_u8, 32, 48, 128]))
            .prop_map(|(ip, len)| IpNet::new(ip.into(), len).unwrap()),
    ]
}

fn address4() -> impl Strategy<Value = Ipv4Addr> {
    (0_u8..3, 0_u8..2, 0_u8..2, 0_u8..2).prop_map(|(a, b, c, d)| Ipv4Addr::new(10 + a, b, c, d))
}

fn address6() -> impl Strategy<Value = Ipv6Addr> {
    (0_u16..2, 0_u16..2, 0_u16..2).prop_map(|(a, b, c)| Ipv6Addr::new(0x2001, a, b, 0, 0, 0, 0, c))
}

fn any_policy() -> impl Strategy<Value = EgressPolicy> {
    let set = |most| collection::btree_set(prefix(), 0..most);
    let circuits = collection::btree_set((1_u32..3).prop_map(IfIndex), 0..2);
    (0_u32..3, set(4), circuits, set(4), set(3)).prop_map(
        |(rank, sources, circuits, destinations, exceptions)| EgressPolicy {
            rank,
            sources,
            circuits,
            destinations,
            exceptions,
            addresses: vec![],
        },
    )
}

proptest! {
    #[test]
    fn the_lookups_say_what_the_policies_say(
        mut policies in collection::vec(any_policy(), 0..6),
        packets in collection::vec((1_u32..4, prefix(), prefix()), 32),
    ) {
        policies.sort_by_key(|policy| policy.rank);
        let policies: Vec<_> = (1..).zip(&policies).collect();
        let compiled = compile(&policies);
        prop_assert_eq!(&compiled, &compile(&policies));
        for (circuit, host, destination) in packets {
            let (circuit, host, destination) = (IfIndex(circuit), host.addr(), destination.addr());
            prop_assert_eq!(
                decide(&compiled, circuit, host, destination),
                oracle(&policies, circuit, host, destination),
                "{} to {} from {:?}", host, destination, circuit
            );
        }
    }
}
