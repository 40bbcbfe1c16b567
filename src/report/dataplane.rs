use serde::{Deserialize, Serialize};
use vrf_manager::view::SidView;

use super::{
    Render,
    table::{Columns, or_dash},
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
            Columns::new(["SID", "BEHAVIOR", "VRF", "LOCATOR", "PACKETS", "BYTES"]).right([4, 5]);
        for sid in &self.sids {
            columns.row([
                sid.view.sid.to_string(),
                sid.view.behavior.clone(),
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
        columns.text("no packet was dropped")
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
