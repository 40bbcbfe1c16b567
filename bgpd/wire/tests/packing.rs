//! Many routes into few UPDATEs: all of them arrive, no message is too long, none is wasted.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use std::net::Ipv4Addr;

use bgp_wire::{
    Context, Family, Message,
    attribute::{Attributes, Community},
    message::{NextHop, Update, UpdateWriter, frame_length},
    nlri::Nlri,
};
use bytes::Bytes;
use common::{contexts, families, messages::next_hops, routes};
use proptest::{collection::vec, prelude::*};

fn updates(mut stream: Bytes, context: &Context) -> Vec<Update> {
    let mut updates = Vec::new();
    while let Some(length) = frame_length(&stream).unwrap() {
        assert!(length <= context.message_max());
        match Message::decode(stream.split_to(length), context) {
            Ok(Message::Update(update)) => updates.push(update),
            other => panic!("{other:?}"),
        }
    }
    assert!(stream.is_empty());
    updates
}

fn attributes(context: &Context) -> (Attributes, Vec<u8>) {
    let attributes = Attributes { communities: vec![Community::NO_EXPORT], ..Attributes::default() };
    let mut octets = Vec::new();
    attributes.encode(None, context, &mut octets);
    (attributes, octets)
}

fn inputs(withdraw: bool) -> impl Strategy<Value = (Context, Family, NextHop, Vec<Nlri>)> {
    (contexts(), families()).prop_flat_map(move |(context, family)| {
        let routes = vec(routes(family, context.add_path.contains(&family), withdraw), 0..1500);
        (Just(context), Just(family), next_hops(family), routes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn announced_routes_arrive_in_order((context, family, next_hop, routes) in inputs(false)) {
        let (expected, octets) = attributes(&context);
        let mut out = Vec::new();
        UpdateWriter::new(family, &context).announce(next_hop, &octets, &routes, &mut out).unwrap();
        let most = out.len() / (context.message_max() - Nlri::MAX_OCTETS) + 1;
        let updates = updates(out.into(), &context);
        prop_assert!(updates.len() <= most, "{} messages where {} do", updates.len(), most);
        let mut arrived = Vec::new();
        for update in updates {
            prop_assert_eq!(&update.faults, &vec![]);
            prop_assert_eq!(&Attributes::decode(&update.attributes, &context), &(expected.clone(), vec![]));
            for announced in &update.announced {
                prop_assert_eq!(announced.next_hop, next_hop);
                arrived.extend(announced.nlri.iter());
            }
        }
        prop_assert_eq!(arrived, routes);
    }

    #[test]
    fn withdrawn_routes_arrive_in_order((context, family, _, routes) in inputs(true)) {
        let mut out = Vec::new();
        UpdateWriter::new(family, &context).withdraw(&routes, &mut out);
        let updates = updates(out.into(), &context);
        prop_assert!(updates.iter().all(|update| update.faults.is_empty() && update.end_of_rib.is_none()));
        let lists = updates.iter().flat_map(|update| &update.withdrawn);
        prop_assert_eq!(lists.flat_map(|list| list.nlri.iter()).collect::<Vec<_>>(), routes);
    }
}

#[test]
fn end_of_rib_is_known_as_such() {
    for family in Family::ALL {
        let context = Context::default();
        let mut out = Vec::new();
        UpdateWriter::new(family, &context).end_of_rib(&mut out);
        let updates = updates(out.into(), &context);
        assert_eq!(updates[0].end_of_rib, Some(family));
        assert_eq!(updates[0].verdict(&[]), None);
    }
}

/// RFC 4271 section 4.3: the classic fields where they do, NEXT_HOP in its place.
#[test]
fn ipv4_over_ipv4_is_written_as_ever() {
    let context = Context { four_octet_as: true, ..Context::default() };
    let (_, octets) = attributes(&context);
    let route = Nlri { path_id: 0, rd: None, label: None, prefix: "10.1.0.0/16".parse().unwrap() };
    let next_hop = NextHop::V4(Ipv4Addr::new(192, 0, 2, 1));
    let mut out = Vec::new();
    UpdateWriter::new(Family::Ipv4Unicast, &context).announce(next_hop, &octets, [route], &mut out).unwrap();
    let body = [
        &[0, 0, 0, 21][..],
        &[0x40, 1, 1, 2, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1, 0xc0, 8, 4, 0xff, 0xff, 0xff, 1],
        &[16, 10, 1],
    ];
    assert_eq!(out[19..], body.concat());
}

/// RFC 8277 section 2.4.
#[test]
fn a_vpn_withdraw_carries_the_withdraw_label() {
    let context = Context::default();
    let route = Nlri {
        path_id: 0,
        rd: Some("65000:1".parse().unwrap()),
        label: None,
        prefix: "10.0.0.0/8".parse().unwrap(),
    };
    let mut out = Vec::new();
    UpdateWriter::new(Family::Vpnv4, &context).withdraw([route], &mut out);
    let attribute = [0x90, 15, 0, 16, 0, 1, 128, 96, 0x80, 0, 0, 0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 10];
    assert_eq!(out[19..], [&[0, 0, 0, 20][..], &attribute].concat());
}

#[test]
fn attributes_without_room_for_a_route_are_refused() {
    let context = Context::default();
    let route = Nlri { path_id: 0, rd: None, label: None, prefix: "::/0".parse().unwrap() };
    let next_hop = NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local: None };
    let mut out = vec![7];
    let written =
        UpdateWriter::new(Family::Ipv6Unicast, &context).announce(next_hop, &[0; 4060], [route], &mut out);
    assert_eq!(written.unwrap_err().limit, 4096);
    assert_eq!(out, [7], "nothing half written is left behind");
}
