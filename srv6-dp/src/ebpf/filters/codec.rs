//! Rules as map entries and back.

use ipnet::IpNet;
use srv6_types::maps::{FilterRuleEntry, rule_flag};

use super::super::{
    codec::{address, decode_name, encode_address, encode_name},
    error::EbpfError,
};
use crate::model::{Action, Direction, Filter, Rule};

/// Without a counter as yet.
pub(super) fn encode_rule(rule: &Rule) -> Result<FilterRuleEntry, EbpfError> {
    let (family, address) = encode_address(rule.prefix.addr());
    let flag = |holds, flag| if holds { flag } else { 0 };
    let (first_port, last_port) = rule.ports.unwrap_or_default();
    Ok(FilterRuleEntry {
        name: encode_name(&rule.name)?,
        address,
        prefix_length: rule.prefix.prefix_len(),
        family: family as u8,
        protocol: rule.protocol.unwrap_or(0),
        flags: flag(rule.direction == Direction::Out, rule_flag::OUT)
            | flag(rule.protocol.is_some(), rule_flag::PROTOCOL)
            | flag(rule.ports.is_some(), rule_flag::PORTS)
            | flag(rule.action == Action::Drop, rule_flag::DROP),
        first_port,
        last_port,
        counter: 0,
        reserved: 0,
    })
}

/// `None` when an entry is none that sixedge writes.
pub(super) fn decode(rules: &[FilterRuleEntry]) -> Option<Filter> {
    Some(Filter { rules: rules.iter().map(decode_rule).collect::<Option<_>>()? })
}

fn decode_rule(entry: &FilterRuleEntry) -> Option<Rule> {
    let has = |flag| entry.flags & flag != 0;
    let address = address(entry.family.into(), entry.address)?;
    Some(Rule {
        name: decode_name(&entry.name),
        direction: if has(rule_flag::OUT) { Direction::Out } else { Direction::In },
        prefix: IpNet::new(address, entry.prefix_length).ok()?,
        protocol: has(rule_flag::PROTOCOL).then_some(entry.protocol),
        ports: has(rule_flag::PORTS).then_some((entry.first_port, entry.last_port)),
        action: if has(rule_flag::DROP) { Action::Drop } else { Action::Accept },
    })
}
