use serde::{Deserialize, Serialize};
use vrf_manager::view::RuleView;

use super::{
    Render,
    table::{Columns, ports, protocol},
};

/// `show filters`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filters {
    pub(crate) filters: Vec<Filter>,
}

/// The filter of a circuit. What it counts is of all circuits with the same id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    pub(crate) vrf: String,
    pub(crate) interface: String,
    pub(crate) id: u32,
    /// In order; the first that matches decides.
    pub(crate) rules: Vec<Rule>,
    /// Packets that no rule matched, which go through.
    pub(crate) unmatched: u64,
    pub(crate) bytes_unmatched: u64,
    /// Packets that go through as answers.
    pub(crate) admitted: u64,
    pub(crate) bytes_admitted: u64,
}

/// A rule with what it has decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    #[serde(flatten)]
    pub(crate) view: RuleView,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Render for Filters {
    fn render(&self) -> String {
        let mut columns = Columns::new([
            "VRF",
            "CIRCUIT",
            "RULE",
            "DIRECTION",
            "FAR END",
            "PROTOCOL",
            "PORTS",
            "ACTION",
            "PACKETS",
            "BYTES",
        ])
        .right([8, 9]);
        for filter in &self.filters {
            filter.rows(&mut columns);
        }
        columns.text("no circuit has a filter")
    }
}

impl Filter {
    fn rows(&self, columns: &mut Columns) {
        let circuit = || [self.vrf.clone(), self.interface.clone()];
        let dash = || "-".to_owned();
        for Rule { view, packets, bytes } in &self.rules {
            let [vrf, interface] = circuit();
            columns.row([
                vrf,
                interface,
                view.name.clone(),
                view.direction.clone(),
                view.prefix.to_string(),
                view.protocol.map_or_else(dash, protocol),
                ports(view.ports),
                view.action.clone(),
                packets.to_string(),
                bytes.to_string(),
            ]);
        }
        let rest = [
            ("(answers)", self.admitted, self.bytes_admitted),
            ("(no rule)", self.unmatched, self.bytes_unmatched),
        ];
        for (words, packets, bytes) in rest {
            let [vrf, interface] = circuit();
            let (packets, bytes) = (packets.to_string(), bytes.to_string());
            let action = "accept".to_owned();
            columns.row([
                vrf,
                interface,
                words.to_owned(),
                dash(),
                dash(),
                dash(),
                dash(),
                action,
                packets,
                bytes,
            ]);
        }
    }
}
