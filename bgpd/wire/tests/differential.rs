//! An independent decoder reads the same out of valid UPDATEs. Both sides are written down as lines.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use bgp_wire::{
    Context, Message,
    attribute::{Attributes, SidSubSubTlv},
    message::Update,
    nlri::Nlri,
};
use common::{contexts, messages};
use netgauze_bgp_pkt::{
    BgpMessage, nlri,
    path_attribute::{
        AsPath, BgpSidAttribute, MpReach, PathAttributeValue, SRv6ServiceSubSubTlv, SRv6ServiceSubTlv,
    },
    wire::deserializer::BgpParsingContext,
};
use netgauze_parse_utils::{reader::SliceReader, traits::ParseFromWithOneInput};
use proptest::prelude::*;

fn our_route(route: Nlri) -> String {
    let rd = route.rd.map(|rd| u64::from_be_bytes(rd.0)).unwrap_or_default();
    let label = route.label.map(|label| label.value()).unwrap_or_default();
    format!("route {rd:x} {label} {}", route.prefix)
}

fn ours(update: &Update, context: &Context) -> Vec<String> {
    let (attributes, faults) = Attributes::decode(&update.attributes, context);
    assert_eq!(faults, []);
    let mut lines: Vec<String> =
        update.announced.iter().flat_map(|announced| announced.nlri.iter().map(our_route)).collect();
    lines
        .extend(update.announced.iter().map(|announced| format!("next hop {}", announced.next_hop.global())));
    lines.extend(attributes.med.map(|med| format!("med {med}")));
    let communities = attributes.communities.iter();
    lines.extend(communities.map(|community| format!("community {:x}", community.0)));
    let large = attributes.large_communities.iter();
    lines.extend(large.map(|large| format!("large {} {} {}", large.global, large.local1, large.local2)));
    for segment in &attributes.as_path.0 {
        lines.push(format!("segment {:?}", segment.asns));
    }
    if let Some(sid) = attributes.prefix_sid.as_ref().and_then(|sid| sid.l3_service()) {
        lines.push(format!("sid {} {} {}", sid.sid, sid.behavior.0, sid.flags));
        for tlv in &sid.sub_sub_tlvs {
            lines.push(match tlv {
                SidSubSubTlv::Structure(structure) => {
                    let transposition = structure.transposition();
                    format!(
                        "structure {} {} {} {} {} {}",
                        structure.block(),
                        structure.node(),
                        structure.function(),
                        structure.argument(),
                        transposition.len(),
                        transposition.offset()
                    )
                }
                SidSubSubTlv::Other { kind, value } => format!("other {kind} {value:?}", value = &value[..]),
            });
        }
    }
    lines
}

fn their_vpn_route(rd: nlri::RouteDistinguisher, labels: &[nlri::MplsLabel], prefix: String) -> String {
    let mut octets = Vec::new();
    netgauze_parse_utils::WritablePdu::write(&rd, &mut octets).unwrap();
    let rd = octets.iter().fold(0u64, |rd, octet| rd << 8 | u64::from(*octet));
    let [high, middle, low] = *labels[0].value();
    format!("route {rd:x} {} {prefix}", u32::from_be_bytes([0, high, middle, low]) >> 4)
}

fn their_reach(reach: &MpReach, lines: &mut Vec<String>) {
    let next_hop =
        match reach {
            MpReach::Ipv4Unicast { next_hop, nlri, .. } => {
                lines.extend(nlri.iter().map(|route| format!("route 0 0 {}", route.network())));
                *next_hop
            }
            MpReach::Ipv6Unicast { next_hop_global, nlri, .. } => {
                lines.extend(nlri.iter().map(|route| format!("route 0 0 {}", route.network())));
                (*next_hop_global).into()
            }
            MpReach::Ipv4MplsVpnUnicast { next_hop, nlri } => {
                lines.extend(nlri.iter().map(|route| {
                    their_vpn_route(route.rd(), route.label_stack(), route.network().to_string())
                }));
                next_hop.next_hop()
            }
            MpReach::Ipv6MplsVpnUnicast { next_hop, nlri } => {
                lines.extend(nlri.iter().map(|route| {
                    their_vpn_route(route.rd(), route.label_stack(), route.network().to_string())
                }));
                next_hop.next_hop()
            }
            other => panic!("{other:?} was not sent"),
        };
    lines.push(format!("next hop {next_hop}"));
}

