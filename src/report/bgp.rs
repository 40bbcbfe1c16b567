use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{
    Render,
    table::{Columns, duration, listed, or_dash},
};

/// `show bgp summary`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BgpSummary {
    /// Our AS number.
    pub(crate) asn: u32,
    /// Our BGP identifier.
    pub(crate) router_id: Ipv4Addr,
    /// Peers by address.
    pub(crate) neighbors: Vec<Neighbor>,
}

/// `show neighbors`: the same peers, each in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Neighbors {
    /// Peers by address.
    pub(crate) neighbors: Vec<Neighbor>,
}

/// A peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Neighbor {
    pub(crate) address: IpAddr,
    pub(crate) asn: u32,
    pub(crate) description: String,
    /// FSM state: Idle, Connect, Active, OpenSent, OpenConfirm, Established.
    pub(crate) state: String,
    /// Seconds since it is Established.
    pub(crate) uptime_seconds: Option<u64>,
    pub(crate) router_id: Option<Ipv4Addr>,
    /// Negotiated, seconds.
    pub(crate) hold_time: Option<u64>,
    /// Negotiated, seconds.
    pub(crate) keepalive: Option<u64>,
    /// What the peer offered.
    pub(crate) capabilities: Vec<String>,
    pub(crate) families: Vec<FamilyCounts>,
    /// Families whose routes are kept from before the peer's restart.
    pub(crate) stale: Vec<String>,
    pub(crate) messages_received: u64,
    pub(crate) messages_sent: u64,
    /// Why the last session ended.
    pub(crate) last_error: Option<String>,
    /// How long ago, in seconds.
    pub(crate) last_error_seconds: Option<u64>,
    /// What keeps the session from coming up, where that can be told.
    pub(crate) hint: Option<String>,
}

/// Routes of a family with a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FamilyCounts {
    pub(crate) family: String,
    pub(crate) received: u64,
    pub(crate) accepted: u64,
    pub(crate) advertised: u64,
}

impl Render for BgpSummary {
    fn render(&self) -> String {
        let mut columns = Columns::new([
            "NEIGHBOR",
            "AS",
            "STATE",
            "UP",
            "FAMILY",
            "RECEIVED",
            "ACCEPTED",
            "SENT",
            "DESCRIPTION",
        ])
        .right([1, 5, 6, 7]);
        for peer in &self.neighbors {
            let mut head = [
                peer.address.to_string(),
                peer.asn.to_string(),
                peer.state.clone(),
                or_dash(peer.uptime_seconds.map(duration).as_ref()),
            ];
            let none = FamilyCounts { family: "-".into(), received: 0, accepted: 0, advertised: 0 };
            let families =
                if peer.families.is_empty() { std::slice::from_ref(&none) } else { &peer.families };
            for (index, counts) in families.iter().enumerate() {
                if index > 0 {
                    head = Default::default();
                }
                let [address, asn, state, up] = head.clone();
                let description = if index == 0 { peer.description.clone() } else { String::new() };
                columns.row([
                    address,
                    asn,
                    state,
                    up,
                    counts.family.clone(),
                    counts.received.to_string(),
                    counts.accepted.to_string(),
                    counts.advertised.to_string(),
                    description,
                ]);
            }
        }
        format!("router {}, AS {}\n{}", self.router_id, self.asn, columns.text("no neighbors configured"))
    }
}

impl Render for Neighbors {
    fn render(&self) -> String {
        self.neighbors.iter().map(Neighbor::render).collect::<Vec<_>>().join("\n\n")
    }
}

impl Render for Neighbor {
    fn render(&self) -> String {
        let mut lines =
            vec![format!("{} AS {} {}", self.address, self.asn, self.description).trim_end().to_owned()];
        let up = self.uptime_seconds.map(|s| format!(" for {}", duration(s))).unwrap_or_default();
        lines.push(format!("  state         {}{up}", self.state));
        lines.push(format!("  router id     {}", or_dash(self.router_id.as_ref())));
        lines.push(format!(
            "  timers        hold {} s, keepalive {} s",
            or_dash(self.hold_time.as_ref()),
            or_dash(self.keepalive.as_ref())
        ));
        lines.push(format!("  capabilities  {}", self.capabilities.join(", ")));
        lines.push(format!(
            "  messages      {} received, {} sent",
            self.messages_received, self.messages_sent
        ));
        for counts in &self.families {
            lines.push(format!(
                "  {:<13} {} received, {} accepted, {} sent",
                counts.family, counts.received, counts.accepted, counts.advertised
            ));
        }
        if !self.stale.is_empty() {
            lines.push(format!("  stale         {}", self.stale.join(", ")));
        }
        let ago = self.last_error_seconds.map(|s| format!(", {} ago", duration(s))).unwrap_or_default();
        lines.push(format!("  last error    {}{ago}", self.last_error.as_deref().unwrap_or("none")));
        lines.extend(self.hint.as_ref().map(|hint| format!("  hint          {hint}")));
        lines.join("\n")
    }
}

