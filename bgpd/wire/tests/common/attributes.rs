use std::net::Ipv4Addr;

use bgp_wire::attribute::{
    Aggregator, AsPath, Attributes, Community, ExtendedCommunity, LargeCommunity, Origin, PrefixSid,
    PrefixSidTlv, Segment, SegmentKind, ServiceKind, ServiceSubTlv, SidInformation, SidSubSubTlv,
    Srv6Service, UnknownAttribute,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use srv6_types::{Behavior, Sid, SidStructure, Transposition};

use super::octets;

/// What any peer may send, internal or external.
pub fn attributes() -> impl Strategy<Value = Attributes> {
    let first = (
        select(&[Origin::Igp, Origin::Egp, Origin::Incomplete][..]),
        as_paths(),
        option::of(any::<u32>()),
        any::<bool>(),
        option::of((1..=u32::MAX, any::<Ipv4Addr>()).prop_map(|(asn, router)| Aggregator { asn, router })),
    );
    let second = (
        vec(any::<u32>().prop_map(Community), 0..5),
        vec(any::<[u8; 8]>().prop_map(ExtendedCommunity), 0..40),
        vec(any::<[u32; 3]>().prop_map(large_community), 0..4),
        option::of(prefix_sids()),
        unknown(),
    );
    (first, second).prop_map(|(first, second)| {
        let (origin, as_path, med, atomic_aggregate, aggregator) = first;
        let (communities, extended_communities, large_communities, prefix_sid, unknown) = second;
        Attributes {
            origin,
            as_path,
            med,
            atomic_aggregate,
            aggregator,
            communities,
            extended_communities,
            large_communities,
            prefix_sid,
            unknown,
            ..Attributes::default()
        }
    })
}

/// With what only internal peers send.
pub fn internal_attributes() -> impl Strategy<Value = Attributes> {
    let internal = (option::of(any::<u32>()), option::of(any::<Ipv4Addr>()), vec(any::<Ipv4Addr>(), 0..4));
    (attributes(), internal).prop_map(|(attributes, (local_pref, originator_id, cluster_list))| Attributes {
        local_pref,
        originator_id,
        cluster_list,
        ..attributes
    })
}

fn large_community([global, local1, local2]: [u32; 3]) -> LargeCommunity {
    LargeCommunity { global, local1, local2 }
}

fn as_paths() -> impl Strategy<Value = AsPath> {
    let asns = prop_oneof![1..65536u32, 1..=u32::MAX];
    let segments = (select(&[SegmentKind::Sequence, SegmentKind::Set][..]), vec(asns, 1..6))
        .prop_map(|(kind, asns)| Segment { kind, asns });
    vec(segments, 0..4).prop_map(AsPath)
}

/// Codes that neither we nor the independent decoder know; optional, one each, ascending.
fn unknown() -> impl Strategy<Value = Vec<UnknownAttribute>> {
    let kinds = (select(&[0x80u8, 0xc0, 0xe0][..]), 200..=250u8, octets(300));
    vec(kinds, 0..3).prop_map(|mut all| {
        all.sort_by_key(|(_, code, _)| *code);
        all.dedup_by_key(|(_, code, _)| *code);
        all.into_iter().map(|(flags, code, value)| UnknownAttribute { flags, code, value }).collect()
    })
}

pub fn structures() -> impl Strategy<Value = SidStructure> {
    let lengths = (0..=40u8, 0..=40u8, 0..=32u8, 0..=16u8, 0..=20u8, 0..=108u8);
    lengths.prop_map(|(block, node, function, argument, len, offset)| {
        let transposition = Transposition::new(len, offset).unwrap();
        SidStructure::new(block, node, function, argument, transposition).unwrap()
    })
}

fn sid_information() -> impl Strategy<Value = SidInformation> {
    let sub_sub_tlvs = prop_oneof![
        structures().prop_map(SidSubSubTlv::Structure),
        (2..=255u8, octets(9)).prop_map(|(kind, value)| SidSubSubTlv::Other { kind, value }),
    ];
    let fixed = any::<(u8, [u8; 16], u8, u16, u8)>();
    (fixed, vec(sub_sub_tlvs, 0..3)).prop_map(
        |((reserved1, sid, flags, behavior, reserved2), sub_sub_tlvs)| SidInformation {
            reserved1,
            sid: Sid(sid),
            flags,
            behavior: Behavior(behavior),
            reserved2,
            sub_sub_tlvs,
        },
    )
}

fn prefix_sids() -> impl Strategy<Value = PrefixSid> {
    let sub_tlvs = prop_oneof![
        3 => sid_information().prop_map(ServiceSubTlv::SidInformation),
        1 => (2..=255u8, octets(9)).prop_map(|(kind, value)| ServiceSubTlv::Other { kind, value }),
    ];
    let kind = select(&[ServiceKind::L3, ServiceKind::L2][..]);
    let services = (kind, any::<u8>(), vec(sub_tlvs, 0..3))
        .prop_map(|(kind, reserved, sub_tlvs)| Srv6Service { kind, reserved, sub_tlvs });
    let tlvs = prop_oneof![
        3 => services.prop_map(PrefixSidTlv::Service),
        1 => (7..=255u8, octets(9)).prop_map(|(kind, value)| PrefixSidTlv::Other { kind, value }),
    ];
    vec(tlvs, 0..3).prop_map(|tlvs| PrefixSid { tlvs })
}
