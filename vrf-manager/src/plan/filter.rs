//! Filters: one of the VRF for all circuits without rules of their own, and one for each circuit that has some.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use srv6_dp::model::{Filter, FilterId, IfIndex, Rule};
use srv6_types::VrfId;

use crate::intent::{Circuit, FilterRule, Vrf};

/// Set in the ids of circuits' own filters: they are made of the interface's index, the others of the VRF's number, so that
/// none moves when another comes or goes.
const OWN: u32 = 1 << 31;

/// The filter of a circuit with a number.
pub(super) fn of_circuit(
    circuit: &Circuit,
    interface: IfIndex,
    vrf: &Vrf,
    id: VrfId,
) -> Option<(FilterId, Filter)> {
    let filter = filter(&circuit.filter, vrf);
    let id = if circuit.filter.is_empty() { FilterId(id.0) } else { FilterId(OWN | interface.0) };
    (!filter.rules.is_empty()).then_some((id, filter))
}

/// Rules of a circuit's own go before those of the VRF.
pub(crate) fn filter(own: &[FilterRule], vrf: &Vrf) -> Filter {
    Filter { rules: own.iter().chain(&vrf.filter).flat_map(rules).collect() }
}

/// The rule, for each family where it names no prefix.
fn rules(wanted: &FilterRule) -> Vec<Rule> {
    let everywhere: [IpNet; 2] = [
        Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into(),
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into(),
    ];
    let prefixes = wanted.prefix.map_or(everywhere.to_vec(), |prefix| vec![prefix.trunc()]);
    let rule = |prefix| Rule {
        name: wanted.name.clone(),
        direction: wanted.direction,
        prefix,
        protocol: wanted.protocol,
        ports: wanted.ports,
        action: wanted.action,
    };
    prefixes.into_iter().map(rule).collect()
}