/// `show bgp routes FAMILY [PREFIX]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BgpRoutes {
    pub(crate) family: String,
    pub(crate) routes: Vec<BgpRoute>,
}

/// A path of a route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BgpRoute {
    pub(crate) rd: Option<String>,
    pub(crate) prefix: String,
    pub(crate) best: bool,
    /// Kept from before the peer's restart.
    pub(crate) stale: bool,
    /// Address of the peer, or `local`.
    pub(crate) from: String,
    pub(crate) next_hop: Option<String>,
    pub(crate) label: Option<u32>,
    /// The service SID, transposed bits folded in.
    pub(crate) sid: Option<String>,
    pub(crate) behavior: Option<String>,
    pub(crate) route_targets: Vec<String>,
    pub(crate) as_path: String,
    pub(crate) origin: String,
    /// The degree of preference, 100 where the route came without.
    pub(crate) local_pref: u32,
    pub(crate) med: Option<u32>,
    pub(crate) communities: Vec<String>,
    /// Those that are no route targets.
    pub(crate) extended_communities: Vec<String>,
    /// VRFs that import it.
    pub(crate) imported_into: Vec<String>,
    /// Why it is not the best, or not used at all.
    pub(crate) reason: Option<String>,
}

impl Render for BgpRoutes {
    fn render(&self) -> String {
        if self.family.starts_with("vpn") { self.render_vpn() } else { self.render_unicast() }
    }
}

impl BgpRoutes {
    fn render_vpn(&self) -> String {
        let mut columns = Columns::new([
            "",
            "RD",
            "PREFIX",
            "NEXT HOP",
            "LABEL",
            "SID",
            "BEHAVIOR",
            "ROUTE TARGETS",
            "LOCAL PREF",
            "COMMUNITIES",
            "FROM",
            "VRFS",
            "REASON",
        ])
        .right([4, 8]);
        for route in &self.routes {
            columns.row([
                route.mark(),
                or_dash(route.rd.as_ref()),
                route.prefix.clone(),
                or_dash(route.next_hop.as_ref()),
                or_dash(route.label.as_ref()),
                or_dash(route.sid.as_ref()),
                or_dash(route.behavior.as_ref()),
                route.route_targets.join(" "),
                route.local_pref.to_string(),
                route.all_communities(),
                route.from.clone(),
                route.imported_into.join(" "),
                route.reason.clone().unwrap_or_default(),
            ]);
        }
        self.with_legend(&columns)
    }

    fn render_unicast(&self) -> String {
        let mut columns = Columns::new([
            "",
            "PREFIX",
            "NEXT HOP",
            "AS PATH",
            "ORIGIN",
            "LOCAL PREF",
            "MED",
            "COMMUNITIES",
            "FROM",
            "REASON",
        ])
        .right([5, 6]);
        for route in &self.routes {
            columns.row([
                route.mark(),
                route.prefix.clone(),
                or_dash(route.next_hop.as_ref()),
                route.as_path.clone(),
                route.origin.clone(),
                route.local_pref.to_string(),
                or_dash(route.med.as_ref()),
                route.all_communities(),
                route.from.clone(),
                route.reason.clone().unwrap_or_default(),
            ]);
        }
        self.with_legend(&columns)
    }

    fn with_legend(&self, columns: &Columns) -> String {
        match self.routes.len() {
            0 => format!("no {} routes", self.family),
            n => format!("{}\n{n} paths; > best, s stale", columns.text("")),
        }
    }
}

impl BgpRoute {
    fn all_communities(&self) -> String {
        let all: Vec<_> = self.communities.iter().chain(&self.extended_communities).collect();
        listed(&all)
    }

    fn mark(&self) -> String {
        format!("{}{}", if self.best { ">" } else { " " }, if self.stale { "s" } else { "" })
    }
}
