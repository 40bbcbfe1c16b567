use std::net::Ipv4Addr;

use bgp_wire::{Family, capability::Capability, message::Open};
use serde::Serialize;

use super::hex;

#[derive(Serialize)]
pub(in crate::decode) struct OpenView {
    /// From the capability, where there is one.
    pub(in crate::decode) asn: u32,
    pub(in crate::decode) hold_time: u16,
    pub(in crate::decode) router_id: Ipv4Addr,
    pub(in crate::decode) capabilities: Vec<CapabilityView>,
}

#[derive(Serialize)]
pub(in crate::decode) struct CapabilityView {
    pub(in crate::decode) code: u8,
    pub(in crate::decode) name: &'static str,
    /// What it says, in words; empty where its presence says all.
    pub(in crate::decode) detail: String,
}

impl OpenView {
    pub(super) fn of(open: &Open) -> Self {
        Self {
            asn: open.asn(),
            hold_time: open.hold_time,
            router_id: open.router_id,
            capabilities: open.capabilities.iter().map(CapabilityView::of).collect(),
        }
    }
}

impl CapabilityView {
    fn of(capability: &Capability) -> Self {
        let (name, detail) = match capability {
            Capability::MultiProtocol { afi, safi } => ("multiprotocol", family(*afi, *safi)),
            Capability::RouteRefresh => ("route-refresh", String::new()),
            Capability::EnhancedRouteRefresh => ("enhanced-route-refresh", String::new()),
            Capability::ExtendedNextHop(all) => (
                "extended-next-hop",
                list(all, |(afi, safi, over)| format!("{} over AFI {over}", family(*afi, *safi as u8))),
            ),
            Capability::ExtendedMessage => ("extended-message", String::new()),
            Capability::GracefulRestart(restart) => {
                let kept = |kept| if kept { " (forwarding kept)" } else { "" };
                let mut detail = format!("{} s", restart.restart_time);
                detail += if restart.restarted { ", restarted" } else { "" };
                detail += if restart.notification { ", notification" } else { "" };
                for (afi, safi, forwarding) in &restart.families {
                    detail += &format!(", {}{}", family(*afi, *safi), kept(*forwarding));
                }
                ("graceful-restart", detail)
            }
            Capability::FourOctetAs(asn) => ("four-octet-as", asn.to_string()),
            Capability::AddPath(all) => (
                "add-path",
                list(all, |(afi, safi, mode)| {
                    let mode = match mode {
                        1 => "receive".to_owned(),
                        2 => "send".to_owned(),
                        3 => "both".to_owned(),
                        other => format!("mode {other}"),
                    };
                    format!("{} {mode}", family(*afi, *safi))
                }),
            ),
            Capability::Unknown { value, .. } => ("unknown", hex(value)),
        };
        Self { code: capability.code(), name, detail }
    }
}

fn list<T>(all: &[T], text: impl Fn(&T) -> String) -> String {
    all.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The word, or the codes of a family that sixedge does not speak.
pub(super) fn family(afi: u16, safi: u8) -> String {
    Family::from_code(afi, safi).map_or_else(|| format!("{afi}/{safi}"), |family| family.to_string())
}
