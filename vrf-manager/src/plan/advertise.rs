//! What is originated into BGP.

use bgp_core::rib::{LocalRoute, LocalSid};
use ipnet::IpNet;
use srv6_types::{Behavior, VrfId};

use super::{PlannedVrf, RouteSource};
use crate::intent::{Intent, Source, Vrf};

/// Plain unicast of the global table.
pub(super) fn global(intent: &Intent) -> Vec<LocalRoute> {
    let route = |net: &IpNet| LocalRoute {
        vrf: VrfId::GLOBAL,
        prefix: (*net).into(),
        sid: None,
        med: None,
        local_pref: None,
        communities: Vec::new(),
    };
    intent.bgp.networks.iter().map(route).collect()
}

/// The routes of a VRF that leave this node: nothing without an export route target, for no one could import it.
pub(super) fn vrf(vrf: &Vrf, id: VrfId, planned: &PlannedVrf) -> Vec<LocalRoute> {
    if vrf.export_route_targets.is_empty() {
        return Vec::new();
    }
    let chosen = |source| match source {
        RouteSource::Connected => vrf.redistribute.contains(&Source::Connected),
        RouteSource::Static => vrf.redistribute.contains(&Source::Static),
        _ => false,
    };
    let routes = planned.routes.iter().filter(|(net, route)| chosen(route.source) && !is_link_local(net));
    routes
        .filter_map(|(net, _)| {
            let sid = planned.sids.iter().find(|sid| decapsulates(sid, net))?;
            Some(LocalRoute {
                vrf: id,
                prefix: (*net).into(),
                sid: Some(*sid),
                med: None,
                local_pref: None,
                communities: Vec::new(),
            })
        })
        .collect()
}

fn decapsulates(sid: &LocalSid, net: &IpNet) -> bool {
    match sid.behavior {
        Behavior::END_DT4 => matches!(net, IpNet::V4(_)),
        Behavior::END_DT6 => matches!(net, IpNet::V6(_)),
        behavior => behavior == Behavior::END_DT46,
    }
}

/// RFC 4291 section 2.5.6 and RFC 3927: means nothing beyond its link.
fn is_link_local(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.addr().is_link_local(),
        IpNet::V6(net) => net.addr().is_unicast_link_local(),
    }
}
