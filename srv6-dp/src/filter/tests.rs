use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{collection, option, prelude::*, sample::select};
use srv6_types::maps::{
    FILTER_PORT_BITS, FILTER_PROTOCOL_BITS, FilterClass, FilterKey4, FilterKey6, FilterPortKey,
    FilterVerdict, filter_side, verdict_flag,
};

use super::*;
use crate::model::{Action, Filter};

const SET: u32 = 7;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;

#[derive(Clone, Copy, Debug)]
struct Packet {
    direction: Direction,
    far: IpAddr,
    protocol: u8,
    port: u16,
}

/// What the model says: the first rule that matches.
fn first_match(filter: &Filter, packet: &Packet) -> Option<usize> {
    filter.rules.iter().position(|rule| {
        let in_range = |(first, last)| has_ports(packet.protocol) && (first..=last).contains(&packet.port);
        rule.direction == packet.direction
            && rule.prefix.contains(&packet.far)
            && rule.protocol.is_none_or(|protocol| protocol == packet.protocol)
            && rule.ports.is_none_or(in_range)
    })
}

/// The kernel's trie, the slow way: octets of the key and of the longest entry that agrees with it.
fn longest<'a, V>(
    entries: impl Iterator<Item = (u32, Vec<u8>, &'a V)>,
    key: &[u8],
    most: u32,
) -> Option<&'a V> {
    let bit = |octets: &[u8], at: u32| octets[at as usize / 8] >> (7 - at % 8) & 1;
    let agrees = |entry: &[u8], length: u32| (0..length).all(|at| bit(entry, at) == bit(key, at));
    let found = entries.filter(|(length, entry, _)| *length <= most && agrees(entry, *length));
    found.max_by_key(|(length, ..)| *length).map(|(_, _, value)| value)
}

fn class_of(entries: &Entries, direction: Direction, far: IpAddr) -> Option<FilterClass> {
    let side = filter_side(SET, direction as u32);
    let octets4 = |key: &FilterKey4| [key.side, key.address].concat();
    let octets6 = |key: &FilterKey6| [&key.side[..], &key.address].concat();
    match far {
        IpAddr::V4(address) => {
            let key = octets4(&FilterKey4 { side, address: address.octets() });
            let all = entries.classes4.iter().map(|(length, key, class)| (*length, octets4(key), class));
            longest(all, &key, 64).copied()
        }
        IpAddr::V6(address) => {
            let key = octets6(&FilterKey6 { side, address: address.octets() });
            let all = entries.classes6.iter().map(|(length, key, class)| (*length, octets6(key), class));
            longest(all, &key, 160).copied()
        }
    }
}

/// As the programs do it; `bits` is how much of the port's key is known.
fn looked_up(entries: &Entries, packet: &Packet, bits: u32) -> FilterVerdict {
    let Some(class) = class_of(entries, packet.direction, packet.far) else {
        return FilterVerdict::default();
    };
    if class.class == 0 {
        return class.verdict;
    }
    let octets = |key: &FilterPortKey| [&key.set[..], &key.class, &[key.protocol], &key.port].concat();
    let key = FilterPortKey {
        set: SET.to_be_bytes(),
        class: class.class.to_be_bytes(),
        protocol: packet.protocol,
        port: packet.port.to_be_bytes(),
        reserved: 0,
    };
    let all = entries.ports.iter().map(|(length, key, verdict)| (*length, octets(key), verdict));
    longest(all, &octets(&key), bits).copied().unwrap_or(class.verdict)
}

fn rule(direction: Direction, prefix: &str, protocol: Option<u8>, ports: Option<(u16, u16)>) -> Rule {
    let prefix = prefix.parse().unwrap();
    Rule { name: String::new(), direction, prefix, protocol, ports, action: Action::Drop }
}

fn assert_agrees(filter: &Filter, entries: &Entries, packet: &Packet) {
    let found = looked_up(entries, packet, FILTER_PORT_BITS);
    let rule = first_match(filter, packet);
    assert_eq!(found.rule, rule.map_or(0, |rule| rule as u32 + 1), "{packet:?}");
    if let Some(rule) = rule {
        assert_eq!(found.counter, 100 + rule as u32);
        let drops = filter.rules[rule].action == Action::Drop;
        assert_eq!(found.flags & verdict_flag::DROP != 0, drops);
    }
}

fn entries(filter: &Filter) -> Entries {
    let counters: Vec<_> = (100..).take(filter.rules.len()).collect();
    Entries::new(filter, SET, &counters).unwrap()
}

