use std::net::Ipv4Addr;

use bgp_wire::attribute::{
    Attributes, ExtendedCommunity, Origin, PrefixSidTlv, ServiceKind, ServiceSubTlv, SidInformation,
    SidSubSubTlv,
};
use serde::Serialize;
use srv6_types::SidStructure;

use super::hex;

#[derive(Serialize)]
pub(in crate::decode) struct AttributesView {
    pub(in crate::decode) origin: &'static str,
    pub(in crate::decode) as_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) med: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) local_pref: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::decode) atomic_aggregate: bool,
    /// AS number and router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) aggregator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) originator_id: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) cluster_list: Vec<Ipv4Addr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) communities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) route_targets: Vec<String>,
    /// Those that are no route targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) extended_communities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) large_communities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) srv6_services: Vec<ServiceView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) unknown: Vec<UnknownView>,
}

/// One SID of a service TLV (RFC 9252).
#[derive(Serialize)]
pub(in crate::decode) struct ServiceView {
    /// `l3` or `l2`.
    pub(in crate::decode) service: &'static str,
    /// As it stood in the attribute.
    pub(in crate::decode) sid: String,
    pub(in crate::decode) behavior: String,
    pub(in crate::decode) behavior_code: u16,
    pub(in crate::decode) flags: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) structure: Option<StructureView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::decode) unknown: Vec<UnknownView>,
}

/// Lengths and offset in bits.
#[derive(Serialize)]
pub(in crate::decode) struct StructureView {
    pub(in crate::decode) block: u8,
    pub(in crate::decode) node: u8,
    pub(in crate::decode) function: u8,
    pub(in crate::decode) argument: u8,
    pub(in crate::decode) transposition_length: u8,
    pub(in crate::decode) transposition_offset: u8,
}

/// Something kept by its number.
#[derive(Serialize)]
pub(in crate::decode) struct UnknownView {
    pub(in crate::decode) code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::decode) flags: Option<u8>,
    pub(in crate::decode) value: String,
}

impl AttributesView {
    pub(super) fn of(attributes: &Attributes) -> Self {
        let (targets, others): (Vec<_>, Vec<_>) =
            attributes.extended_communities.iter().partition(|community| community.route_target().is_some());
        let target =
            |community: &&ExtendedCommunity| community.route_target().map(|target| target.to_string());
        Self {
            origin: match attributes.origin {
                Origin::Igp => "igp",
                Origin::Egp => "egp",
                Origin::Incomplete => "incomplete",
            },
            as_path: attributes.as_path.to_string(),
            med: attributes.med,
            local_pref: attributes.local_pref,
            atomic_aggregate: attributes.atomic_aggregate,
            aggregator: attributes.aggregator.map(|by| format!("{} {}", by.asn, by.router)),
            originator_id: attributes.originator_id,
            cluster_list: attributes.cluster_list.clone(),
            communities: texts(&attributes.communities),
            route_targets: targets.iter().filter_map(target).collect(),
            extended_communities: texts(&others),
            large_communities: texts(&attributes.large_communities),
            srv6_services: services(attributes),
            unknown: unknown(attributes),
        }
    }
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(T::to_string).collect()
}

fn services(attributes: &Attributes) -> Vec<ServiceView> {
    let tlvs = attributes.prefix_sid.iter().flat_map(|prefix_sid| &prefix_sid.tlvs);
    let services = tlvs.filter_map(|tlv| match tlv {
        PrefixSidTlv::Service(service) => Some(service),
        PrefixSidTlv::Other { .. } => None,
    });
    services
        .flat_map(|service| service.sub_tlvs.iter().map(move |tlv| (service.kind, tlv)))
        .filter_map(|(kind, tlv)| match tlv {
            ServiceSubTlv::SidInformation(information) => Some(ServiceView::of(kind, information)),
            ServiceSubTlv::Other { .. } => None,
        })
        .collect()
}

fn unknown(attributes: &Attributes) -> Vec<UnknownView> {
    let view = |attribute: &bgp_wire::attribute::UnknownAttribute| UnknownView {
        code: attribute.code,
        flags: Some(attribute.flags),
        value: hex(&attribute.value),
    };
    attributes.unknown.iter().map(view).collect()
}

impl ServiceView {
    fn of(kind: ServiceKind, information: &SidInformation) -> Self {
        let other = |tlv: &SidSubSubTlv| match tlv {
            SidSubSubTlv::Other { kind, value } => {
                Some(UnknownView { code: *kind, flags: None, value: hex(value) })
            }
            SidSubSubTlv::Structure(_) => None,
        };
        Self {
            service: match kind {
                ServiceKind::L3 => "l3",
                ServiceKind::L2 => "l2",
            },
            sid: information.sid.to_string(),
            behavior: information.behavior.to_string(),
            behavior_code: information.behavior.0,
            flags: information.flags,
            structure: information.structure().map(StructureView::of),
            unknown: information.sub_sub_tlvs.iter().filter_map(other).collect(),
        }
    }
}

impl StructureView {
    fn of(structure: &SidStructure) -> Self {
        let transposition = structure.transposition();
        Self {
            block: structure.block(),
            node: structure.node(),
            function: structure.function(),
            argument: structure.argument(),
            transposition_length: transposition.len(),
            transposition_offset: transposition.offset(),
        }
    }
}
