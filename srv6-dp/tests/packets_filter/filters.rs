//! Filters in words, into the maps; what became of a packet.

use std::mem::offset_of;

use aya::maps::{ArrayOfMaps, HashMap, MapData, RingBuf};
use srv6_dp::{
    filter::Entries,
    model::{Action, Direction, Filter, Rule},
    object::flow_table,
};
use srv6_types::maps::{
    DropEvent, FilterEntry, FilterRuleEntry, FilterRuleKey, FlowEntry, FlowKey, NAME, VrfEntry,
};

use super::*;

/// Rules line by line: direction, prefix, protocol or `any`, ports or `any`, `accept` or `drop`, name.
pub(crate) fn filter(rules: &str) -> Filter {
    let rules = rules.lines().map(str::trim).filter(|line| !line.is_empty()).map(rule);
    Filter { rules: rules.collect() }
}

fn rule(line: &str) -> Rule {
    let words: Vec<_> = line.split_whitespace().collect();
    let [direction, prefix, protocol, ports, action, name] = words[..] else { panic!("{line}") };
    let protocol = match protocol {
        "any" => None,
        "tcp" => Some(TCP),
        "udp" => Some(UDP),
        "icmp" => Some(ICMP),
        "icmpv6" => Some(ICMPV6),
        number => Some(number.parse().unwrap()),
    };
    let ports = (ports != "any").then(|| {
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        (first.parse().unwrap(), last.parse().unwrap())
    });
    Rule {
        name: name.to_owned(),
        direction: if direction == "in" { Direction::In } else { Direction::Out },
        prefix: prefix.parse().unwrap(),
        protocol,
        ports,
        action: if action == "accept" { Action::Accept } else { Action::Drop },
    }
}

/// Gives the VRF a flow table.
pub(crate) fn remember_flows(pe: &mut Pe, vrf: u32) {
    let table = MapData::from_fd(flow_table(1024).unwrap()).unwrap();
    let flows = pe.object().map_mut("FLOWS").unwrap();
    ArrayOfMaps::<_, MapData>::try_from(flows).unwrap().set(vrf, &table, 0).unwrap();
}

/// The flows of a VRF.
fn table(pe: &mut Pe, vrf: u32) -> HashMap<MapData, FlowKey, FlowEntry> {
    let flows = pe.object().map("FLOWS").unwrap();
    ArrayOfMaps::<_, HashMap<MapData, FlowKey, FlowEntry>>::try_from(flows).unwrap().get(&vrf, 0).unwrap()
}

/// How many flows a VRF remembers.
pub(crate) fn flows(pe: &mut Pe, vrf: u32) -> usize {
    table(pe, vrf).iter().map(Result::unwrap).count()
}

/// Makes all flows of a VRF that much older.
pub(crate) fn age_flows(pe: &mut Pe, vrf: u32, seconds: u64) {
    let mut table = table(pe, vrf);
    let flows: Vec<_> = table.iter().map(Result::unwrap).collect();
    for (key, flow) in flows {
        let seen = flow.seen.saturating_sub(seconds * 1_000_000_000);
        table.insert(key, FlowEntry { seen, ..flow }, 0).unwrap();
    }
}

/// Has the programs look at flows in the VRF, whether it has a table or not.
pub(crate) fn look_at_flows(pe: &mut Pe, vrf: u32) {
    let entry = VrfEntry {
        flags: 1,
        icmp_source4: [10, 1, 0, 1],
        icmp_source6: octets6("2001:db8:1::1"),
        flows: 1024,
        reserved: 0,
    };
    pe.array("VRFS", vrf, entry);
}

/// Counters: that of rule n is 100 * id + n, what no rule matched 100 * id + 98, answers 100 * id + 99.
pub(crate) fn set_filter(pe: &mut Pe, id: u32, set: u32, rules: &str) {
    let filter = filter(rules);
    let counters: Vec<_> = (100 * id..).take(filter.rules.len()).collect();
    write_set(pe, set, &filter, &counters);
    swing(pe, id, set, &filter);
}

