//! `sixedge show`: asks the agent, and prints tables for people or JSON for programs.

use std::{net::IpAddr, path::PathBuf, process::ExitCode};

use bgp_wire::Family;
use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    control::{self, Request},
    report::{self, Render},
};

/// Shows what the running agent holds.
#[derive(Args)]
pub(crate) struct Show {
    /// JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// Socket of the agent.
    #[arg(long, global = true, value_name = "FILE", default_value = control::DEFAULT_PATH)]
    socket: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Sessions and routes of BGP.
    #[command(subcommand)]
    Bgp(Bgp),
    /// VRFs; with a name that one, with `routes` its routing table.
    Vrf {
        /// Name of a VRF.
        name: Option<String>,
        /// The word `routes`.
        #[arg(value_enum, requires = "name")]
        detail: Option<VrfDetail>,
    },
    /// Local SIDs with their counters.
    Sids,
    /// BGP neighbors in full.
    Neighbors,
    /// Packets that were dropped, by VRF and reason.
    Drops,
    /// Packets by VRF.
    Counters,
    /// Services with their backends and counters.
    Services {
        /// This VRF only.
        #[arg(long, value_name = "NAME")]
        vrf: Option<String>,
    },
    /// Flows that a VRF remembers, those used last first.
    Flows {
        /// Name of a VRF.
        vrf: String,
        /// Most that are shown, 100 unless said otherwise.
        #[arg(long, value_name = "NUMBER")]
        limit: Option<u32>,
    },
    /// Egress addresses of this node, and egress policies.
    Egress {
        /// This VRF only.
        #[arg(long, value_name = "NAME")]
        vrf: Option<String>,
        /// Tells the ports that this host may have.
        #[arg(long, value_name = "ADDRESS")]
        host: Option<IpAddr>,
    },
    /// Filters of circuits, with what each rule has decided.
    Filters {
        /// This VRF only.
        #[arg(long, value_name = "NAME")]
        vrf: Option<String>,
    },
}

#[derive(Subcommand)]
enum Bgp {
    /// One line per neighbor and family.
    Summary,
    /// Every path of a family.
    Routes {
        /// ipv4-unicast, ipv6-unicast, vpnv4 or vpnv6.
        #[arg(value_parser = family)]
        family: Family,
        /// This prefix only.
        prefix: Option<IpNet>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum VrfDetail {
    /// The routing table.
    Routes,
}

fn family(word: &str) -> Result<Family, String> {
    Family::ALL.into_iter().find(|family| family.word() == word).ok_or_else(|| {
        let words: Vec<_> = Family::ALL.iter().map(|family| family.word()).collect();
        format!("not a family; write one of {}", words.join(", "))
    })
}

impl Show {
    pub(crate) fn run(&self) -> ExitCode {
        let answer = control::call(&self.socket, &self.what.request()).map_err(|error| error.to_string());
        let text = answer.and_then(|value| if self.json { pretty(&value) } else { self.what.render(value) });
        match text {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("sixedge show: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

impl What {
    fn request(&self) -> Request {
        match self {
            Self::Bgp(Bgp::Summary) => Request::ShowBgpSummary,
            Self::Bgp(Bgp::Routes { family, prefix }) => {
                Request::ShowBgpRoutes { family: Some(*family), prefix: *prefix }
            }
            Self::Vrf { name: Some(name), detail: Some(VrfDetail::Routes) } => {
                Request::ShowVrfRoutes { name: name.clone() }
            }
            Self::Vrf { name, .. } => Request::ShowVrfs { name: name.clone() },
            Self::Sids => Request::ShowSids,
            Self::Neighbors => Request::ShowNeighbors,
            Self::Drops => Request::ShowDrops,
            Self::Counters => Request::ShowCounters,
            Self::Services { vrf } => Request::ShowServices { vrf: vrf.clone() },
            Self::Flows { vrf, limit } => Request::ShowFlows { vrf: vrf.clone(), limit: *limit },
            Self::Egress { vrf, host } => Request::ShowEgress { vrf: vrf.clone(), host: *host },
            Self::Filters { vrf } => Request::ShowFilters { vrf: vrf.clone() },
        }
    }

    fn render(&self, answer: Value) -> Result<String, String> {
        match self {
            Self::Bgp(Bgp::Summary) => table::<report::BgpSummary>(answer),
            Self::Bgp(Bgp::Routes { .. }) => table::<report::BgpRoutes>(answer),
            Self::Vrf { detail: Some(VrfDetail::Routes), .. } => table::<report::VrfRoutes>(answer),
            Self::Vrf { .. } => table::<report::Vrfs>(answer),
            Self::Sids => table::<report::Sids>(answer),
            Self::Neighbors => table::<report::Neighbors>(answer),
            Self::Drops => table::<report::Drops>(answer),
            Self::Counters => table::<report::Counters>(answer),
            Self::Services { .. } => table::<report::Services>(answer),
            Self::Flows { .. } => table::<report::Flows>(answer),
            Self::Egress { .. } => table::<report::Egress>(answer),
            Self::Filters { .. } => table::<report::Filters>(answer),
        }
    }
}

fn pretty(answer: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(answer).map_err(|error| error.to_string())
}

fn table<T: DeserializeOwned + Render>(answer: Value) -> Result<String, String> {
    serde_json::from_value::<T>(answer).map(|report| report.render()).map_err(|error| {
        format!("the agent is of another version than this program ({error}); restart it, or use --json")
    })
}
