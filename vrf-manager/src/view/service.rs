use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use srv6_dp::model::Reach;
use srv6_types::VrfId;

use crate::{
    intent::{Backend, BackendState, TrafficPolicy},
    plan::{Advertised, NoWay, PlannedService},
    table::VrfTables,
};

/// A service of a VRF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    /// Operator's name.
    pub name: String,
    /// VIPs.
    pub vips: Vec<AdvertisedView>,
    /// Ports.
    pub ports: Vec<ServicePortView>,
    /// Which backends take what comes from other nodes.
    pub policy: TrafficPolicy,
    /// Seconds that a client keeps its backend.
    pub affinity: Option<u64>,
    /// Other nodes are to be preferred.
    pub graceful_shutdown: bool,
    /// Backends.
    pub backends: Vec<BackendView>,
}

/// An address and whether other nodes hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvertisedView {
    /// The address.
    pub address: IpAddr,
    /// The SID that it is advertised with.
    pub sid: Option<Ipv6Addr>,
    /// Why it is not advertised.
    pub withheld: Option<String>,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePortView {
    /// IP protocol: TCP, UDP or SCTP.
    pub protocol: u8,
    /// Port of the VIP.
    pub port: u16,
    /// Port of the backends.
    pub target_port: u16,
}

/// A backend of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendView {
    /// Its address.
    pub address: IpAddr,
    /// Share of new flows.
    pub weight: u16,
    /// Health.
    pub state: BackendState,
    /// Where it is.
    pub place: PlaceView,
}

/// Where a backend is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum PlaceView {
    /// Behind a circuit of this node.
    Here,
    /// Behind another node, which has the service as well.
    Direct,
    /// Behind another node; the client's address is translated.
    Translated {
        /// To this one.
        address: IpAddr,
    },
    /// No packet gets there.
    Nowhere {
        /// Why.
        reason: String,
    },
}

impl VrfTables {
    /// The services of a VRF, in the order of the configuration.
    pub fn service_views(&self, vrf: VrfId) -> Vec<ServiceView> {
        self.planned_vrf(vrf).into_iter().flat_map(|planned| &planned.services).map(service).collect()
    }
}

fn service(planned: &PlannedService) -> ServiceView {
    let wanted = &planned.wanted;
    let port = |port: &crate::intent::ServicePort| ServicePortView {
        protocol: port.transport.number(),
        port: port.port,
        target_port: port.target_port,
    };
    ServiceView {
        name: wanted.name.clone(),
        vips: planned.vips.iter().map(|(vip, told)| AdvertisedView::new(*vip, *told)).collect(),
        ports: wanted.ports.iter().map(port).collect(),
        policy: wanted.traffic_policy,
        affinity: wanted.affinity.map(|time| time.as_secs()),
        graceful_shutdown: wanted.graceful_shutdown,
        backends: wanted.backends.iter().zip(&planned.reach).map(|(b, reach)| backend(b, *reach)).collect(),
    }
}

fn backend(backend: &Backend, reach: Result<Reach, NoWay>) -> BackendView {
    BackendView {
        address: backend.address,
        weight: backend.weight,
        state: backend.state,
        place: match reach {
            Ok(Reach::Here) => PlaceView::Here,
            Ok(Reach::Direct) => PlaceView::Direct,
            Ok(Reach::Translated(address)) => PlaceView::Translated { address },
            Err(reason) => PlaceView::Nowhere { reason: reason.to_string() },
        },
    }
}

impl AdvertisedView {
    pub(super) fn new(address: IpAddr, told: Advertised) -> Self {
        Self {
            address,
            sid: told.ok().map(|told| told.sid.addr()),
            withheld: told.err().map(|reason| reason.to_string()),
        }
    }
}