#[test]
fn a_rule_inside_another_prefix_keeps_its_place_in_the_order() {
    use Direction::In;
    let filter = Filter {
        rules: vec![
            rule(In, "10.1.0.0/16", Some(TCP), Some((80, 443))),
            rule(In, "10.0.0.0/8", Some(TCP), None),
            rule(In, "10.1.0.0/16", None, None),
            rule(In, "10.1.2.0/24", Some(UDP), Some((53, 53))),
            rule(In, "0.0.0.0/0", None, None),
        ],
    };
    let entries = entries(&filter);
    for (far, protocol, port, expected) in [
        ("10.1.2.3", TCP, 80, 1),
        ("10.1.2.3", TCP, 443, 1),
        ("10.1.2.3", TCP, 444, 2),
        ("10.1.2.3", UDP, 53, 3),
        ("10.2.2.3", TCP, 80, 2),
        ("10.2.2.3", UDP, 53, 5),
        ("11.0.0.1", ICMP, 0, 5),
    ] {
        let packet = Packet { direction: In, far: far.parse().unwrap(), protocol, port };
        assert_eq!(looked_up(&entries, &packet, FILTER_PORT_BITS).rule, expected, "{packet:?}");
        assert_agrees(&filter, &entries, &packet);
        let answer = Packet { direction: Direction::Out, ..packet };
        assert_eq!(looked_up(&entries, &answer, FILTER_PORT_BITS).rule, 0, "no rule of this direction");
    }
    assert_eq!(entries.classes4.len(), 3, "10.1.2.0/24 says nothing that 10.1.0.0/16 has not said");
}

#[test]
fn what_the_address_alone_decides_needs_one_lookup() {
    let rules = (0..100).map(|site| rule(Direction::Out, &format!("10.0.{site}.0/24"), None, None)).collect();
    let entries = entries(&Filter { rules });
    assert_eq!((entries.classes4.len(), entries.ports.len()), (100, 0));
    assert!(entries.classes4.iter().all(|(_, _, class)| class.class == 0));
}

#[test]
fn ports_of_a_protocol_without_ports_match_nothing() {
    let filter = Filter { rules: vec![rule(Direction::In, "::/0", Some(ICMP), Some((0, u16::MAX)))] };
    assert_eq!(entries(&filter).ports, []);
}

#[test]
fn ports_without_a_protocol_are_those_of_all_that_have_some() {
    let filter = Filter { rules: vec![rule(Direction::In, "::/0", None, Some((0, u16::MAX)))] };
    let entries = entries(&filter);
    for (protocol, expected) in [(TCP, 1), (UDP, 1), (132, 1), (ICMP, 0), (47, 0)] {
        let packet = Packet { direction: Direction::In, far: Ipv6Addr::LOCALHOST.into(), protocol, port: 9 };
        assert_eq!(looked_up(&entries, &packet, FILTER_PORT_BITS).rule, expected, "{protocol}");
    }
}

/// A later fragment has no port: the protocol's entry says whether that matters.
#[test]
fn what_no_port_is_known_of_is_told_from_what_no_port_matters_to() {
    let filter = Filter {
        rules: vec![
            rule(Direction::In, "0.0.0.0/0", Some(TCP), Some((80, 80))),
            rule(Direction::In, "0.0.0.0/0", Some(UDP), None),
            rule(Direction::In, "0.0.0.0/0", None, None),
        ],
    };
    let entries = entries(&filter);
    for (protocol, rule, by_port) in [(TCP, 3, true), (UDP, 2, false), (47, 3, false)] {
        let far = Ipv4Addr::LOCALHOST.into();
        let packet = Packet { direction: Direction::In, far, protocol, port: 0 };
        let found = looked_up(&entries, &packet, FILTER_PROTOCOL_BITS);
        assert_eq!((found.rule, found.flags & verdict_flag::BY_PORT != 0), (rule, by_port), "{protocol}");
    }
}

#[test]
fn ten_thousand_rules_make_about_as_many_entries() {
    let ports = (1..=10_000).map(|port| rule(Direction::In, "10.0.0.0/8", Some(TCP), Some((port, port))));
    assert_eq!(entries(&Filter { rules: ports.collect() }).ports.len(), 10_001);
    let prefixes = (0..10_000u32).map(|site| {
        rule(Direction::In, &format!("10.{}.{}.0/24", site >> 8, site & 255), Some(TCP), Some((80, 80)))
    });
    let entries = entries(&Filter { rules: prefixes.collect() });
    assert_eq!((entries.classes4.len(), entries.ports.len()), (10_000, 20_000));
}

