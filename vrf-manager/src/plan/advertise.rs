//! What is originated into BGP.

use std::{collections::BTreeMap, net::IpAddr};

use bgp_core::rib::{DEFAULT_LOCAL_PREF, LocalRoute, LocalSid};
use ipnet::IpNet;
use srv6_dp::model::SidRole;
use srv6_types::{Behavior, VrfId};

use super::{PlannedService, PlannedSid, PlannedVrf, RouteSource};
use crate::intent::{Intent, Network, OwnedAddress, RouteAttributes, Source, Vrf};

/// Plain unicast of the global table.
pub(super) fn global(intent: &Intent) -> Vec<LocalRoute> {
    let route = |network: &Network| originated(VrfId::GLOBAL, network.prefix, None, &network.attributes);
    intent.bgp.networks.iter().map(route).collect()
}

/// With which SID a VIP or an egress address is advertised, or why it is not.
pub type Advertised = Result<LocalSid, Withheld>;

/// Why a VIP or an egress address is not advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// It is served here, and that is all that is wanted.
    #[error("the service is not to be advertised")]
    NotWanted,
    /// The VRF exports nothing.
    #[error("the VRF has no export route target")]
    NoTarget,
    /// The VRF has no route distinguisher.
    #[error("the VRF has no route distinguisher")]
    NoDistinguisher,
    /// There is no SID for it.
    #[error("there is no SID for it")]
    NoSid,
    /// No backend of the VIP's family is ready.
    #[error("no backend is ready")]
    NoBackend,
    /// None of those behind this node is, and only these count.
    #[error("no backend here is ready")]
    NoBackendHere,
}

impl PlannedVrf {
    /// The SID of that role that a prefix is advertised with.
    pub(super) fn advertised_with(&self, net: IpNet, role: SidRole) -> Advertised {
        if self.export.is_empty() {
            return Err(Withheld::NoTarget);
        }
        if self.rd.is_none() {
            return Err(Withheld::NoDistinguisher);
        }
        let fits = |sid: &&PlannedSid| sid.role == role && decapsulates(&sid.sid, &net);
        self.sids.iter().find(fits).map(|planned| planned.sid).ok_or(Withheld::NoSid)
    }
}

/// The routes of a VRF that leave this node: nothing without an export route target, for no one could import it.
pub(super) fn vrf(vrf: &Vrf, id: VrfId, planned: &PlannedVrf) -> Vec<LocalRoute> {
    let mut routes: BTreeMap<IpNet, LocalRoute> = BTreeMap::new();
    for (net, route) in planned.routes.iter().filter(|(net, _)| !is_link_local(net)) {
        let attributes = redistributed(route.source).and_then(|source| vrf.redistribute.get(&source));
        let Some(attributes) = attributes else { continue };
        if let Ok(sid) = planned.advertised_with(*net, SidRole::Deliver) {
            routes.insert(*net, originated(id, *net, Some(sid), attributes));
        }
    }
    for PlannedService { wanted, vips, .. } in &planned.services {
        let Some(attributes) = &wanted.advertise else { continue };
        for (vip, told) in vips {
            offer(&mut routes, id, (*vip, *told), attributes, wanted.graceful_shutdown);
        }
    }
    for (address, egress) in &planned.egress_addresses {
        let OwnedAddress { attributes, graceful_shutdown, .. } = &egress.wanted;
        // Always said: of several gateways all must choose the same one, so each compares itself with the others.
        let local_preference = attributes.local_preference.or(Some(DEFAULT_LOCAL_PREF));
        let attributes = RouteAttributes { local_preference, ..attributes.clone() };
        offer(&mut routes, id, (*address, egress.advertised), &attributes, *graceful_shutdown);
    }
    routes.into_values().collect()
}

/// As which source a route may be redistributed.
const fn redistributed(source: RouteSource) -> Option<Source> {
    match source {
        RouteSource::Connected => Some(Source::Connected),
        RouteSource::Static => Some(Source::Static),
        _ => None,
    }
}

/// A VIP that two services share is advertised as soon as one of them has a backend.
fn offer(
    routes: &mut BTreeMap<IpNet, LocalRoute>,
    vrf: VrfId,
    (address, told): (IpAddr, Advertised),
    attributes: &RouteAttributes,
    graceful_shutdown: bool,
) {
    let (net, Ok(sid)) = (IpNet::from(address), told) else { return };
    routes.entry(net).or_insert_with(|| {
        let mut route = originated(vrf, net, Some(sid), attributes);
        if graceful_shutdown {
            route.shut_down_gracefully();
        }
        route
    });
}

fn originated(vrf: VrfId, net: IpNet, sid: Option<LocalSid>, attributes: &RouteAttributes) -> LocalRoute {
    let RouteAttributes { communities, color, local_preference } = attributes;
    LocalRoute {
        vrf,
        prefix: net.into(),
        sid,
        med: None,
        local_pref: *local_preference,
        communities: communities.iter().copied().collect(),
        color: *color,
    }
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
