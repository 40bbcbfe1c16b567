use serde::{Deserialize, Serialize};

use super::{Render, table::Columns};

/// `show vrf [NAME]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vrfs {
    pub(crate) vrfs: Vec<Vrf>,
}

/// A VRF.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vrf {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) rd: String,
    pub(crate) import_route_targets: Vec<String>,
    pub(crate) export_route_targets: Vec<String>,
    /// `SID behaviour`.
    pub(crate) sids: Vec<String>,
    pub(crate) circuits: Vec<Circuit>,
    pub(crate) routes: usize,
    /// What is wrong with it, in words.
    pub(crate) problems: Vec<String>,
}

/// An attachment circuit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Circuit {
    pub(crate) interface: String,
    /// `up`, `down` or `missing`.
    pub(crate) state: String,
    pub(crate) addresses: Vec<String>,
}

impl Render for Vrfs {
    fn render(&self) -> String {
        let mut columns =
            Columns::new(["VRF", "ID", "RD", "IMPORT", "EXPORT", "SIDS", "CIRCUITS", "ROUTES"]).right([1, 7]);
        for vrf in &self.vrfs {
            let circuits: Vec<_> =
                vrf.circuits.iter().map(|c| format!("{} ({})", c.interface, c.state)).collect();
            columns.row([
                vrf.name.clone(),
                vrf.id.to_string(),
                vrf.rd.clone(),
                vrf.import_route_targets.join(" "),
                vrf.export_route_targets.join(" "),
                vrf.sids.join(", "),
                circuits.join(", "),
                vrf.routes.to_string(),
            ]);
        }
        let mut text = columns.text("no VRFs configured");
        for vrf in &self.vrfs {
            for problem in &vrf.problems {
                text.push_str(&format!("\n{}: {problem}", vrf.name));
            }
        }
        text
    }
}

/// `show vrf NAME routes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VrfRoutes {
    pub(crate) vrf: String,
    pub(crate) routes: Vec<VrfRoute>,
}

/// A route of a VRF, the one in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VrfRoute {
    pub(crate) prefix: String,
    /// `connected`, `local`, `static` or `bgp`.
    pub(crate) source: String,
    /// Where it leads, in words.
    pub(crate) via: String,
    /// The dataplane holds it.
    pub(crate) programmed: bool,
    /// Kept from before a restart, not yet told again.
    pub(crate) stale: bool,
    /// Why it cannot be used.
    pub(crate) problem: Option<String>,
}

impl Render for VrfRoutes {
    fn render(&self) -> String {
        let mut columns = Columns::new(["PREFIX", "SOURCE", "VIA", "STATE"]);
        for route in &self.routes {
            let mut state =
                if route.programmed { "programmed".to_owned() } else { "not programmed".to_owned() };
            if route.stale {
                state.push_str(", stale");
            }
            if let Some(problem) = &route.problem {
                state.push_str(&format!(": {problem}"));
            }
            columns.row([route.prefix.clone(), route.source.clone(), route.via.clone(), state]);
        }
        columns.text(&format!("VRF {} has no routes", self.vrf))
    }
}
