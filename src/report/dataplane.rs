use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vrf_manager::view::SidView;

use super::{
    Render,
    table::{Columns, duration, or_dash, protocol},
};

/// `show sids`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sids {
    pub(crate) sids: Vec<Sid>,
}

/// A local SID.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sid {
    #[serde(flatten)]
    pub(crate) view: SidView,
    /// Packets decapsulated.
    pub(crate) packets: u64,
    /// Octets of the inner packets.
    pub(crate) bytes: u64,
}

impl Render for Sids {
    fn render(&self) -> String {
        let mut columns =
            Columns::new(["SID", "BEHAVIOR", "ROLE", "VRF", "LOCATOR", "PACKETS", "BYTES"]).right([5, 6]);
        for sid in &self.sids {
            columns.row([
                sid.view.sid.to_string(),
                sid.view.behavior.clone(),
                or_dash(sid.view.role.as_ref()),
                sid.view.vrf.clone(),
                or_dash(sid.view.locator.as_ref()),
                sid.packets.to_string(),
                sid.bytes.to_string(),
            ]);
        }
        columns.text("no local SIDs")
    }
}

/// `show drops`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drops {
    pub(crate) drops: Vec<Drop>,
    /// The last ones, newest first: a sample, for the programs limit their rate.
    pub(crate) recent: Vec<DroppedPacket>,
}

/// A packet that was dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DroppedPacket {
    pub(crate) seconds_ago: u64,
    pub(crate) vrf: String,
    pub(crate) reason: String,
    /// Name of the filter's rule that dropped it.
    pub(crate) rule: Option<String>,
    /// Interface that it came in by.
    pub(crate) interface: String,
    /// Of the inner packet; `None` when it was not parsed that far.
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: Option<IpAddr>,
    /// IP protocol or IPv6 next header.
    pub(crate) protocol: Option<u8>,
    /// Source and destination port of TCP and UDP.
    pub(crate) ports: Option<(u16, u16)>,
}

/// What was dropped for one reason in one VRF.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drop {
    /// `-` where no VRF was known yet.
    pub(crate) vrf: String,
    pub(crate) reason: String,
    pub(crate) packets: u64,
    /// What the reason means.
    pub(crate) meaning: String,
}

impl Render for Drops {
    fn render(&self) -> String {
        let mut columns = Columns::new(["VRF", "REASON", "PACKETS", "MEANING"]).right([2]);
        for drop in &self.drops {
            columns.row([
                drop.vrf.clone(),
                drop.reason.clone(),
                drop.packets.to_string(),
                drop.meaning.clone(),
            ]);
        }
        let mut text = columns.text("no packet was dropped");
        if !self.recent.is_empty() {
            text.push_str("\n\nthe last of them (a sample), newest first:\n");
            text.push_str(&self.render_recent());
        }
        text
    }
}

impl Drops {
    fn render_recent(&self) -> String {
        let mut columns = Columns::new([
            "AGO",
            "VRF",
            "REASON",
            "RULE",
            "INTERFACE",
            "SOURCE",
            "DESTINATION",
            "PROTOCOL",
            "PORTS",
        ]);
        for packet in &self.recent {
            columns.row([
                duration(packet.seconds_ago),
                packet.vrf.clone(),
                packet.reason.clone(),
                or_dash(packet.rule.as_ref()),
                packet.interface.clone(),
                or_dash(packet.source.as_ref()),
                or_dash(packet.destination.as_ref()),
                packet.protocol.map_or_else(|| "-".to_owned(), protocol),
                packet.ports.map_or_else(|| "-".to_owned(), |(from, to)| format!("{from} > {to}")),
            ]);
        }
        columns.text("")
    }
}

/// `show counters`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    pub(crate) vrfs: Vec<VrfCounters>,
}

/// What a VRF has counted, in packets; a GSO packet of many segments is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VrfCounters {
    pub(crate) vrf: String,
    pub(crate) from_circuit: u64,
    pub(crate) encapsulated: u64,
    pub(crate) decapsulated: u64,
    pub(crate) delivered: u64,
    /// Answered by the programs: ARP, ND, echo, ICMP errors.
    pub(crate) answered: u64,
    pub(crate) dropped: u64,
    /// Octets of the inner packets that were encapsulated.
    pub(crate) bytes_encapsulated: u64,
    /// Octets of the inner packets that were decapsulated.
    pub(crate) bytes_decapsulated: u64,
}

impl Render for Counters {
    fn render(&self) -> String {
        let mut columns = Columns::new([
            "VRF",
            "FROM CIRCUIT",
            "ENCAPSULATED",
            "DECAPSULATED",
            "DELIVERED",
            "ANSWERED",
            "DROPPED",
            "BYTES OUT",
            "BYTES IN",
        ])
        .right([1, 2, 3, 4, 5, 6, 7, 8]);
        for vrf in &self.vrfs {
            columns.row([
                vrf.vrf.clone(),
                vrf.from_circuit.to_string(),
                vrf.encapsulated.to_string(),
                vrf.decapsulated.to_string(),
                vrf.delivered.to_string(),
                vrf.answered.to_string(),
                vrf.dropped.to_string(),
                vrf.bytes_encapsulated.to_string(),
                vrf.bytes_decapsulated.to_string(),
            ]);
        }
        columns.text("no VRFs configured")
    }
}
