use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{Class, Compiled, MOST_MATCHES, Match, TooManyMatches, is_for, ports};
use crate::model::{Direction, Filter, Rule, Transport};

/// Compiles a filter.
pub fn compile(filter: &Filter) -> Result<Compiled, TooManyMatches> {
    let mut compiled = Compiled::default();
    for direction in [Direction::In, Direction::Out] {
        compiled.add_direction(&filter.rules, direction)?;
    }
    Ok(compiled)
}

impl Compiled {
    fn add_direction(&mut self, rules: &[Rule], direction: Direction) -> Result<(), TooManyMatches> {
        let mut by_prefix = BTreeMap::<IpNet, Vec<usize>>::new();
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.direction == direction) {
            by_prefix.entry(rule.prefix.trunc()).or_default().push(number);
        }
        // In the order of the keys a prefix stands before all that lie in it.
        let mut around = Vec::<(IpNet, Vec<usize>)>::new();
        for (prefix, own) in by_prefix {
            while around.last().is_some_and(|(outer, _)| !outer.contains(&prefix)) {
                around.pop();
            }
            let inherited = around.last().map_or(&[][..], |(_, list)| list);
            let list = that_can_match(rules, inherited, &own);
            if list != inherited {
                self.add_class(rules, direction, prefix, &list);
            }
            if self.matches.len() > MOST_MATCHES {
                return Err(TooManyMatches(rules.len()));
            }
            around.push((prefix, list));
        }
        Ok(())
    }

    fn add_class(&mut self, rules: &[Rule], direction: Direction, prefix: IpNet, list: &[usize]) {
        let last_class = self.matches.last().map_or(0, |last| last.class);
        let before = self.matches.len();
        let rule = list.iter().copied().find(|number| is_for_all(&rules[*number]));
        for protocol in protocols(rules, list) {
            self.add_protocol(rules, list, last_class + 1, protocol, rule);
        }
        let number = if self.matches.len() > before { last_class + 1 } else { 0 };
        self.classes.push(Class { direction, prefix, number, rule });
    }

    /// `otherwise` is what the class says of other protocols.
    fn add_protocol(
        &mut self,
        rules: &[Rule],
        list: &[usize],
        class: u32,
        protocol: u8,
        otherwise: Option<usize>,
    ) {
        let list: Vec<_> = list.iter().copied().filter(|number| is_for(&rules[*number], protocol)).collect();
        let whole = list.iter().position(|number| rules[*number].ports.is_none());
        let by_port = &list[..whole.unwrap_or(list.len())];
        let ranges = by_port.iter().filter_map(|number| Some((rules[*number].ports?, *number)));
        let pieces = ports::share_out(ranges);
        let rule = whole.map(|at| list[at]);
        if pieces.is_empty() && rule == otherwise {
            return;
        }
        let whole = Match { class, protocol, port: 0, port_bits: 0, rule, by_port: !pieces.is_empty() };
        self.matches.push(whole);
        for (range, rule) in pieces {
            self.matches.extend(ports::prefixes(range).map(|(port, port_bits)| Match {
                class,
                protocol,
                port,
                port_bits,
                rule: Some(rule),
                by_port: false,
            }));
        }
    }
}

/// Both lists as one, in order, as far as the first rule that matches everything.
fn that_can_match(rules: &[Rule], inherited: &[usize], own: &[usize]) -> Vec<usize> {
    let mut list = [inherited, own].concat();
    list.sort_unstable();
    if let Some(last) = list.iter().position(|number| is_for_all(&rules[*number])) {
        list.truncate(last + 1);
    }
    list
}

fn is_for_all(rule: &Rule) -> bool {
    rule.protocol.is_none() && rule.ports.is_none()
}

/// Of which the rules say something in particular.
fn protocols(rules: &[Rule], list: &[usize]) -> BTreeSet<u8> {
    let mut named = BTreeSet::new();
    for rule in list.iter().map(|number| &rules[*number]) {
        match (rule.protocol, rule.ports) {
            (Some(protocol), _) => drop(named.insert(protocol)),
            (None, Some(_)) => named.extend(Transport::ALL.map(Transport::number)),
            (None, None) => {}
        }
    }
    named
}