#[test]
fn a_filter_that_multiplies_is_refused_in_time() {
    let site = |site: u16| Ipv4Addr::from(0x0a00_0000 | u32::from(site) << 8);
    let mut rules: Vec<_> =
        (0..10_000).map(|port| rule(Direction::In, "0.0.0.0/0", Some(TCP), Some((port, port)))).collect();
    rules.extend((0..10_000).map(|n| rule(Direction::In, &format!("{}/24", site(n)), Some(UDP), None)));
    assert_eq!(compile(&Filter { rules }), Err(TooManyMatches(20_000)));
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let v4 = (select(vec![0u8, 8, 15, 16, 24, 31, 32]), 0u32..8).prop_map(|(length, host)| {
        IpNet::new(Ipv4Addr::from(0x0a00_0000 | host << 15 | host).into(), length).unwrap()
    });
    let v6 = (select(vec![0u8, 32, 47, 48, 64, 127, 128]), 0u128..8).prop_map(|(length, host)| {
        IpNet::new(Ipv6Addr::from(0x2001_0db8 << 96 | host << 79 | host).into(), length).unwrap()
    });
    prop_oneof![v4, v6]
}

/// Few, and close to each other, so that ranges overlap and touch.
fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0u16..20, 65_520..=u16::MAX, Just(32_768), any::<u16>()]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let protocol = option::of(select(vec![TCP, UDP, 132, ICMP, 47]));
    let ports = option::of((port(), port()).prop_map(|(a, b)| (a.min(b), a.max(b))));
    let direction = select(vec![Direction::In, Direction::Out]);
    let action = select(vec![Action::Accept, Action::Drop]);
    (direction, prefix(), protocol, ports, action).prop_map(|(direction, prefix, protocol, ports, action)| {
        Rule { name: String::new(), direction, prefix, protocol, ports, action }
    })
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let far =
        prefix().prop_flat_map(|prefix| select(vec![prefix.addr(), prefix.network(), prefix.broadcast()]));
    let protocol = select(vec![TCP, UDP, 132, ICMP, 47, 255]);
    (select(vec![Direction::In, Direction::Out]), far, protocol, port())
        .prop_map(|(direction, far, protocol, port)| Packet { direction, far, protocol, port })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lookups_find_the_first_rule_that_matches(
        rules in collection::vec(any_rule(), 0..24),
        packets in collection::vec(any_packet(), 64),
    ) {
        let filter = Filter { rules };
        let entries = entries(&filter);
        for packet in &packets {
            assert_agrees(&filter, &entries, packet);
        }
        // The edges of every rule.
        for rule in &filter.rules {
            let (first, last) = rule.ports.unwrap_or((0, 0));
            for port in [first.wrapping_sub(1), first, last, last.wrapping_add(1)] {
                for far in [rule.prefix.network(), rule.prefix.broadcast()] {
                    for protocol in [TCP, UDP, ICMP] {
                        assert_agrees(&filter, &entries, &Packet { direction: rule.direction, far, protocol, port });
                    }
                }
            }
        }
    }

    #[test]
    fn a_port_that_is_not_known_is_taken_for_any_port_only_where_all_are_alike(
        rules in collection::vec(any_rule(), 0..16),
        packets in collection::vec(any_packet(), 16),
    ) {
        let filter = Filter { rules };
        let entries = entries(&filter);
        for packet in &packets {
            let known = looked_up(&entries, packet, FILTER_PORT_BITS);
            let unknown = looked_up(&entries, packet, FILTER_PROTOCOL_BITS);
            prop_assert!(unknown.rule == known.rule || unknown.flags & verdict_flag::BY_PORT != 0);
        }
    }

    #[test]
    fn prefixes_are_the_range_and_nothing_else(a in port(), b in port()) {
        let range = (a.min(b), a.max(b));
        let covered: Vec<u16> = ports::prefixes(range)
            .flat_map(|(port, bits)| {
                let last = u32::from(port) + (1 << (16 - u32::from(bits))) - 1;
                port..=u16::try_from(last).unwrap()
            })
            .collect();
        prop_assert_eq!(covered, (range.0..=range.1).collect::<Vec<_>>());
        prop_assert!(ports::prefixes(range).count() <= 30);
    }
}
