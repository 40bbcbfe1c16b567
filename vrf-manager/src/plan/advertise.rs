//! What is originated into BGP.

use std::{collections::BTreeMap, net::IpAddr};

use bgp_core::rib::{DEFAULT_LOCAL_PREF, LocalRoute, LocalSid};
use ipnet::IpNet;
use srv6_dp::model::SidRole;
use srv6_types::{Behavior, VrfId};

use super::{PlannedSid, PlannedVrf, RouteSource};
use crate::intent::{Intent, Network, OwnedAddress, Source, Vrf};

/// Plain unicast of the global table.
pub(super) fn global(intent: &Intent) -> Vec<LocalRoute> {
    let route = |network: &Network| LocalRoute {
        vrf: VrfId::GLOBAL,
        prefix: network.prefix.into(),
        sid: None,
        med: None,
        local_pref: None,
        communities: Vec::new(),
    };
    intent.bgp.networks.iter().map(route).collect()
}

/// With which SID a VIP or an egress address is advertised, or why it is not.
pub type Advertised = Result<LocalSid, Withheld>;

/// Why a VIP or an egress address is not advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
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
    let redistributed = |source| match source {
        RouteSource::Connected => vrf.redistribute.contains_key(&Source::Connected),
        RouteSource::Host => vrf.redistribute.contains_key(&Source::Host),
        RouteSource::Static => vrf.redistribute.contains_key(&Source::Static),
        _ => false,
    };
    let attached =
        planned.routes.iter().filter(|(net, route)| redistributed(route.source) && !is_link_local(net));
    let mut routes: BTreeMap<IpNet, LocalRoute> = BTreeMap::new();
    for (net, _) in attached {
        if let Ok(sid) = planned.advertised_with(*net, SidRole::Deliver) {
            routes.insert(*net, Preference::default().route(id, *net, sid));
        }
    }
    for service in &planned.services {
        let graceful_shutdown = service.wanted.graceful_shutdown;
        let preference = Preference { local_pref: None, graceful_shutdown };
        offer(&mut routes, id, service.vips.iter().map(|(vip, told)| (*vip, *told, preference)));
    }
    offer(
        &mut routes,
        id,
        planned.egress_addresses.iter().map(|(address, egress)| {
            let OwnedAddress { local_preference, graceful_shutdown, .. } = egress.wanted;
            // Always said: of several gateways all must choose the same one, so each compares itself with the others.
            let local_pref = Some(local_preference.unwrap_or(DEFAULT_LOCAL_PREF));
            (*address, egress.advertised, Preference { local_pref, graceful_shutdown })
        }),
    );
    routes.into_values().collect()
}

/// A VIP that two services share is advertised as soon as one of them has a backend.
fn offer(
    routes: &mut BTreeMap<IpNet, LocalRoute>,
    vrf: VrfId,
    addresses: impl Iterator<Item = (IpAddr, Advertised, Preference)>,
) {
    for (address, told, preference) in addresses {
        let (net, Ok(sid)) = (IpNet::from(address), told) else { continue };
        routes.entry(net).or_insert_with(|| preference.route(vrf, net, sid));
    }
}

/// How much a route is to be preferred.
#[derive(Clone, Copy, Default)]
struct Preference {
    local_pref: Option<u32>,
    graceful_shutdown: bool,
}

impl Preference {
    fn route(self, vrf: VrfId, net: IpNet, sid: LocalSid) -> LocalRoute {
        let mut route = LocalRoute {
            vrf,
            prefix: net.into(),
            sid: Some(sid),
            med: None,
            local_pref: self.local_pref,
            communities: Vec::new(),
        };
        if self.graceful_shutdown {
            route.shut_down_gracefully();
        }
        route
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
