use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vrf_manager::view::{EgressAddressView, EgressChoiceView, EgressView};

use super::{
    Render,
    service::advertised,
    table::{Columns, listed, or_dash, ports},
    vrf::via,
};

/// `show egress`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Egress {
    /// Whose ports are told.
    pub(crate) host: Option<IpAddr>,
    /// Addresses that this node has.
    pub(crate) addresses: Vec<EgressAddress>,
    /// Policies for what comes from its circuits.
    pub(crate) policies: Vec<EgressPolicy>,
}

/// An egress address of this node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EgressAddress {
    pub(crate) vrf: String,
    #[serde(flatten)]
    pub(crate) view: EgressAddressView,
    /// First and last port that the host may have here.
    pub(crate) host_ports: Option<(u16, u16)>,
    /// Packets from hosts to the outside.
    pub(crate) outbound: u64,
    pub(crate) bytes_outbound: u64,
    /// Packets from the outside to hosts.
    pub(crate) inbound: u64,
    pub(crate) bytes_inbound: u64,
    /// Mappings made.
    pub(crate) mappings: u64,
    /// Packets dropped, for the host's block had no port left.
    pub(crate) exhausted: u64,
}

/// An egress policy of a VRF.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EgressPolicy {
    pub(crate) vrf: String,
    #[serde(flatten)]
    pub(crate) view: EgressView,
}

impl Render for Egress {
    fn render(&self) -> String {
        let addresses = self.render_addresses();
        let addresses = match self.host {
            Some(host) => format!("{addresses}\n{}", self.render_host(host)),
            None => addresses,
        };
        format!("{addresses}\n\n{}", self.render_policies())
    }
}

impl Egress {
    fn render_addresses(&self) -> String {
        let mut columns = Columns::new([
            "VRF",
            "ADDRESS",
            "PORTS",
            "BLOCKS",
            "OUTBOUND",
            "INBOUND",
            "MAPPINGS",
            "EXHAUSTED",
            "LOCAL PREF",
            "ADVERTISED",
        ])
        .right([4, 5, 6, 7, 8]);
        for address in &self.addresses {
            let view = &address.view;
            let leaving = if view.graceful_shutdown { ", graceful shutdown" } else { "" };
            columns.row([
                address.vrf.clone(),
                view.advertised.address.to_string(),
                ports(Some((view.first_port, view.last_port))),
                format!("{} of {}", view.blocks, view.port_block),
                address.outbound.to_string(),
                address.inbound.to_string(),
                address.mappings.to_string(),
                address.exhausted.to_string(),
                or_dash(view.local_preference.as_ref()),
                advertised(&view.advertised, leaving),
            ]);
        }
        columns.text("no egress address is this node's")
    }

    fn render_host(&self, host: IpAddr) -> String {
        let block = |address: &EgressAddress| {
            let range = ports(Some(address.host_ports?));
            let (vrf, address) = (&address.vrf, address.view.advertised.address);
            Some(format!("host {host} of {vrf} has ports {range} at {address}"))
        };
        let blocks: Vec<_> = self.addresses.iter().filter_map(block).collect();
        match blocks.is_empty() {
            true => format!("no egress address here is of the family of {host}"),
            false => blocks.join("\n"),
        }
    }

    fn render_policies(&self) -> String {
        let mut columns = Columns::new(["VRF", "POLICY", "FROM", "TO", "EXCEPT", "", "ADDRESS", "GATEWAY"]);
        for EgressPolicy { vrf, view } in &self.policies {
            for choice in &view.addresses {
                columns.row([
                    vrf.clone(),
                    view.name.clone(),
                    from(view),
                    listed(&view.destinations),
                    listed(&view.except),
                    if choice.used { ">".to_owned() } else { String::new() },
                    choice.address.to_string(),
                    gateway(choice),
                ]);
            }
        }
        columns.text("no egress policies configured")
    }
}

fn from(policy: &EgressView) -> String {
    let sources = policy.sources.iter().map(ToString::to_string);
    listed(&sources.chain(policy.circuits.iter().cloned()).collect::<Vec<_>>())
}

fn gateway(choice: &EgressChoiceView) -> String {
    choice.next_hop.as_ref().map_or_else(|| "no route".to_owned(), via)
}
