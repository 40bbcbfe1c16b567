//! Filters of circuits, with what each rule has decided.

use srv6_dp::{
    Dataplane,
    model::{FilterCounters, FilterId},
};
use vrf_manager::view::{FilterView, RuleView};

use super::Refusal;
use crate::{
    agent::{chain, node::Node},
    report,
};

impl Node {
    pub(super) fn filters(&self, name: Option<&str>) -> Result<report::Filters, Refusal> {
        let vrfs = self.chosen(name)?;
        let counters = self.dataplane.counters().map_err(|error| chain(&error))?;
        let filters = vrfs.iter().flat_map(|(id, vrf)| {
            let views = self.tables.filter_views(*id).into_iter();
            views.map(|view| {
                let counted = counters.filters.get(&FilterId(view.id)).cloned().unwrap_or_default();
                filter(vrf, view, &counted)
            })
        });
        Ok(report::Filters { filters: filters.collect() })
    }
}

fn filter(vrf: &str, view: FilterView, counted: &FilterCounters) -> report::Filter {
    let rule = |(index, rule): (usize, RuleView)| {
        // A filter that is being changed may have others for a moment.
        let of = counted.rules.get(index).filter(|(name, _)| *name == rule.name);
        let tally = of.map(|(_, tally)| *tally).unwrap_or_default();
        report::Rule { view: rule, packets: tally.packets, bytes: tally.bytes }
    };
    report::Filter {
        vrf: vrf.to_owned(),
        interface: view.interface,
        id: view.id,
        rules: view.rules.into_iter().enumerate().map(rule).collect(),
        unmatched: counted.unmatched.packets,
        bytes_unmatched: counted.unmatched.bytes,
        admitted: counted.admitted.packets,
        bytes_admitted: counted.admitted.bytes,
    }
}
