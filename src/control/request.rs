use std::net::IpAddr;

use bgp_wire::Family;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What can be asked: `{"request":"show-bgp-routes","family":"vpnv4"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// The speaker and its sessions in short.
    ShowBgpSummary,
    /// Routes of the Loc-RIB.
    ShowBgpRoutes {
        /// This family only.
        #[serde(default, with = "family", skip_serializing_if = "Option::is_none")]
        family: Option<Family>,
        /// This prefix only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<IpNet>,
    },
    /// Sessions in full.
    ShowNeighbors,
    /// VRFs.
    ShowVrfs {
        /// This one only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The routing table of a VRF.
    ShowVrfRoutes {
        /// The VRF.
        name: String,
    },
    /// Local SIDs.
    ShowSids,
    /// Packets dropped, by reason.
    ShowDrops,
    /// Counters of VRFs and SIDs.
    ShowCounters,
    /// Services.
    ShowServices {
        /// Of this VRF only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vrf: Option<String>,
    },
    /// Flows that a VRF remembers.
    ShowFlows {
        /// The VRF.
        vrf: String,
        /// So many at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Egress addresses and policies.
    ShowEgress {
        /// Of this VRF only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vrf: Option<String>,
        /// With the ports of this host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<IpAddr>,
    },
    /// Filters of circuits.
    ShowFilters {
        /// Of this VRF only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vrf: Option<String>,
    },
    /// The agent's version, which may differ from that of the CLI.
    Version,
    /// Reset the session with a peer.
    ClearBgp {
        /// The peer.
        neighbor: IpAddr,
    },
    /// Whether the node serves: the dataplane is right and BGP is up.
    Ready,
    /// Read the configuration again.
    Reload,
}

/// `{"ok": ...}` or `{"error": "..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Response {
    /// A report.
    Ok(serde_json::Value),
    /// Why there is none, and the remedy.
    Error(String),
}

/// A family by its word.
mod family {
    use bgp_wire::Family;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(family: &Option<Family>, out: S) -> Result<S::Ok, S::Error> {
        family.map(Family::word).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Family>, D::Error> {
        let Some(word) = Option::<String>::deserialize(input)? else { return Ok(None) };
        let family = Family::ALL.into_iter().find(|family| family.word() == word);
        family.map(Some).ok_or_else(|| {
            let words = Family::ALL.map(Family::word).join(", ");
            D::Error::custom(format_args!("{word:?} is not an address family; write one of {words}"))
        })
    }
}
