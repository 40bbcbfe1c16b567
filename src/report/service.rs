use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use vrf_manager::view::{AdvertisedView, BackendView, PlaceView, ServiceView};

use super::{
    Render,
    table::{Columns, protocol},
};

/// `show services`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Services {
    pub(crate) services: Vec<Service>,
}

/// A service of a VRF.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Service {
    pub(crate) vrf: String,
    #[serde(flatten)]
    pub(crate) view: ServiceView,
    /// By VIP and port.
    pub(crate) counters: Vec<ServiceCounters>,
}

/// What a VIP has counted on a port, in packets; a GSO packet of many segments is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceCounters {
    pub(crate) address: IpAddr,
    /// IP protocol.
    pub(crate) protocol: u8,
    pub(crate) port: u16,
    pub(crate) target_port: u16,
    /// That were given a backend.
    pub(crate) flows: u64,
    /// From clients to backends.
    pub(crate) forwarded: u64,
    pub(crate) bytes_forwarded: u64,
    /// From backends back to clients.
    pub(crate) replies: u64,
    pub(crate) bytes_replied: u64,
    /// Dropped, for there was no backend.
    pub(crate) refused: u64,
}

impl Render for Services {
    fn render(&self) -> String {
        if self.services.is_empty() {
            return "no services configured".to_owned();
        }
        format!("{}\n\n{}", self.render_vips(), self.render_backends())
    }
}

impl Services {
    fn render_vips(&self) -> String {
        let mut columns = Columns::new([
            "VRF",
            "SERVICE",
            "VIP",
            "PROTOCOL",
            "TARGET",
            "POLICY",
            "FLOWS",
            "FORWARDED",
            "REPLIES",
            "REFUSED",
            "ADVERTISED",
        ])
        .right([4, 6, 7, 8, 9]);
        for service in &self.services {
            for counted in &service.counters {
                columns.row([
                    service.vrf.clone(),
                    service.view.name.clone(),
                    SocketAddr::new(counted.address, counted.port).to_string(),
                    protocol(counted.protocol),
                    counted.target_port.to_string(),
                    service.view.policy.to_string(),
                    counted.flows.to_string(),
                    counted.forwarded.to_string(),
                    counted.replies.to_string(),
                    counted.refused.to_string(),
                    service.advertised(counted.address),
                ]);
            }
        }
        columns.text("no VIP has a port")
    }

    fn render_backends(&self) -> String {
        let mut columns = Columns::new(["VRF", "SERVICE", "BACKEND", "WEIGHT", "STATE", "PLACE"]).right([3]);
        for service in &self.services {
            for backend in &service.view.backends {
                columns.row([
                    service.vrf.clone(),
                    service.view.name.clone(),
                    backend.address.to_string(),
                    backend.weight.to_string(),
                    backend.state.to_string(),
                    place(backend),
                ]);
            }
        }
        columns.text("no backends configured")
    }
}

impl Service {
    fn advertised(&self, vip: IpAddr) -> String {
        let leaving = if self.view.graceful_shutdown { ", graceful shutdown" } else { "" };
        let view = self.view.vips.iter().find(|view| view.address == vip);
        view.map_or_else(|| "-".to_owned(), |view| advertised(view, leaving))
    }
}

/// `fc00:0:1:8::`, or `no: no backend is ready`.
pub(super) fn advertised(view: &AdvertisedView, leaving: &str) -> String {
    match (&view.sid, &view.withheld) {
        (Some(sid), _) => format!("{sid}{leaving}"),
        (None, Some(reason)) => format!("no: {reason}"),
        (None, None) => "no".to_owned(),
    }
}

fn place(backend: &BackendView) -> String {
    match &backend.place {
        PlaceView::Here => "here".to_owned(),
        PlaceView::Direct => "another PE".to_owned(),
        PlaceView::Translated { address } => format!("another PE, clients as {address}"),
        PlaceView::Nowhere { reason } => format!("nowhere: {reason}"),
    }
}
