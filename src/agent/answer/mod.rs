//! Answers to the CLI, made of what the parts show of themselves.

mod bgp;
mod dataplane;
mod egress;
mod filter;
mod flow;
mod ready;
mod service;

use serde::Serialize;
use srv6_dp::model::IfIndex;
use srv6_types::VrfId;

use super::{node::Node, recent_drops::RecentDrops};
use crate::{
    control::{Request, Response},
    report,
};

/// Why a question has no answer, in words.
type Refusal = String;

impl Node {
    pub(super) async fn answer(&mut self, request: Request, recent: &RecentDrops) -> Response {
        let answer = match request {
            Request::ShowBgpSummary => json(self.summary().await),
            Request::ShowNeighbors => {
                json(self.neighbors().await.map(|neighbors| report::Neighbors { neighbors }))
            }
            Request::ShowBgpRoutes { family, prefix } => json(self.bgp_routes(family, prefix).await),
            Request::ShowVrfs { name } => json(self.vrfs(name.as_deref())),
            Request::ShowVrfRoutes { name } => json(self.vrf_routes(&name)),
            Request::ShowSids => json(self.sids()),
            Request::ShowDrops => json(self.drops(recent)),
            Request::ShowCounters => json(self.counters()),
            Request::ShowServices { vrf } => json(self.services(vrf.as_deref())),
            Request::ShowFlows { vrf, limit } => json(self.flows(&vrf, limit)),
            Request::ShowEgress { vrf, host } => json(self.egress(vrf.as_deref(), host)),
            Request::ShowFilters { vrf } => json(self.filters(vrf.as_deref())),
            Request::Version => json(Ok(env!("CARGO_PKG_VERSION"))),
            Request::ClearBgp { neighbor } => json(self.clear(neighbor).await),
            Request::Ready => json(self.ready().await),
            // The source's, which the node does not know.
            Request::Reload => Err("not asked of the node".to_owned()),
        };
        answer.map_or_else(Response::Error, Response::Ok)
    }

    fn vrfs(&self, name: Option<&str>) -> Result<report::Vrfs, Refusal> {
        let mut vrfs = self.tables.vrf_views();
        if let Some(name) = name {
            self.vrf(name)?;
            vrfs.retain(|vrf| vrf.name == name);
        }
        Ok(report::Vrfs { vrfs })
    }

    fn vrf_routes(&self, name: &str) -> Result<report::VrfRoutes, Refusal> {
        let vrf = self.vrf(name)?;
        Ok(report::VrfRoutes { vrf: name.to_owned(), routes: self.tables.route_views(vrf) })
    }

    fn vrf(&self, name: &str) -> Result<VrfId, Refusal> {
        self.tables.find(name).ok_or_else(|| {
            let names: Vec<_> = self.tables.names().map(|(_, name)| name).collect();
            format!("there is no VRF {name}; there are: {}", names.join(" "))
        })
    }

    /// The VRF of that name, or all of them.
    fn chosen(&self, name: Option<&str>) -> Result<Vec<(VrfId, String)>, Refusal> {
        match name {
            Some(name) => Ok(vec![(self.vrf(name)?, name.to_owned())]),
            None => Ok(self.tables.names().map(|(id, name)| (id, name.to_owned())).collect()),
        }
    }

    fn interface_name(&self, index: IfIndex) -> String {
        self.interface(index).map_or_else(|| format!("if{}", index.0), str::to_owned)
    }

    fn name_of(&self, id: VrfId) -> String {
        match self.tables.names().find(|(vrf, _)| *vrf == id) {
            Some((_, name)) => name.to_owned(),
            None if id == VrfId::GLOBAL => "-".to_owned(),
            None => id.to_string(),
        }
    }
}

fn json(report: Result<impl Serialize, Refusal>) -> Result<serde_json::Value, Refusal> {
    serde_json::to_value(report?).map_err(|error| error.to_string())
}
