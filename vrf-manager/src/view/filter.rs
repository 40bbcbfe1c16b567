use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use srv6_dp::model::{Action, Direction, Rule};
use srv6_types::VrfId;

use crate::table::VrfTables;

/// The filter of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterView {
    /// The circuit's interface.
    pub interface: String,
    /// Its number in the dataplane; circuits without rules of their own share the VRF's.
    pub id: u32,
    /// In order; the first that matches decides.
    pub rules: Vec<RuleView>,
}

/// A rule, as the dataplane has it: of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    /// Operator's name.
    pub name: String,
    /// `in`: from the circuit, `out`: to it.
    pub direction: String,
    /// The far end.
    pub prefix: IpNet,
    /// IP protocol.
    pub protocol: Option<u8>,
    /// Destination ports, first and last.
    pub ports: Option<(u16, u16)>,
    /// `accept` or `drop`.
    pub action: String,
}

impl VrfTables {
    /// The filters of a VRF's circuits that are attached and have one.
    pub fn filter_views(&self, vrf: VrfId) -> Vec<FilterView> {
        let circuits = self.planned_vrf(vrf).into_iter().flat_map(|planned| &planned.circuits);
        circuits
            .filter_map(|circuit| {
                let (id, filter) = self.filter_of(circuit.index?, vrf)?;
                let rules = filter.rules.iter().map(rule).collect();
                Some(FilterView { interface: circuit.interface.clone(), id: id.0, rules })
            })
            .collect()
    }
}

fn rule(rule: &Rule) -> RuleView {
    RuleView {
        name: rule.name.clone(),
        direction: match rule.direction {
            Direction::In => "in".to_owned(),
            Direction::Out => "out".to_owned(),
        },
        prefix: rule.prefix,
        protocol: rule.protocol,
        ports: rule.ports,
        action: match rule.action {
            Action::Accept => "accept".to_owned(),
            Action::Drop => "drop".to_owned(),
        },
    }
}
