use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use srv6_dp::{
    filter::{MOST_MATCHES, compile},
    model::{Filter, Rule},
};
use vrf_manager::intent::FilterRule;

use super::Side;

/// Most rules of one direction, of one family each: a quarter of what all filters of a node have room for.
const MOST_RULES: usize = 16_384;
/// Both directions are one filter.
const MOST: usize = MOST_MATCHES / 2;
/// A range of ports is at most so many matches, and three protocols have ports.
const OF_A_RULE: usize = 30 + 3;

/// Why the dataplane would not take these rules of one direction.
pub(super) fn refusal(rules: &[FilterRule], side: Side) -> Option<String> {
    let filter = of_each_family(rules);
    let limit = if filter.rules.len() > MOST_RULES {
        format!("{MOST_RULES} rules")
    } else if !fits(&filter) {
        format!("{MOST} matches")
    } else {
        return None;
    };
    let word = side.word();
    let remedy = "select fewer peers, or name fewer ports";
    Some(format!(
        "its NetworkPolicies come to more than {limit} for {word}, and all {word} is dropped; {remedy}"
    ))
}

/// As the planner does it.
pub(crate) fn of_each_family(rules: &[FilterRule]) -> Filter {
    Filter { rules: rules.iter().flat_map(families).collect() }
}

fn families(wanted: &FilterRule) -> Vec<Rule> {
    let everywhere: [IpNet; 2] = [
        Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into(),
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into(),
    ];
    let rule = |prefix| {
        let FilterRule { direction, protocol, ports, action, .. } = *wanted;
        Rule { name: String::new(), direction, prefix, protocol, ports, action }
    };
    wanted.prefix.map_or(everywhere.to_vec(), |prefix| vec![prefix]).into_iter().map(rule).collect()
}

/// Compiles only what could be too much: prefixes times ports.
fn fits(filter: &Filter) -> bool {
    let prefixes: BTreeSet<_> = filter.rules.iter().map(|rule| rule.prefix).collect();
    let kinds: BTreeSet<_> = filter.rules.iter().map(|rule| (rule.protocol, rule.ports)).collect();
    prefixes.len() * kinds.len() * OF_A_RULE <= MOST
        || compile(filter).is_ok_and(|compiled| compiled.matches.len() <= MOST)
}