fn their_sid(tlvs: &[BgpSidAttribute], lines: &mut Vec<String>) {
    let service = tlvs.iter().find_map(|tlv| match tlv {
        BgpSidAttribute::SRv6ServiceL3 { subtlvs, .. } => Some(subtlvs),
        _ => None,
    });
    let information = service.into_iter().flatten().find_map(|tlv| match tlv {
        SRv6ServiceSubTlv::SRv6SIDInformation {
            sid,
            service_sid_flags,
            endpoint_behaviour,
            subsubtlvs,
            ..
        } => Some((sid, service_sid_flags, endpoint_behaviour, subsubtlvs)),
        _ => None,
    });
    let Some((sid, flags, behavior, subsubtlvs)) = information else { return };
    lines.push(format!("sid {sid} {behavior} {flags}"));
    lines.extend(subsubtlvs.iter().map(|tlv| match tlv {
        SRv6ServiceSubSubTlv::SRv6SIDStructure {
            locator_block_len: block,
            locator_node_len: node,
            function_len: function,
            arg_len: argument,
            transposition_len: len,
            transposition_offset: offset,
        } => format!("structure {block} {node} {function} {argument} {len} {offset}"),
        SRv6ServiceSubSubTlv::Unknown { code, value } => format!("other {code} {value:?}"),
    }));
}

/// In the order of [`ours`]: the classic routes and the multiprotocol ones first.
fn theirs(message: &BgpMessage) -> Vec<String> {
    let BgpMessage::Update(update) = message else { panic!("not an UPDATE") };
    let mut lines: Vec<String> =
        update.nlri().iter().map(|route| format!("route 0 0 {}", route.network())).collect();
    let (mut metrics, mut communities, mut large, mut path, mut sid) =
        (vec![], vec![], vec![], vec![], vec![]);
    for attribute in update.path_attributes() {
        match attribute.value() {
            PathAttributeValue::MpReach(reach) => their_reach(reach, &mut lines),
            PathAttributeValue::NextHop(next_hop) => lines.push(format!("next hop {}", next_hop.next_hop())),
            PathAttributeValue::MultiExitDiscriminator(med) => metrics.push(format!("med {}", med.metric())),
            PathAttributeValue::Communities(all) => communities.extend(
                all.communities().iter().map(|community| format!("community {:x}", community.value())),
            ),
            PathAttributeValue::LargeCommunities(all) => {
                large.extend(all.communities().iter().map(|large| {
                    format!("large {} {} {}", large.global_admin(), large.local_data1(), large.local_data2())
                }))
            }
            PathAttributeValue::AsPath(AsPath::As4PathSegments(segments)) => {
                path.extend(segments.iter().map(|segment| format!("segment {:?}", segment.as_numbers())));
            }
            PathAttributeValue::PrefixSegmentIdentifier(prefix_sid) => their_sid(prefix_sid.tlvs(), &mut sid),
            _ => (),
        }
    }
    [lines, metrics, communities, large, path, sid].concat()
}

fn with_context() -> impl Strategy<Value = (Context, Update)> {
    contexts().prop_flat_map(|context| {
        // AS numbers of two octets are merged with AS4_PATH by us and shown apart by them.
        let context = Context { four_octet_as: true, add_path: [].into(), extended_message: true, ..context };
        (Just(context.clone()), messages::updates(context))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_global_rejects: 5000, ..ProptestConfig::default() })]

    #[test]
    fn an_independent_decoder_agrees((context, update) in with_context()) {
        let mut out = Vec::new();
        Message::Update(update.clone()).encode(&context, &mut out);
        let mut reading = BgpParsingContext::default();
        let read = BgpMessage::parse(&mut SliceReader::new(&out), &mut reading);
        // It refuses what it takes for no unicast network, and route distinguishers and communities of
        // types that it does not know.
        prop_assume!(read.is_ok());
        let (Ok(Message::Update(decoded)), Ok(read)) = (Message::decode(out.into(), &context), read) else {
            return Err(TestCaseError::fail("not an UPDATE"));
        };
        prop_assert_eq!(ours(&decoded, &context), theirs(&read));
    }
}
