use ipnet::IpNet;
use srv6_types::maps::{
    FILTER_PROTOCOL_BITS, FILTER_SIDE_BITS, FilterClass, FilterKey4, FilterKey6, FilterPortKey,
    FilterVerdict, filter_direction, filter_flag, filter_side, verdict_flag,
};

use super::{Class, Match, TooManyMatches, compile};
use crate::model::{Action, Direction, Filter, Rule};

/// A filter as it stands in the maps: with each key the length of its prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Bits of [`filter_flag`].
    pub flags: u32,
    /// Classes of IPv4 addresses.
    pub classes4: Vec<(u32, FilterKey4, FilterClass)>,
    /// Classes of IPv6 addresses.
    pub classes6: Vec<(u32, FilterKey6, FilterClass)>,
    /// Verdicts by protocol and port.
    pub ports: Vec<(u32, FilterPortKey, FilterVerdict)>,
}

impl Entries {
    /// `set` is what the filter is to be known by, `counters` are the indices of its rules' counters.
    pub fn new(filter: &Filter, set: u32, counters: &[u32]) -> Result<Self, TooManyMatches> {
        let compiled = compile(filter)?;
        let verdict = |rule: Option<usize>| verdict(&filter.rules, counters, rule);
        let mut entries = Self { flags: flags(&filter.rules), ..Self::default() };
        for class in &compiled.classes {
            entries.add_class(set, class, verdict(class.rule));
        }
        let ports = compiled.matches.iter().map(|of_port| port_entry(set, of_port, verdict(of_port.rule)));
        entries.ports = ports.collect();
        Ok(entries)
    }

    fn add_class(&mut self, set: u32, class: &Class, verdict: FilterVerdict) {
        let side = filter_side(set, number(class.direction));
        let length = FILTER_SIDE_BITS + u32::from(class.prefix.prefix_len());
        let value = FilterClass { class: class.number, verdict };
        match class.prefix {
            IpNet::V4(prefix) => {
                let key = FilterKey4 { side, address: prefix.network().octets() };
                self.classes4.push((length, key, value));
            }
            IpNet::V6(prefix) => {
                let key = FilterKey6 { side, address: prefix.network().octets() };
                self.classes6.push((length, key, value));
            }
        }
    }
}

fn port_entry(set: u32, of_port: &Match, mut verdict: FilterVerdict) -> (u32, FilterPortKey, FilterVerdict) {
    let key = FilterPortKey {
        set: set.to_be_bytes(),
        class: of_port.class.to_be_bytes(),
        protocol: of_port.protocol,
        port: of_port.port.to_be_bytes(),
        reserved: 0,
    };
    if of_port.by_port {
        verdict.flags |= verdict_flag::BY_PORT;
    }
    (FILTER_PROTOCOL_BITS + u32::from(of_port.port_bits), key, verdict)
}

fn verdict(rules: &[Rule], counters: &[u32], number: Option<usize>) -> FilterVerdict {
    let Some(number) = number else { return FilterVerdict::default() };
    FilterVerdict {
        rule: number as u32 + 1,
        counter: counters[number],
        flags: if rules[number].action == Action::Drop { verdict_flag::DROP } else { 0 },
    }
}

fn flags(rules: &[Rule]) -> u32 {
    let denies =
        |direction| rules.iter().any(|rule| rule.direction == direction && rule.action == Action::Drop);
    let flag = |direction, flag| if denies(direction) { flag } else { 0 };
    flag(Direction::In, filter_flag::DENIES_IN) | flag(Direction::Out, filter_flag::DENIES_OUT)
}

fn number(direction: Direction) -> u32 {
    match direction {
        Direction::In => filter_direction::IN,
        Direction::Out => filter_direction::OUT,
    }
}
