use std::net::{IpAddr, Ipv6Addr};

use bgp_wire::{
    Context,
    attribute::{Attributes, PrefixSid},
    message::{Announced, NextHop, Update, Withdrawn},
    nlri::{Nlri, NlriList},
};
use serde::Serialize;
use srv6_types::Sid;

use super::{AttributesView, ErrorView, hex, open::family};

#[derive(Serialize)]
pub(in crate::decode) struct UpdateView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) end_of_rib: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) withdrawn: Vec<RoutesView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) announced: Vec<RoutesView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) attributes: Option<AttributesView>,
    /// Multiprotocol attributes of other families, as hex digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) other_families: Vec<ForeignView>,
}

#[derive(Serialize)]
pub(in crate::decode) struct ForeignView {
    pub(in crate::decode) family: String,
    pub(in crate::decode) attribute: String,
}

/// Routes of one family and, where they are announced, one next hop.
#[derive(Serialize)]
pub(in crate::decode) struct RoutesView {
    pub(in crate::decode) family: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) next_hop: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) link_local: Option<Ipv6Addr>,
    pub(in crate::decode) routes: Vec<RouteView>,
}

#[derive(Serialize)]
pub(in crate::decode) struct RouteView {
    pub(in crate::decode) prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) path_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) rd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) label: Option<u32>,
    /// The service SID with the bits that travelled in the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) sid: Option<String>,
}

impl UpdateView {
    pub(super) fn of(update: &Update, context: &Context) -> (Self, Option<ErrorView>) {
        let (attributes, faults) = Attributes::decode(&update.attributes, context);
        let error = update
            .verdict(&faults)
            .map(|verdict| ErrorView::of(&verdict, update.faults.iter().chain(&faults)));
        let announced = |announced| RoutesView::announced(announced, attributes.prefix_sid.as_ref());
        let view = Self {
            end_of_rib: update.end_of_rib.map(|family| family.word()),
            withdrawn: update
                .withdrawn
                .iter()
                .filter(|withdrawn| !withdrawn.nlri.is_empty())
                .map(RoutesView::withdrawn)
                .collect(),
            announced: update.announced.iter().map(announced).collect(),
            attributes: (!update.attributes.0.is_empty()).then(|| AttributesView::of(&attributes)),
            other_families: update
                .foreign
                .iter()
                .map(|foreign| ForeignView {
                    family: family(foreign.afi, foreign.safi),
                    attribute: hex(&foreign.attribute),
                })
                .collect(),
        };
        (view, error)
    }
}

impl RoutesView {
    fn announced(announced: &Announced, prefix_sid: Option<&PrefixSid>) -> Self {
        let sid = |route: &Nlri| prefix_sid?.service_sid(route.label).map(|(sid, _)| sid);
        let link_local = match announced.next_hop {
            NextHop::V6 { link_local, .. } => link_local,
            NextHop::V4(_) => None,
        };
        let next_hop = Some(announced.next_hop.global());
        Self { next_hop, link_local, ..Self::list(&announced.nlri, sid) }
    }

    fn withdrawn(withdrawn: &Withdrawn) -> Self {
        Self::list(&withdrawn.nlri, |_| None)
    }

    fn list(nlri: &NlriList, sid: impl Fn(&Nlri) -> Option<Sid>) -> Self {
        let route = |route: Nlri| RouteView {
            prefix: route.prefix.to_string(),
            path_id: nlri.add_path().then_some(route.path_id),
            rd: route.rd.map(|rd| rd.to_string()),
            label: route.label.map(|label| label.value()),
            sid: sid(&route).map(|sid| sid.to_string()),
        };
        let routes = nlri.iter().map(route).collect();
        Self { family: nlri.family().word(), next_hop: None, link_local: None, routes }
    }
}