pub(crate) fn write_set(pe: &mut Pe, set: u32, filter: &Filter, counters: &[u32]) {
    let entries = Entries::new(filter, set, counters).unwrap();
    for (length, key, class) in entries.classes4 {
        pe.trie("FILTER_CLASSES4", length, key, class);
    }
    for (length, key, class) in entries.classes6 {
        pe.trie("FILTER_CLASSES6", length, key, class);
    }
    for (length, key, verdict) in entries.ports {
        pe.trie("FILTER_PORTS", length, key, verdict);
    }
    for (rule, of_rule) in (0..).zip(&filter.rules) {
        let mut name = [0; NAME];
        name[..of_rule.name.len()].copy_from_slice(of_rule.name.as_bytes());
        let entry = FilterRuleEntry {
            name,
            address: [0; 16],
            prefix_length: 0,
            family: 0,
            protocol: 0,
            flags: 0,
            first_port: 0,
            last_port: 0,
            counter: 0,
            reserved: 0,
        };
        pe.hash("FILTER_RULES", FilterRuleKey { set, rule }, entry);
    }
}

pub(crate) fn swing(pe: &mut Pe, id: u32, set: u32, filter: &Filter) {
    let flags = Entries::new(filter, set, &vec![0; filter.rules.len()]).unwrap().flags;
    let (unmatched, admitted) = (100 * id + 98, 100 * id + 99);
    let entry = FilterEntry { set, flags, rules: filter.rules.len() as u32, unmatched, admitted };
    pe.hash("FILTERS", id, entry);
}

pub(crate) fn put_on_circuit(pe: &mut Pe, filter: u32, circuit: &str) {
    let ifindex = match circuit {
        "red1" => pe.red1,
        "red2" => pe.red2,
        "blue1" => pe.blue1,
        other => panic!("{other}"),
    };
    pe.change_circuit(ifindex, |circuit| circuit.filter = filter);
}

/// Packets that a counter of the filters has seen.
pub(crate) fn counted(pe: &mut Pe, counter: u32) -> u64 {
    pe.tally("FILTER_COUNTERS", counter).0
}

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passes,
    /// By the rule of this name, or none.
    Denied(String),
    Dropped(DropReason),
}

impl Verdict {
    pub(crate) fn of(pe: &mut Pe, run: impl FnOnce(&mut Pe) -> Run) -> Self {
        events(pe);
        let run = run(pe);
        match &events(pe)[..] {
            [] => {
                assert_eq!(run.action, REDIRECT);
                Self::Passes
            }
            [(DropReason::Filtered, rule)] => {
                assert_eq!(run.action, SHOT);
                Self::Denied(rule.clone())
            }
            [(reason, rule)] => {
                assert_eq!(rule, "", "no rule has dropped it");
                Self::Dropped(*reason)
            }
            more => panic!("{more:?}"),
        }
    }
}

pub(crate) fn denied(rule: &str) -> Verdict {
    Verdict::Denied(rule.to_owned())
}

/// Reasons and rules of the drops that were told; the programs tell 50 at once, and 100 a second.
fn events(pe: &mut Pe) -> Vec<(DropReason, String)> {
    std::thread::sleep(std::time::Duration::from_millis(5));
    let mut ring = RingBuf::try_from(pe.object().map_mut("EVENTS").unwrap()).unwrap();
    let mut told = vec![];
    while let Some(event) = ring.next() {
        let at = offset_of!(DropEvent, reason);
        let reason = u32::from_ne_bytes(event[at..at + 4].try_into().unwrap());
        let name = &event[offset_of!(DropEvent, rule)..][..NAME];
        let name = String::from_utf8(name.to_vec()).unwrap();
        told.push((DropReason::from_code(reason).unwrap(), name.trim_end_matches('\0').to_owned()));
    }
    told
}
