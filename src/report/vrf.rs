use serde::{Deserialize, Serialize};
use vrf_manager::view::{CircuitView, NextHopView, RouteView, VrfView};

use super::{
    Render,
    table::{Columns, or_dash},
};

/// `show vrf [NAME]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vrfs {
    pub(crate) vrfs: Vec<VrfView>,
}

/// `show vrf NAME routes`: also routes that are not used, with the reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VrfRoutes {
    pub(crate) vrf: String,
    pub(crate) routes: Vec<RouteView>,
}

impl Render for Vrfs {
    fn render(&self) -> String {
        let mut columns =
            Columns::new(["VRF", "ID", "RD", "IMPORT", "EXPORT", "SIDS", "CIRCUITS", "ROUTES", "STALE"])
                .right([1, 7, 8]);
        for vrf in &self.vrfs {
            let sids: Vec<_> = vrf.sids.iter().map(|sid| format!("{} {}", sid.sid, sid.behavior)).collect();
            columns.row([
                vrf.name.clone(),
                vrf.id.to_string(),
                or_dash(vrf.rd.as_ref()),
                vrf.import_route_targets.join(" "),
                vrf.export_route_targets.join(" "),
                sids.join(", "),
                vrf.circuits.iter().map(circuit).collect::<Vec<_>>().join(", "),
                vrf.routes.programmed.to_string(),
                vrf.routes.stale.to_string(),
            ]);
        }
        let mut text = columns.text("no VRFs configured");
        for problem in self.vrfs.iter().flat_map(|vrf| &vrf.problems) {
            text.push_str(&format!("\nproblem: {problem}"));
        }
        text
    }
}

fn circuit(circuit: &CircuitView) -> String {
    format!("{} ({})", circuit.interface, circuit.state)
}

impl Render for VrfRoutes {
    fn render(&self) -> String {
        let mut columns = Columns::new(["PREFIX", "SOURCE", "DISTANCE", "VIA", "STATE"]).right([2]);
        for route in &self.routes {
            columns.row([
                route.prefix.to_string(),
                route.source.to_string(),
                route.distance.to_string(),
                route.next_hop.as_ref().map_or_else(|| or_dash(route.remote.as_ref()), via),
                state(route),
            ]);
        }
        columns.text(&format!("VRF {} has no routes", self.vrf))
    }
}

fn state(route: &RouteView) -> String {
    let mut words = vec![if route.programmed { "programmed" } else { "not used" }.to_owned()];
    if route.stale {
        words.push("stale".to_owned());
    }
    words.extend(route.unusable.clone());
    words.join(", ")
}

pub(super) fn via(next_hop: &NextHopView) -> String {
    match next_hop {
        NextHopView::Encapsulate { segments, reduced } => {
            let segments: Vec<_> = segments.iter().map(ToString::to_string).collect();
            format!("{} {}", if *reduced { "encaps.red" } else { "encaps" }, segments.join(" "))
        }
        NextHopView::Gateway { interface, address } => format!("{address} on {interface}"),
        NextHopView::Connected { interface } => interface.clone(),
        NextHopView::Local { interface: Some(interface) } => format!("this PE, {interface}"),
        NextHopView::Local { interface: None } => "this PE".to_owned(),
        NextHopView::Service => "a service of this PE".to_owned(),
        NextHopView::Egress => "an egress address of this PE".to_owned(),
        NextHopView::Vrf { vrf } => format!("VRF {vrf}"),
        NextHopView::Unreachable => "unreachable".to_owned(),
        NextHopView::Blackhole => "blackhole".to_owned(),
    }
}
