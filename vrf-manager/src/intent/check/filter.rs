use std::collections::BTreeMap;

use srv6_dp::{
    filter::{MOST_MATCHES, TooManyMatches, compile},
    model::{Action, Transport},
};

use super::{Faults, egress::short_name};
use crate::{
    intent::{FilterRule, Vrf},
    plan::filter,
};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// By name, what rules do that have it, and the first of them.
type Names<'a> = BTreeMap<&'a str, (Action, String)>;

/// Names are those of the VRF, for a drop event shows no more: rules of circuits are among them. Rules that do the same may
/// share one, as those that come of one NetworkPolicy.
pub(super) fn check(vrf: &Vrf, path: &str, faults: &mut Faults) {
    let before = faults.0.len();
    let mut names = Names::new();
    for (j, circuit) in vrf.circuits.iter().enumerate() {
        rules(&circuit.filter, &mut names, &format!("{path}.attachmentCircuits[{j}].filter"), faults);
    }
    rules(&vrf.filter, &mut names, &format!("{path}.filter"), faults);
    // Only what is right rule by rule can be compiled.
    if faults.0.len() == before {
        sizes(vrf, path, faults);
    }
}

/// What the VRF's rules make too large alone is not told of each circuit again.
fn sizes(vrf: &Vrf, path: &str, faults: &mut Faults) {
    if size(&[], vrf, &format!("{path}.filter"), faults) {
        for (j, circuit) in vrf.circuits.iter().enumerate().filter(|(_, circuit)| !circuit.filter.is_empty())
        {
            size(&circuit.filter, vrf, &format!("{path}.attachmentCircuits[{j}].filter"), faults);
        }
    }
}

/// Whether the dataplane takes a circuit's rules with those of the VRF behind them.
fn size(own: &[FilterRule], vrf: &Vrf, place: &str, faults: &mut Faults) -> bool {
    let compiled = compile(&filter(own, vrf));
    if let Err(TooManyMatches(rules)) = compiled {
        let problem = format!("{rules} rules, of one family each, make more than {MOST_MATCHES} matches");
        let remedy = "write fewer prefixes that lie in each other, or fewer rules with ports: these multiply";
        faults.add(place, problem, remedy);
    }
    compiled.is_ok()
}

fn rules<'a>(rules: &'a [FilterRule], names: &mut Names<'a>, path: &str, faults: &mut Faults) {
    for (k, rule) in rules.iter().enumerate() {
        let path = format!("{path}[{k}]");
        let (action, first) = names.entry(&rule.name).or_insert_with(|| (rule.action, path.clone()));
        if *action != rule.action {
            let problem = format!("the name {} is that of {first} already, which does otherwise", rule.name);
            faults.add(
                format!("{path}.name"),
                problem,
                "give what accepts and what drops names of their own",
            );
        }
        short_name(&rule.name, &path, faults);
        protocol(rule, &path, faults);
        ports(rule, &path, faults);
    }
}

fn protocol(rule: &FilterRule, path: &str, faults: &mut Faults) {
    let Some(prefix) = rule.prefix else { return };
    let (of_other, own) = if prefix.addr().is_ipv4() { (ICMPV6, "icmp") } else { (ICMP, "icmpv6") };
    faults.add_if(
        rule.protocol == Some(of_other),
        format!("{path}.protocol"),
        &format!("{prefix} is of the other family"),
        &format!("write {own}"),
    );
}

fn ports(rule: &FilterRule, path: &str, faults: &mut Faults) {
    let Some((first, last)) = rule.ports else { return };
    faults.add_if(
        first > last,
        format!("{path}.ports"),
        &format!("{first}-{last} is no range of ports"),
        "write the lower one first",
    );
    faults.add_if(
        rule.protocol.and_then(Transport::from_number).is_none(),
        format!("{path}.ports"),
        "only TCP, UDP and SCTP have ports",
        "write protocol: tcp, udp or sctp beside it, or leave the ports away",
    );
}
